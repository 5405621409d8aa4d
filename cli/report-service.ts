/** Output for the service, its entries, its clients and its audit log. */
import colours from 'picocolors';
import type { EntriesDone, EntryInfo, EntryItem } from '../shared/admin.ts';
import type { Client } from '../shared/clients.ts';
import { parseSource, type SourceKind } from '../shared/sources/source.ts';
import type { StorageInfo, StorageLevel } from '../shared/storage-level.ts';
import type { Verification } from './commands/audit.ts';
import type { Status } from './commands/status.ts';
import type { ListedToken } from './commands/tokens.ts';
import type { EdgeSighting } from './commands/watch.ts';
import { operatorName } from './operators.ts';
import { listTable, type Report, tableOf } from './report.ts';
import { count, percent } from './terminal/figures.ts';

export function statusOf(status: Status): Report {
  const { current, candidate, seq, changedAt, lists, live, clients, kvSeq, audit, edges, propagation } =
    status;
  const lines = [
    current === null
      ? 'no release is current: npx numgate build, prove, push'
      : `${colours.bold(current.release)} is current since ${current.promotedAt}, by ${current.by}`,
    ...(candidate === null
      ? []
      : [
          `${colours.bold(candidate.release)} is the canary in ${percent(candidate.share)} of the data centres`,
        ]),
    `seq ${seq}${changedAt === null ? '' : `, changed ${changedAt}`}; the copy in KV has ${kvSeq}`,
    `${count(live.entries)} live entries in ${live.segments} segments and a tail of ${live.tail}; ${count(clients)} clients`,
    `audit log: ${count(audit.n)} records, the last one ${audit.hash}${trimmedWords(audit.trimmedTo)}`,
    ...storageLines(status),
    ...propagation.map(
      ({ dataCentre, seq: reported, askedAt }) =>
        `data centre ${dataCentre} was given seq ${reported} at ${askedAt}`,
    ),
    ...edges.map(({ url, health }) =>
      health === null
        ? colours.yellow(`${url} does not answer`)
        : `${url} answers from ${health.release ?? 'nothing'}, seq ${health.seq ?? 'none'} (${String(health.status)})`,
    ),
  ];
  return [`${lists.length === 0 ? '' : listTable(lists)}${lines.join('\n')}\n`, status];
}

function trimmedWords(trimmedTo = 0): string {
  return trimmedTo === 0 ? '' : `; those up to ${count(trimmedTo)} were trimmed`;
}

const STORAGE_ADVICE: Readonly<Record<StorageLevel, string | null>> = {
  normal: null,
  warning: 'more than half',
  critical: 'it soon takes no block and no release',
  full: 'it takes no block and no release',
};

function storageLines({ storageBytes, storageBytesMax, storageLevel = 'normal' }: StorageInfo): string[] {
  if (storageBytes === undefined || storageBytesMax === undefined) return [];
  const megabytes = (bytes: number): string => count(Math.ceil(bytes / 1_000_000));
  const line = `the coordinator stores ${megabytes(storageBytes)} of ${megabytes(storageBytesMax)} MB`;
  const advice = STORAGE_ADVICE[storageLevel] ?? null;
  if (advice === null) return [line];
  const paint = storageLevel === 'warning' ? colours.yellow : colours.red;
  return [paint(`${line}, ${advice}: audit export, then audit trim`)];
}

const DONE = { block: 'blocked', unblock: 'unblocked', clear: 'cleared' } as const;

const KINDS: Readonly<Record<'number' | SourceKind, readonly [one: string, more: string]>> = {
  number: ['number', 'numbers'],
  senderId: ['sender id', 'sender ids'],
  operator: ['operator', 'operators'],
  trunk: ['trunk', 'trunks'],
  smsc: ['SMSC', 'SMSCs'],
};

/** Counts by kind, so that a number taken for a sender ID is visible: `2 numbers, 1 sender id`. */
function kindsOf(items: readonly EntryItem[]): string {
  const counts = new Map<'number' | SourceKind, number>();
  for (const item of items) {
    const parsed = 'source' in item ? parseSource(item.source) : null;
    const kind = parsed !== null && 'source' in parsed ? parsed.source.kind : 'number';
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, many]) => `${count(many)} ${KINDS[kind][many === 1 ? 0 : 1]}`).join(', ');
}

export interface EntriesChange {
  readonly op: keyof typeof DONE;
  readonly items: readonly EntryItem[];
  /** RFC 3339, as it was sent. */
  readonly until: string | undefined;
  /** Allow lists of the release, which take precedence over a block. */
  readonly allowLists: readonly string[];
  /** Cleared items without a live entry, as they were written. */
  readonly unheld: readonly string[];
  /** Number of duplicate items that were left out. */
  readonly repeated: number;
}

