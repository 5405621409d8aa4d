/** Commands for clients, who may send requests, and tokens, who may make changes. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { SCOPES } from '../../shared/admin.ts';
import { FAIL_POLICIES, MODES, RIGHTS, SENDER_RULES } from '../../shared/clients.ts';
import { INTERNATIONAL_PREFIXES, type InternationalPrefix } from '../../shared/numbers/parse.ts';
import { adminOfEnvironment } from '../admin.ts';
import {
  addClient,
  type ClientOptions,
  listClients,
  type NewClientKey,
  removeClient,
  rotateClient,
  setClient,
} from '../commands/clients.ts';
import { addToken, listTokens, type NewToken, removeToken, rotateToken } from '../commands/tokens.ts';
import { clientsOf, tokensOf } from '../report-service.ts';
import {
  addReasonOption,
  addWaitOptions,
  commaList,
  example,
  type Print,
  printChange,
  printKey,
  type Waiting,
  wholeNumber,
} from './options.ts';

type Reasoned = { readonly reason: string };

/** Option value for a client without a known international prefix. */
const UNKNOWN = 'unknown';

function internationalPrefix(text: string): InternationalPrefix | null {
  const known = INTERNATIONAL_PREFIXES.find((prefix) => prefix === text);
  if (known !== undefined) return known;
  if (text === UNKNOWN) return null;
  throw new InvalidArgumentError(`must be one of ${[...INTERNATIONAL_PREFIXES, UNKNOWN].join(', ')}`);
}

function addClientOptions(command: Command): Command {
  return command
    .option('--rights <list>', `of ${RIGHTS.join(', ')}`, commaList)
    .addOption(
      new Option('--fail-policy <policy>', 'what the client does on indeterminate').choices(FAIL_POLICIES),
    )
    .addOption(new Option('--mode <mode>', 'how verdicts are returned').choices(MODES))
    .option('--max-stale-seconds <seconds>', 'answer indeterminate when data is older than this', wholeNumber)
    .option('--quota-numbers <numbers>', 'numbers the client may check per minute', wholeNumber)
    .option('--record-blocks', 'record what was blocked')
    .option('--no-record-blocks', 'record nothing')
    .addOption(
      new Option(
        '--international-prefix <prefix>',
        `how the client dials abroad: kr (001, 00700 and so on), 00, or ${UNKNOWN}`,
      ).argParser(internationalPrefix),
    )
    .addOption(
      new Option('--sender-rules <rules>', "apply Korea's rules for senders of domestic texts").choices(
        SENDER_RULES,
      ),
    )
    .option('--short-codes <list>', 'Korean short codes that belong to the client', commaList);
}

export function addAccess(program: Command, print: Print): void {
  addClients(program, print);
  addTokens(program, print);
}

function addClients(program: Command, print: Print): void {
  const clients = program.command('clients').description('manage clients: keys, rights and settings');
  const show = (created: NewClientKey, wait: Waiting): Promise<void> =>
    printKey(print, [`${created.key}\n`, created], wait);

  const listing = clients
    .command('list')
    .description('list clients')
    .action(async () => print(...clientsOf(await listClients(adminOfEnvironment()))));
  example(listing, 'clients list');

  const adding = addWaitOptions(
    addReasonOption(addClientOptions(clients.command('add')), 'numgate clients add'),
  )
    .description('create a client and print its key once (default right: check)')
    .argument('<id>', 'lower case letters, digits and dashes')
    .action(async (id: string, { reason, wait, url, ...settings }: Reasoned & Waiting & ClientOptions) =>
      show(await addClient(adminOfEnvironment(), id, settings, reason), { wait, url }),
    );
  example(adding, 'clients add relay-07 --fail-policy closed --mode shadow');

  const setting = addWaitOptions(
    addReasonOption(addClientOptions(clients.command('set')), 'numgate clients set'),
  )
    .description('change settings of a client; keys and settings that are not named stay as they are')
    .argument('<id>')
    .action(async (id: string, { reason, wait, url, ...settings }: Reasoned & Waiting & ClientOptions) => {
      const done = { id, ...(await setClient(adminOfEnvironment(), id, settings, reason)) };
      await printChange(print, [`${id} changed (seq ${done.seq})\n`, done], { wait, url });
    });
  example(setting, 'clients set relay-07 --mode enforce --wait');

  const rotating = addWaitOptions(addReasonOption(clients.command('rotate'), 'numgate clients rotate'))
    .description('give a client a second key; the previous key stays valid until the next rotation')
    .argument('<id>')
    .action(async (id: string, { reason, ...wait }: Reasoned & Waiting) =>
      show(await rotateClient(adminOfEnvironment(), id, reason), wait),
    );
  example(rotating, 'clients rotate relay-07 --wait');

  const removing = addWaitOptions(addReasonOption(clients.command('remove'), 'numgate clients remove'))
    .description('remove a client')
    .argument('<id>')
    .action(async (id: string, { reason, ...wait }: Reasoned & Waiting) => {
      const done = { id, removed: true, ...(await removeClient(adminOfEnvironment(), id, reason)) };
      await printChange(print, [`${id} removed (seq ${done.seq})\n`, done], wait);
    });
  example(removing, 'clients remove relay-07 --reason "contract ended" --wait');
}

function addTokens(program: Command, print: Print): void {
  const tokens = program.command('tokens').description('manage admin tokens (only the token root may)');
  const printToken = (created: NewToken): void => print(`${created.token}\n`, created);

  const listing = tokens
    .command('list')
    .description('list tokens')
    .action(async () => print(...tokensOf(await listTokens(adminOfEnvironment()))));
  example(listing, 'tokens list');

  const adding = addReasonOption(tokens.command('add'), 'numgate tokens add')
    .description('create a token and print it once')
    .argument('<id>', 'lower case letters, digits and dashes')
    .requiredOption('--scopes <list>', `of ${SCOPES.join(', ')}`, commaList)
    .requiredOption('--authority <name>', 'authority that the token acts for, shown in reasons')
    .action(async (id: string, options: Reasoned & { scopes: string[]; authority: string }) =>
      printToken(await addToken(adminOfEnvironment(), id, options.scopes, options.authority, options.reason)),
    );
  example(adding, 'tokens add night-shift --scopes read,entries --authority kisa');

  const rotating = addReasonOption(tokens.command('rotate'), 'numgate tokens rotate')
    .description('give a token a second secret; the previous one stays valid until the next rotation')
    .argument('<id>')
    .action(async (id: string, { reason }: Reasoned) =>
      printToken(await rotateToken(adminOfEnvironment(), id, reason)),
    );
  example(rotating, 'tokens rotate night-shift');

  const removing = addReasonOption(tokens.command('remove'), 'numgate tokens remove')
    .description('remove a token')
    .argument('<id>')
    .action(async (id: string, { reason }: Reasoned) => {
      await removeToken(adminOfEnvironment(), id, reason);
      print(`${id} removed\n`, { id, removed: true });
    });
  example(removing, 'tokens remove night-shift');
}
