/**
 * `numgate clients`: who may send requests. A key is created here and shown once. The service stores only its
 * digest.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type * as v from 'valibot';
import type { ChangeDone } from '../../shared/admin/change.ts';
import {
  type Client,
  clientSchema,
  FAIL_POLICIES,
  MODES,
  ON_ENUMERATION,
  ON_SUSPICIOUS_TEXT,
  REQUIRE_IDENTITY,
  REQUIRE_QUALIFICATION,
  REQUIRE_REGISTRATION,
  REQUIRE_TOKEN,
  RESTRICTIONS,
  RIGHTS,
  SENDER_RULES,
} from '../../shared/clients.ts';
import type { KeyConditions } from '../../shared/key-conditions.ts';
import { INTERNATIONAL_PREFIXES, type InternationalPrefix } from '../../shared/numbers/parse.ts';
import { DEFAULT_ORGANISATION } from '../../shared/organisations.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, hasCode, validate } from '../failure.ts';
import { newKey } from '../secrets.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { addFeedKey, addFeedOptions, type FeedOptions, formatFeed, withFeed } from './client-feed.ts';
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
import { addReasonOption, commaList, examples, NONE, wholeNumber, withNulls } from './options.ts';
import { addWaitOptions, printChange, printKey, type WaitOptions } from './wait.ts';

/** Settings of a client, validated against the directory's own schema. */
export type ClientSettings = Partial<Omit<Client, 'id' | 'secretSha256' | keyof KeyConditions>> &
  ConditionOptions;
type SettingOptions = Omit<ClientSettings, 'feed'> & FeedOptions;

type ChangeOptions = WaitOptions & { readonly reason: string };

export function addClients(program: Command): void {
  const clients = program.command('clients').description('manage clients: keys, rights and settings');
  const changing = (name: string): Command => addWaitOptions(addReasonOption(clients.command(name)));

  clients
    .command('list')
    .description('list clients')
    .addHelpText('after', examples('clients list'))
    .action(async () => {
      const all = await adminOfEnvironment().get<{ clients: Client[] }>('clients');
      print(...formatClients(all.clients));
    });

  addSettingOptions(changing('add'))
    .option('--mock', 'create a client for tests: its registrations are mock, and its responses say so')
    .description('create a client and print its key once (default right: check)')
    .argument('<id>', 'lower case letters, digits and dashes')
    .addHelpText('after', examples('clients add relay-07 --fail-policy closed --mode shadow'))
    .action(async (id: string, { reason, wait, url, ...settings }: ChangeOptions & SettingOptions) => {
      const given = withFeed(withNulls(settings));
      const created = await addClient(adminOfEnvironment(), id, given, reason);
      await printKey([`${created.key}\n`, created], { wait, url });
    });

  addSettingOptions(changing('set'))
    .description('change settings of a client; keys and other settings stay unchanged')
    .argument('<id>')
    .addHelpText('after', examples('clients set relay-07 --mode enforce --wait'))
    .action(async (id: string, options: ChangeOptions & SettingOptions, command: Command) => {
      const { reason, wait, url, ...settings } = options;
      requireSetting(command, settings);
      const admin = adminOfEnvironment();
      const { value: client, ifUnchanged } = await admin.tagged<Client>(pathOf(id));
      const given = withFeed(withNulls(settings), client.feed ?? null);
      const changed = validate(clientSchema, withSettings(client, given), { whole: 'the client' });
      if (isDeepStrictEqual(changed, client))
        return print(`${id} already has these settings: nothing was changed\n`, { id, changed: false });
      const { seq } = await putClient(admin, changed, reason, ifUnchanged);
      await printChange([`${id} changed (seq ${seq})\n`, { id, seq }], { wait, url });
    });

  addRotateOptions(changing('rotate'), 'key')
    .description('give a client a second key; the previous key stays valid until you finish the rotation')
    .argument('<id>')
    .addHelpText('after', examples('clients rotate relay-07 --wait', 'clients rotate relay-07 --finish'))
    .action(async (id: string, { reason, ...options }: ChangeOptions & RotateOptions) => {
      const admin = adminOfEnvironment();
      const { value: client, ifUnchanged } = await admin.tagged<Client>(pathOf(id));
      if (options.finish) {
        const newest = newestOnly(client.secretSha256);
        if (newest === null)
          return print(`${id} has only one key: nothing was changed\n`, { id, changed: false });
        const { seq } = await putClient(admin, { ...client, secretSha256: newest }, reason, ifUnchanged);
        return printChange([`${id} now has one key (seq ${seq})\n`, { id, keys: 1, seq }], options);
      }
      const kept = keptSecrets(client, options, { command: 'clients rotate', what: 'key' });
      const { key, secretSha256 } = await newKey(id);
      const rotated = { ...client, secretSha256: [...kept, secretSha256] };
      const { seq } = await putClient(admin, rotated, reason, ifUnchanged);
      await printKey([`${key}\n`, { id, key, seq }], options);
    });

  addFeedKey(clients);

  changing('remove')
    .description('remove a client')
    .argument('<id>')
    .addHelpText('after', examples('clients remove relay-07 --reason "contract ended" --wait'))
    .action(async (id: string, { reason, ...options }: ChangeOptions) => {
      const { seq } = await adminOfEnvironment().change<ChangeDone>('DELETE', pathOf(id), { reason });
      await printChange([`${id} removed (seq ${seq})\n`, { id, removed: true, seq }], options);
    });
}

