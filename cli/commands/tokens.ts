/**
 * `numgate tokens`: who may change lists. Only the token `root` may manage tokens. A token is created here
 * and shown once. The service stores only its digest.
 */

import { type Command, Option } from 'commander';
import { DEFAULT_ORGANISATION } from '../../shared/organisations.ts';
import { ROLES, type Role, SCOPES } from '../../shared/roles.ts';
import { type ListedToken, tokenSchema } from '../../shared/tokens.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, hasCode, validate } from '../failure.ts';
import { newKey } from '../secrets.ts';
import { print } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { addReasonOption, commaList, examples } from './options.ts';

interface AddOptions {
  readonly role?: Role;
  readonly scopes?: readonly string[];
  readonly organisation: string;
  readonly reason: string;
}

export function addTokens(program: Command): void {
  const tokens = program.command('tokens').description('manage admin tokens (requires the token root)');

  tokens
    .command('list')
    .description('list tokens')
    .addHelpText('after', examples('tokens list'))
    .action(async () => {
      const all = await loadTokens(adminOfEnvironment());
      const rows = all.map(({ id, role, scopes, organisation, authority, secretSha256 }) => [
        ...[id, role ?? '', scopes.join(' '), organisation, authority ?? '', secretSha256.length],
      ]);
      const shown = all.map(({ secretSha256, ...token }) => ({ ...token, keys: secretSha256.length }));
      print(formatTable(['token', 'role', 'scopes', 'organisation', 'authority', 'secrets#'], rows), {
        tokens: shown,
      });
    });

  addReasonOption(tokens.command('add'))
    .description('create a token and print it once')
    .argument('<id>', 'lower case letters, digits and dashes')
    .addOption(new Option('--role <role>', 'role of the holder, with its scopes').choices(ROLES))
    .addOption(
      new Option('--scopes <list>', `instead of a role: of ${SCOPES.join(', ')}`)
        .argParser(commaList)
        .conflicts('role'),
    )
    .option('--organisation <id>', 'organisation that the token belongs to', DEFAULT_ORGANISATION)
    .addHelpText('after', examples('tokens add night-shift --role operator --organisation kt'))
    .action(async (id: string, { role, scopes, organisation, reason }: AddOptions) => {
      if (role === undefined && scopes === undefined)
        throw new CommandFailure('give the token a --role, or --scopes: see --help', 2);
      const { key, secretSha256 } = await newKey(id);
      const given = { id, secretSha256: [secretSha256], role, scopes, organisation };
      const token = validate(tokenSchema, given, { whole: 'the token' });
      await adminOfEnvironment()
        .change('PUT', pathOf(id), { token, reason }, { 'if-none-match': '*' })
        .catch((error: unknown) => {
          if (!hasCode(error, 'PRECONDITION_FAILED')) throw error;
          throw new CommandFailure(`token ${id} already exists: tokens rotate gives it another secret`, 4);
        });
      print(`${key}\n`, { id, token: key });
    });

  addReasonOption(tokens.command('rotate'))
    .description('give a token a second secret; the previous one stays valid until the next rotation')
    .argument('<id>')
    .addHelpText('after', examples('tokens rotate night-shift'))
    .action(async (id: string, { reason }: { reason: string }) => {
      const admin = adminOfEnvironment();
      const known = (await loadTokens(admin)).find((token) => token.id === id);
      if (known === undefined)
        throw new CommandFailure(`token ${id} does not exist: see npx numgate tokens list`);
      const { version, ...token } = known;
      const { key, secretSha256 } = await newKey(id);
      // Of two secrets, the older one is dropped.
      const rotated = { ...token, secretSha256: [...token.secretSha256.slice(-1), secretSha256] };
      await admin.change('PUT', pathOf(id), { token: rotated, reason }, { 'if-match': `"${version}"` });
      print(`${key}\n`, { id, token: key });
    });

  addReasonOption(tokens.command('remove'))
    .description('remove a token')
    .argument('<id>')
    .addHelpText('after', examples('tokens remove night-shift'))
    .action(async (id: string, { reason }: { reason: string }) => {
      await adminOfEnvironment().change('DELETE', pathOf(id), { reason });
      print(`${id} removed\n`, { id, removed: true });
    });
}

async function loadTokens(admin: Admin): Promise<ListedToken[]> {
  return (await admin.get<{ tokens: ListedToken[] }>('tokens')).tokens;
}

function pathOf(id: string): string {
  return `tokens/${encodeURIComponent(id)}`;
}
