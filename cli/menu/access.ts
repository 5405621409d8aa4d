/**
 * Commands about who may ask (clients) and who may change (tokens).
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { SCOPES } from '../../shared/admin.ts';
import { FAIL_POLICIES, MODES, RIGHTS, SENDER_RULES } from '../../shared/clients.ts';
import { INTERNATIONAL_PREFIXES, type InternationalPrefix } from '../../shared/numbers/parse.ts';
import { adminOfEnvironment } from '../admin.ts';
import {
  addClient,
  type ClientWishes,
  type KeyMade,
  listClients,
  removeClient,
  rotateClient,
  setClient,
} from '../commands/clients.ts';
import { addToken, listTokens, removeToken, rotateToken, type TokenMade } from '../commands/tokens.ts';
import { clientsOf, tokensOf } from '../report-service.ts';
import {
  example,
  type Print,
  printChange,
  printKey,
  reasoned,
  type Waiting,
  waiting,
  wholeNumber,
  words,
} from './options.ts';

type Reasoned = { readonly reason: string };

/** In place of the prefix that a client uses. */
const UNKNOWN = 'unknown';

function internationalPrefix(text: string): InternationalPrefix | null {
  const known = INTERNATIONAL_PREFIXES.find((prefix) => prefix === text);
  if (known !== undefined) return known;
  if (text === UNKNOWN) return null;
  throw new InvalidArgumentError(`must be one of ${[...INTERNATIONAL_PREFIXES, UNKNOWN].join(', ')}`);
}

function wished(command: Command): Command {
  return command
    .option('--rights <list>', `of ${RIGHTS.join(', ')}`, words)
    .addOption(new Option('--fail-policy <policy>', 'on indeterminate').choices(FAIL_POLICIES))
    .addOption(new Option('--mode <mode>', 'how strictly to answer').choices(MODES))
    .option('--max-stale-seconds <seconds>', 'oldest data that is good enough', wholeNumber)
    .option('--quota-numbers <numbers>', 'numbers a minute', wholeNumber)
    .option('--record-blocks', 'keep a record of what was blocked')
    .option('--no-record-blocks', 'keep none')
    .addOption(
      new Option(
        '--international-prefix <prefix>',
        `how it writes numbers abroad without +: kr (001, 00700 and so on), 00, or ${UNKNOWN}`,
      ).argParser(internationalPrefix),
    )
    .addOption(
      new Option(
        '--sender-rules <rules>',
        "whether Korea's rules for senders of domestic texts apply",
      ).choices(SENDER_RULES),
    )
    .option('--short-codes <list>', 'Korean short codes the client owns', words);
}

export function addAccess(program: Command, print: Print): void {
  addClients(program, print);
  addTokens(program, print);
}

function addClients(program: Command, print: Print): void {
  const clients = program.command('clients').description('who may ask: keys, rights and wishes');
  const show = (made: KeyMade, wait: Waiting): Promise<void> =>
    printKey(print, [`${made.key}\n`, made], wait);

  const listing = clients
    .command('list')
    .description('show the clients')
    .action(async () => print(...clientsOf(await listClients(adminOfEnvironment()))));
  example(listing, 'clients list');

  const adding = waiting(reasoned(wished(clients.command('add')), 'lists clients add'))
    .description('make a client and print its key, once (default right: check)')
    .argument('<id>', 'lower case letters, digits and dashes')
    .action(async (id: string, { reason, wait, url, ...wishes }: Reasoned & Waiting & ClientWishes) =>
      show(await addClient(adminOfEnvironment(), id, wishes, reason), { wait, url }),
    );
  example(adding, 'clients add relay-07 --fail-policy closed --mode shadow');

  const setting = waiting(reasoned(wished(clients.command('set')), 'lists clients set'))
    .description('change what a client was given; its keys and all that is not named stay')
    .argument('<id>')
    .action(async (id: string, { reason, wait, url, ...wishes }: Reasoned & Waiting & ClientWishes) => {
      const done = { id, ...(await setClient(adminOfEnvironment(), id, wishes, reason)) };
      await printChange(print, [`${id} changed (seq ${done.seq})\n`, done], { wait, url });
    });
  example(setting, 'clients set relay-07 --mode enforce --wait');

  const rotating = waiting(reasoned(clients.command('rotate'), 'lists clients rotate'))
    .description('give a client a second key; the one before stays valid until the next rotation')
    .argument('<id>')
    .action(async (id: string, { reason, ...wait }: Reasoned & Waiting) =>
      show(await rotateClient(adminOfEnvironment(), id, reason), wait),
    );
  example(rotating, 'clients rotate relay-07 --wait');

  const removing = waiting(reasoned(clients.command('remove'), 'lists clients remove'))
    .description('end a client')
    .argument('<id>')
    .action(async (id: string, { reason, ...wait }: Reasoned & Waiting) => {
      const done = { id, removed: true, ...(await removeClient(adminOfEnvironment(), id, reason)) };
      await printChange(print, [`${id} removed (seq ${done.seq})\n`, done], wait);
    });
  example(removing, 'clients remove relay-07 --reason "contract ended" --wait');
}

function addTokens(program: Command, print: Print): void {
  const tokens = program.command('tokens').description('who may change lists (only for the token root)');
  const printToken = (made: TokenMade): void => print(`${made.token}\n`, made);

  const listing = tokens
    .command('list')
    .description('show the tokens')
    .action(async () => print(...tokensOf(await listTokens(adminOfEnvironment()))));
  example(listing, 'tokens list');

  const adding = reasoned(tokens.command('add'), 'lists tokens add')
    .description('make a token and print it, once')
    .argument('<id>', 'lower case letters, digits and dashes')
    .requiredOption('--scopes <list>', `of ${SCOPES.join(', ')}`, words)
    .requiredOption('--authority <name>', 'for which its holder acts, named in the reasons of verdicts')
    .action(async (id: string, options: Reasoned & { scopes: string[]; authority: string }) =>
      printToken(await addToken(adminOfEnvironment(), id, options.scopes, options.authority, options.reason)),
    );
  example(adding, 'tokens add night-shift --scopes read,entries --authority kisa');

  const rotating = reasoned(tokens.command('rotate'), 'lists tokens rotate')
    .description('give a token a second secret; the one before stays valid until the next rotation')
    .argument('<id>')
    .action(async (id: string, { reason }: Reasoned) =>
      printToken(await rotateToken(adminOfEnvironment(), id, reason)),
    );
  example(rotating, 'tokens rotate night-shift');

  const removing = reasoned(tokens.command('remove'), 'lists tokens remove')
    .description('end a token')
    .argument('<id>')
    .action(async (id: string, { reason }: Reasoned) => {
      await removeToken(adminOfEnvironment(), id, reason);
      print(`${id} removed\n`, { id, removed: true });
    });
  example(removing, 'tokens remove night-shift');
}