/** Option value for a client without a restriction. */
const UNRESTRICTED = 'none';

function restriction(text: string): NonNullable<Client['restriction']> | typeof NONE {
  if (text === UNRESTRICTED) return NONE;
  const known = RESTRICTIONS.find((name) => name === text);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`Allowed choices are ${[...RESTRICTIONS, UNRESTRICTED].join(', ')}.`);
}

/** Option value for a client without a known international prefix. */
const UNKNOWN = 'unknown';
const PREFIXES = [...INTERNATIONAL_PREFIXES, UNKNOWN];

function internationalPrefix(text: string): InternationalPrefix | typeof NONE {
  if (text === UNKNOWN) return NONE;
  const known = INTERNATIONAL_PREFIXES.find((prefix) => prefix === text);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`Allowed choices are ${PREFIXES.join(', ')}.`);
}

function addSettingOptions(command: Command): Command {
  const choice = (flags: string, words: string, choices: readonly string[]): Option =>
    new Option(flags, words).choices(choices);
  return addFeedOptions(addConditionOptions(command))
    .option('--organisation <id>', 'organisation that the client belongs to')
    .option('--rights <list>', `rights of the client: any of ${RIGHTS.join(', ')}`, commaList)
    .addOption(choice('--fail-policy <policy>', 'what to do on an indeterminate verdict', FAIL_POLICIES))
    .addOption(choice('--mode <mode>', 'how verdicts are returned', MODES))
    .option('--max-stale-seconds <seconds>', 'return indeterminate if data is older than this', wholeNumber)
    .option('--quota-numbers <numbers>', 'numbers the client may check per minute', wholeNumber)
    .addOption(
      choice(
        '--on-enumeration <action>',
        'what to do if its organisation seems to enumerate numbers (default: report)',
        ON_ENUMERATION,
      ),
    )
    .addOption(
      choice(
        '--restriction <restriction>',
        `set a restriction; ${UNRESTRICTED} lifts a restriction that a detection has set`,
        [...RESTRICTIONS, UNRESTRICTED],
      ).argParser(restriction),
    )
    .option('--record-blocks', 'record what is blocked')
    .option('--no-record-blocks', 'do not record what is blocked')
    .addOption(
      choice(
        '--international-prefix <prefix>',
        'how the client dials abroad; kr means 001, 00700 and so on',
        PREFIXES,
      ).argParser(internationalPrefix),
    )
    .addOption(
      choice('--sender-rules <rules>', "rules for senders of domestic texts; kr means Korea's", SENDER_RULES),
    )
    .addOption(
      choice(
        '--require-registration <mode>',
        'how to treat a sender that is not registered for the client (default: off)',
        REQUIRE_REGISTRATION,
      ),
    )
    .addOption(
      choice(
        '--require-qualification <mode>',
        'how to treat a client whose organisation is not certified (default: off)',
        REQUIRE_QUALIFICATION,
      ),
    )
    .addOption(
      choice(
        '--require-token <mode>',
        'how to treat a sender without a valid message token (default: off)',
        REQUIRE_TOKEN,
      ),
    )
    .addOption(
      choice(
        '--require-identity <mode>',
        'how to treat a call or text at a gateway without a valid PASSporT (default: off)',
        REQUIRE_IDENTITY,
      ),
    )
    .addOption(
      choice(
        '--on-suspicious-text <effect>',
        'how to treat a text that the model finds suspicious (default: shadow)',
        ON_SUSPICIOUS_TEXT,
      ),
    )
    .option('--short-codes <list>', 'Korean short codes that belong to the client', commaList);
}

