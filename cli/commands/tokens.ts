/**
 * `numgate tokens`: who may change lists. Only the token `root` may manage tokens. A token is created here
 * and shown once. The service stores only its digest.
 */

import { isDeepStrictEqual } from 'node:util';
import { type Command, Option } from 'commander';
import type * as v from 'valibot';
import { DEFAULT_ORGANISATION } from '../../shared/organisations.ts';
import { ROLES, type Role, SCOPES } from '../../shared/roles.ts';
import { type ListedToken, tokenSchema } from '../../shared/tokens.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, hasCode, validate } from '../failure.ts';
import { newKey } from '../secrets.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import {
  addConditionOptions,
  addRotateOptions,
  type ConditionOptions,
  formatConditions,
  keptSecrets,
  newestOnly,
  type RotateOptions,
  requireSetting,
  withSettings,
} from './key-options.ts';
import { addReasonOption, commaList, examples, withNulls } from './options.ts';

interface TokenSettings extends ConditionOptions {
  readonly role?: Role;
  readonly scopes?: readonly string[];
  readonly organisation?: string;
}
interface ChangeOptions extends TokenSettings {
  readonly reason: string;
}

export function addTokens(program: Command): void {
  const tokens = program.command('tokens').description('manage admin tokens (requires the token root)');

  tokens
    .command('list')
    .description('list tokens')
    .addHelpText('after', examples('tokens list'))
    .action(async () => {
      print(...formatTokens(await loadTokens(adminOfEnvironment())));
    });

  addSettingOptions(addReasonOption(tokens.command('add')))
    .description('create a token and print it once')
    .argument('<id>', 'lower case letters, digits and dashes')
    .addHelpText('after', examples('tokens add night-shift --role operator --organisation kt --expires 90d'))
    .action(async (id: string, { reason, ...settings }: ChangeOptions) => {
      if (settings.role === undefined && settings.scopes === undefined)
        throw new CommandFailure('give the token a --role, or --scopes: see --help', 2);
      const { key, secretSha256 } = await newKey(id);
      const token = { id, secretSha256: [secretSha256] };
      await put(adminOfEnvironment(), withSettings(token, withNulls(settings)), reason, {
        'if-none-match': '*',
      }).catch((error: unknown) => {
        if (!hasCode(error, 'PRECONDITION_FAILED')) throw error;
        throw new CommandFailure(
          `token ${id} already exists: use tokens rotate to give it another secret`,
          4,
        );
      });
      print(`${key}\n`, { id, token: key });
    });

  addSettingOptions(addReasonOption(tokens.command('set')))
    .description('change settings of a token; its secrets and other settings stay unchanged')
    .argument('<id>')
    .addHelpText('after', examples('tokens set night-shift --expires 2027-01-01'))
    .action(async (id: string, { reason, ...settings }: ChangeOptions, command: Command) => {
      requireSetting(command, settings);
      const admin = adminOfEnvironment();
      const { token, ifUnchanged } = await load(admin, id);
      // A role brings its own scopes, and explicit scopes replace the role.
      const { role, scopes } = settings;
      const rights = role !== undefined ? { scopes: undefined } : scopes !== undefined ? { role: null } : {};
      const changed = withSettings({ ...token, ...rights }, withNulls(settings));
      if (isDeepStrictEqual(valid(changed), valid(token)))
        return print(`${id} already has these settings: nothing was changed\n`, { id, changed: false });
      await put(admin, changed, reason, ifUnchanged);
      print(`${id} changed\n`, { id, changed: true });
    });

  addRotateOptions(addReasonOption(tokens.command('rotate')), 'secret')
    .description('give a token a second secret; the previous one stays valid until you finish the rotation')
    .argument('<id>')
    .addHelpText('after', examples('tokens rotate night-shift', 'tokens rotate night-shift --finish'))
    .action(async (id: string, { reason, ...options }: { reason: string } & RotateOptions) => {
      const admin = adminOfEnvironment();
      const { token, ifUnchanged } = await load(admin, id);
      if (options.finish) {
        const newest = newestOnly(token.secretSha256);
        if (newest === null)
          return print(`${id} has only one secret: nothing was changed\n`, { id, changed: false });
        await put(admin, { ...token, secretSha256: newest }, reason, ifUnchanged);
        return print(`${id} now has one secret\n`, { id, secrets: 1 });
      }
      const kept = keptSecrets(token, options, { command: 'tokens rotate', what: 'secret' });
      const { key, secretSha256 } = await newKey(id);
      const rotated = { ...token, secretSha256: [...kept, secretSha256] };
      await put(admin, rotated, reason, ifUnchanged);
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

function addSettingOptions(command: Command): Command {
  return addConditionOptions(command)
    .addOption(new Option('--role <role>', 'role of the holder, which decides the scopes').choices(ROLES))
    .addOption(
      new Option('--scopes <list>', `scopes instead of a role: any of ${SCOPES.join(', ')}`)
        .argParser(commaList)
        .conflicts('role'),
    )
    .option(
      '--organisation <id>',
      `organisation that the token belongs to (default for a new token: ${DEFAULT_ORGANISATION})`,
    );
}

type GivenToken = v.InferInput<typeof tokenSchema>;

/** A token in the form in which it is stored, with the condition that nobody changes it meanwhile. */
async function load(admin: Admin, id: string) {
  const known = (await loadTokens(admin)).find((token) => token.id === id);
  if (known === undefined)
    throw new CommandFailure(`token ${id} does not exist: see npx numgate tokens list`);
  const { version, authority: _, lastUsedAt: _used, scopes, ...token } = known;
  // The service decides the scopes of a role, and it may be newer than this command.
  const given = { ...token, scopes: token.role === null ? scopes : undefined };
  return { token: given, ifUnchanged: { 'if-match': `"${version}"` } };
}

function valid(token: object) {
  return validate(tokenSchema, token as GivenToken, { whole: 'the token' });
}

function put(
  admin: Admin,
  given: object,
  reason: string,
  conditions: Readonly<Record<string, string>>,
): Promise<unknown> {
  const token = valid(given);
  return admin.change('PUT', pathOf(token.id), { token, reason }, conditions);
}

function formatTokens(all: readonly ListedToken[]): Report {
  const names = [
    'token',
    'role',
    'scopes',
    'organisation',
    'authority',
    'secrets#',
    'last used',
    'conditions',
  ];
  const rows = all.map((token) => {
    const { id, role, scopes, organisation, authority, secretSha256, lastUsedAt = null } = token;
    const shown = [id, role ?? '', scopes.join(' '), organisation, authority ?? '', secretSha256.length];
    return [...shown, lastUsedAt ?? 'never', formatConditions(token).join(', ')];
  });
  const value = all.map(({ secretSha256, certificateSha256 = [], ...token }) => ({
    ...token,
    keys: secretSha256.length,
    certificates: certificateSha256.length,
  }));
  return [formatTable(names, rows), { tokens: value }];
}

async function loadTokens(admin: Admin): Promise<ListedToken[]> {
  return (await admin.get<{ tokens: ListedToken[] }>('tokens')).tokens;
}

function pathOf(id: string): string {
  return `tokens/${encodeURIComponent(id)}`;
}