export function entriesChanged(
  { op, items, until, allowLists, unheld: unlisted, repeated }: EntriesChange,
  done: EntriesDone,
): Report<EntriesDone> {
  const end = until === undefined ? '' : ` until ${until}`;
  const names = allowLists.join(', ');
  const advice = [
    repeated === 0
      ? ''
      : `  ${count(repeated)} more said the same as one before, and ${repeated === 1 ? 'was' : 'were'} left out\n`,
    names === '' ? '' : `  what is on an allow list (${names}) goes through all the same: take it off\n`,
    unlisted.length === 0
      ? ''
      : `  there was no live entry of ${unlisted.join(', ')}; what a release has folded in is taken back all the same\n`,
  ].join('');
  return [`${kindsOf(items)} ${DONE[op]}${end} (seq ${done.seq})\n${advice}`, done];
}

/** A source, with the name of an operator. */
function named(source: string): string {
  const name = source.startsWith('operator:') ? operatorName(source.slice('operator:'.length)) : null;
  return name === null ? source : `${source} ${name}`;
}

/** Rows of the entry table at most, the newest entries. A larger table takes minutes to lay out. */
const ENTRIES_SHOWN = 200;

export function entriesOf(entries: readonly EntryInfo[]): Report {
  const shown = entries.slice(-ENTRIES_SHOWN);
  const rows = shown.map(({ number, source, op, code, subjects, authority, until, seq, by, reason }) => [
    ...[
      number ?? named(source ?? ''),
      op,
      code ?? '',
      subjects.join(' '),
      authority,
      until ?? '',
      String(seq),
      by,
      reason,
    ],
  ]);
  const names = ['number or source', 'op', 'code', 'subjects', 'authority', 'until', 'seq#', 'by', 'reason'];
  if (entries.length === 0) return ['no live entries\n', { entries }];
  const rest = entries.length - shown.length;
  const more = rest === 0 ? '' : `and ${count(rest)} older ones: --json has them all\n`;
  return [tableOf(names, rows) + more, { entries }];
}

/** Replaces the digests by the number of keys. */
function withoutDigests<Holder extends { readonly secretSha256: readonly string[] }>(
  holders: readonly Holder[],
) {
  return holders.map(({ secretSha256, ...shown }) => ({ ...shown, keys: secretSha256.length }));
}

/** Settings that differ from their defaults, which most clients keep. */
function otherSettings({
  internationalPrefix,
  senderRules,
  recordBlocks,
  shortCodes,
}: Pick<Client, 'internationalPrefix' | 'senderRules' | 'recordBlocks' | 'shortCodes'>): string {
  return [
    internationalPrefix === null ? '' : `international prefix ${internationalPrefix}`,
    senderRules === 'kr' ? '' : `sender rules ${senderRules}`,
    shortCodes.length === 0 ? '' : `short codes ${shortCodes.join(' ')}`,
    recordBlocks ? 'records blocks' : '',
  ]
    .filter((words) => words !== '')
    .join(', ');
}

export function clientsOf(clients: readonly Client[]): Report {
  const rows = clients.map(
    ({ id, rights, mode, failPolicy, maxStaleSeconds, quotaNumbers, secretSha256, ...others }) => [
      ...[id, rights.join(' '), mode, failPolicy, `${maxStaleSeconds} s`, quotaNumbers, secretSha256.length],
      otherSettings(others),
    ],
  );
  const names = [
    ...['client', 'rights', 'mode', 'on indeterminate', 'max stale', 'numbers a minute#', 'keys#'],
    'other settings',
  ];
  return [tableOf(names, rows), { clients: withoutDigests(clients) }];
}

export function tokensOf(tokens: readonly ListedToken[]): Report {
  const rows = tokens.map(({ id, scopes, authority, secretSha256 }) => [
    ...[id, scopes.join(' '), authority, secretSha256.length],
  ]);
  return [tableOf(['token', 'scopes', 'authority', 'secrets#'], rows), { tokens: withoutDigests(tokens) }];
}

export function seenLine({
  url,
  seq,
  release,
  afterMs,
}: Omit<EdgeSighting, 'seq'> & { readonly seq: number | null }): string {
  const seconds = (afterMs / 1000).toFixed(1);
  if (seq === null) return `${seconds} s  ${url} has no data, or does not answer\n`;
  return `${seconds} s  ${url} shows seq ${seq}, release ${release ?? 'none'}\n`;
}

export function verified(verification: Verification): Report {
  const { records, last, broken, trimmedTo, trimmedHash } = verification;
  const upTo = `${count(records)} records are right${records === 0 ? '' : `, up to ${last.n}:${last.hash}`}\n`;
  const begin =
    trimmedTo === undefined
      ? ''
      : `records up to ${count(trimmedTo)} were trimmed: verify their export${knownOption(trimmedTo, trimmedHash)}\n`;
  const wrong = broken === null ? '' : `${colours.red(`${broken.problem}: ${broken.message}`)}\n`;
  return [begin + (broken === null ? colours.green(upTo) : upTo + wrong), verification];
}

function knownOption(n: number, hash: string | undefined): string {
  return hash === undefined ? '' : ` with --known ${n}:${hash}`;
}

export function guardsOf(guards: object): Report {
  const lines = Object.entries(guards).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
  return [lines.join(''), guards];
}