/** Creates a client with a new key. */
export async function addClient(
  admin: Admin,
  id: string,
  settings: ClientSettings,
  reason: string,
): Promise<ChangeDone & { readonly id: string; readonly key: string }> {
  const { key, secretSha256 } = await newKey(id);
  const bare = { id, secretSha256: [secretSha256], rights: ['check' as const] };
  const client = withSettings(bare, settings);
  const { seq } = await putClient(admin, client, reason, { 'if-none-match': '*' }).catch((error: unknown) => {
    if (!hasCode(error, 'PRECONDITION_FAILED')) throw error;
    throw new CommandFailure(`client ${id} already exists: use clients rotate to give it another key`, 4);
  });
  return { id, key, seq };
}

/** Stores a client under its id. */
export function putClient(
  admin: Admin,
  given: v.InferInput<typeof clientSchema>,
  reason: string,
  conditions: Readonly<Record<string, string>> = {},
): Promise<ChangeDone> {
  const client = validate(clientSchema, given, { whole: 'the client' });
  return admin.change('PUT', pathOf(client.id), { client, reason }, conditions);
}

function pathOf(id: string): string {
  return `clients/${encodeURIComponent(id)}`;
}

function formatClients(clients: readonly Client[]): Report {
  const names = ['client', 'rights', 'mode', 'on indeterminate', 'max stale', 'numbers per minute#', 'keys#'];
  const rows = clients.map((client) => {
    const { id, rights, mode, failPolicy, maxStaleSeconds, quotaNumbers, secretSha256 } = client;
    const shown = [id, rights.join(' '), mode, failPolicy, `${maxStaleSeconds} s`, quotaNumbers];
    return [...shown, secretSha256.length, otherSettings(client)];
  });
  const value = clients.map(({ secretSha256, certificateSha256 = [], ...shown }) => ({
    ...shown,
    keys: secretSha256.length,
    certificates: certificateSha256.length,
  }));
  return [formatTable([...names, 'other settings'], rows), { clients: value }];
}

/** Settings that differ from their defaults, which most clients keep. */
function otherSettings(client: Client): string {
  const { organisation, internationalPrefix: prefix, senderRules, recordBlocks, shortCodes } = client;
  const { onEnumeration, onSuspiciousText, restriction: restricted, mock } = client;
  const { requireRegistration, requireQualification, requireToken, requireIdentity } = client;
  return [
    ...formatConditions(client),
    organisation === DEFAULT_ORGANISATION ? '' : `organisation ${organisation}`,
    prefix === null ? '' : `international prefix ${prefix}`,
    senderRules === 'kr' ? '' : `sender rules ${senderRules}`,
    shortCodes.length === 0 ? '' : `short codes ${shortCodes.join(' ')}`,
    recordBlocks ? 'records blocks' : '',
    // Services before 0.2.0 return neither `onEnumeration` nor `restriction`.
    (onEnumeration ?? 'report') === 'report' ? '' : `on enumeration ${onEnumeration}`,
    restricted ?? '',
    (requireRegistration ?? 'off') === 'off' ? '' : `requires registration: ${requireRegistration}`,
    (requireQualification ?? 'off') === 'off' ? '' : `requires qualification: ${requireQualification}`,
    (requireToken ?? 'off') === 'off' ? '' : `requires tokens: ${requireToken}`,
    (requireIdentity ?? 'off') === 'off' ? '' : `requires PASSporTs: ${requireIdentity}`,
    (onSuspiciousText ?? 'shadow') === 'shadow' ? '' : `on suspicious text ${onSuspiciousText}`,
    formatFeed(client),
    mock === true ? 'mock' : '',
  ]
    .filter((words) => words !== '')
    .join(', ');
}
