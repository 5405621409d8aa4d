/** `numgate issuers`: who may sign certificates of senders, with which keys and for which numbers. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type * as v from 'valibot';
import { ISSUER_STATES, type Issuer, type IssuerInfo, issuerSchema } from '../../shared/admin/credentials.ts';
import { DEFAULT_ORGANISATION } from '../../shared/organisations.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, describeFileError, hasCode, validate } from '../failure.ts';
import { counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { requireSetting } from './key-options.ts';
import { addReasonOption, commaList, examples } from './options.ts';

/** Settings that `set` can change. `keys` is the path of a file. */
interface SetOptions {
  readonly organisation?: string;
  readonly iss?: string;
  readonly keys?: string;
  readonly numbers?: readonly string[];
  readonly operators?: readonly string[];
  readonly statusHosts?: readonly string[];
  readonly state?: Issuer['state'];
  readonly reason: string;
}

export function addIssuers(program: Command): void {
  const issuers = program
    .command('issuers')
    .description('manage who may sign certificates of senders, and for which numbers');

  issuers
    .command('list')
    .description('list issuers')
    .addHelpText('after', examples('issuers list'))
    .action(async () => {
      const { issuers: all } = await adminOfEnvironment().get<{ issuers: IssuerInfo[] }>('issuers');
      print(...formatIssuers(all));
    });

  issuers
    .command('show')
    .description('show an issuer with its keys')
    .argument('<id>')
    .addHelpText('after', examples('issuers show kt'))
    .action(async (id: string) =>
      print(...formatIssuer(await adminOfEnvironment().get<IssuerInfo>(pathOf(id)))),
    );

  addReasonOption(issuers.command('set'))
    .description('add or change an issuer; other settings stay unchanged (scope: issuers)')
    .argument('<id>', 'lower case letters, digits and dashes')
    .option(
      '--organisation <id>',
      `organisation of the issuer (default for a new issuer: ${DEFAULT_ORGANISATION})`,
    )
    .option('--iss <uri>', 'the issuer as its certificates name it, such as https://issuer.example')
    .option('--keys <file>', 'its public keys as JSON (JWKS); use two during a rotation')
    .option(
      '--numbers <list>',
      'numbers and ranges that it may speak for, such as +82215880000..+82215889999',
      commaList,
    )
    .option('--operators <list>', 'mobile operators for whose ranges it may speak', commaList)
    .option('--status-hosts <list>', 'hosts of its status lists, with a port if it is not 443', commaList)
    .addOption(
      new Option(
        '--state <state>',
        'set the state; certificates of a suspended issuer count as suspended',
      ).choices(ISSUER_STATES),
    )
    .addHelpText(
      'after',
      examples(
        'issuers set kt --iss https://issuer.example --keys jwks.json --operators kt --status-hosts issuer.example',
        'issuers set kt --state suspended --reason "key leaked"',
      ),
    )
    .action(async (id: string, options: SetOptions, command: Command) => {
      const { reason, ...settings } = options;
      requireSetting(command, settings);
      const admin = adminOfEnvironment();
      const { issuer, before, conditions } = await issuerWith(admin, id, settings);
      const after = await admin.change<IssuerInfo>('PUT', pathOf(id), { issuer, reason }, conditions);
      const done = before === null ? 'added' : 'changed';
      const { certificates, held } = after;
      print(`${id} ${done}\n${formatHeld(before, after)}`, { id, [done]: true, certificates, held });
    });

  addReasonOption(issuers.command('remove'))
    .description('remove an issuer that has no certificates (if it has some, suspend it instead)')
    .argument('<id>')
    .addHelpText('after', examples('issuers remove kt --reason "contract ended"'))
    .action(async (id: string, { reason }: { readonly reason: string }) => {
      await adminOfEnvironment().change('DELETE', pathOf(id), { reason });
      print(`${id} removed\n`, { id, removed: true });
    });
}

/** The issuer after the change, and the conditions under which it may be stored. */
async function issuerWith(
  admin: Admin,
  id: string,
  { keys, ...settings }: Omit<SetOptions, 'reason'>,
): Promise<{
  readonly issuer: Issuer;
  readonly before: IssuerInfo | null;
  readonly conditions: Readonly<Record<string, string>>;
}> {
  const given = { ...settings, ...(keys === undefined ? {} : { keys: keysIn(keys) }) };
  const known = await admin.tagged<IssuerInfo>(pathOf(id)).catch((error: unknown) => {
    if (hasCode(error, 'ISSUER_UNKNOWN')) return null;
    throw error;
  });
  const whole = { whole: 'the issuer' };
  if (known === null) {
    const issuer = { organisation: DEFAULT_ORGANISATION, ...given, id } as v.InferInput<typeof issuerSchema>;
    return {
      issuer: validate(issuerSchema, issuer, whole),
      before: null,
      conditions: { 'if-none-match': '*' },
    };
  }
  const { certificates: _, held: _held, ...stored } = known.value;
  return {
    issuer: validate(issuerSchema, { ...stored, ...given }, whole),
    before: known.value,
    conditions: known.ifUnchanged,
  };
}

/** Reports certificates that a change suspended or released: fewer numbers or keys can stop senders. Often empty. */
function formatHeld(before: IssuerInfo | null, after: IssuerInfo): string {
  const { id, held, state } = after;
  const change = held - (before?.held ?? 0);
  if (change === 0) return '';
  if (change < 0)
    return `${counted(-change, 'certificate')} of ${id} may be used again; ${held} still suspended\n`;
  const isAre = held === 1 ? 'is' : 'are';
  const why =
    state === 'suspended' ? 'the issuer is suspended' : 'the issuer no longer has their key or their numbers';
  return `${counted(held, 'certificate')} of ${id} ${isAre} suspended now: ${why}; undo the change to lift the suspension\n`;
}

/** Reads a set of keys. The file may also have a single key. */
function keysIn(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  try {
    const value = JSON.parse(text) as object;
    return 'keys' in value ? value : { keys: [value] };
  } catch {
    throw new CommandFailure(`${path} must have public keys as JSON: {"keys": [{"kty": …, "kid": …}]}`);
  }
}

function pathOf(id: string): string {
  return `issuers/${encodeURIComponent(id)}`;
}

function formatIssuers(issuers: readonly IssuerInfo[]): Report {
  const rows = issuers.map(
    ({ id, organisation, iss, keys, numbers, operators, certificates, held, state }) => [
      ...[
        id,
        organisation,
        iss,
        keys.keys.length,
        [...operators, counted(numbers.length, 'range')].join(' '),
      ],
      ...[certificates, held, state],
    ],
  );
  const names = [
    ...['issuer', 'organisation', 'iss', 'keys#', 'may speak for', 'certificates#', 'suspended#', 'state'],
  ];
  return [rows.length === 0 ? 'no issuers\n' : formatTable(names, rows), { issuers }];
}

function formatIssuer(issuer: IssuerInfo): Report {
  const { id, organisation, iss, keys, numbers, operators, statusHosts, state, certificates, held } = issuer;
  const orNone = (words: readonly string[]): string => (words.length === 0 ? 'none' : words.join(' '));
  const rows = [
    ['organisation', organisation],
    ['iss', iss],
    ['keys', keys.keys.map(({ kid = '', crv }) => `${kid} (${crv})`).join(' ')],
    ['numbers', orNone(numbers)],
    ['operators', orNone(operators)],
    ['hosts of status lists', statusHosts.join(' ')],
    ['certificates', String(certificates)],
    ['suspended certificates', String(held)],
    ['state', state],
  ];
  return [formatTable([id, ''], rows), issuer];
}
