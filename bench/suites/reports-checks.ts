/**
 * What rule blocks add to a check: in the live layer, in the release, and the appeal reference in each blocked answer. Also the
 * memory of an isolate whose live layer is as full as people and rules can make it.
 */
import { ListEntries } from '../../shared/build/list-entries.ts';
import { type BuiltRelease, buildRelease, type ListSource } from '../../shared/build/release.ts';
import {
  LIVE_ENTRIES_MAX,
  RULE_ENTRIES_MAX,
  SEALED_PER_LIVE_MAX,
  SEGMENT_ENTRIES_MAX,
  UNBLOCK_RESERVE,
} from '../../shared/limits/control.ts';
import { HEAD_FRESH_MS } from '../../shared/limits/edge.ts';
import { RULE_LISTS_MAX } from '../../shared/limits/lists.ts';
import { type LiveEntry, numberKey } from '../../shared/live/entry.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { compareChecks } from '../lib/compare-checks.ts';
import type { BenchOptions } from '../lib/options.ts';
import { benchKeys, FIRST_SUFFIX, PREFIX, randomFrom } from '../lib/random-lists.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import { type SimulatedEdge, startEdge } from '../simulation/edge.ts';

const TARGET = 1.05;
const LISTED = 1_000_000;
const LISTED_SMALL = 10_000;
/**
 * Rule blocks in force. The police block of November 2025 made 5,249 in three weeks (docs/performance.md), which is some 23,000
 * in the three months that a confirmed block lasts.
 */
const USUAL_RULE_BLOCKS = 25_000;
/** Numbers of rule blocks and their targets: the usual number, and the maximum, which has no target. */
const RULE_BLOCKS = [
  [USUAL_RULE_BLOCKS, TARGET],
  [RULE_ENTRIES_MAX, null],
] as const;
/** Shares of blocked senders among the checked ones, and targets: a high share, and that of a campaign. */
const BLOCKED_SHARES = [
  [0.01, TARGET],
  [0.1, null],
] as const;
const MB = 1e6;
/** Long after the end of the bench. */
const UNTIL = Math.floor(Date.now() / 1000) + 90 * 86_400;
const MARKS = [
  ...(['provisional', 'confirmed'] as const).flatMap((stage) =>
    Array.from({ length: RULE_LISTS_MAX / 2 }, (_, index) => ({ rule: `kr-${index}@1`, stage })),
  ),
];

export async function reportsChecks(options: BenchOptions): Promise<Row[]> {
  const { seed, small } = options;
  const numbers = randomNumbers(small ? LISTED_SMALL : LISTED, seed);
  const plain = await releaseOf([listOf(numbers, 'block')]);
  const none = { built: plain, words: 'none' };
  const labels = { built: await releaseOf([listOf(numbers, 'label')]), words: 'the same list labels' };
  const rows: Row[] = [];
  for (const [count, target] of small ? ([[LISTED_SMALL, TARGET]] as const) : RULE_BLOCKS) {
    const ofRules = randomNumbers(count, seed + 1);
    const allowed = allowedText(new Set([...numbers, ...ofRules]));
    const blocks = `${withCommas(count)} blocks of rules`;
    const live = { built: plain, entries: ofRules.map(entryOf), baseline: none, target };
    const onLists = await releaseOf([listOf(numbers, 'block'), ...ruleLists(ofRules)]);
    const listed = { built: onLists, baseline: none, target };
    rows.push(...(await compared(`${blocks}, live`, allowed, options, live)));
    rows.push(...(await compared(`${blocks} on ${RULE_LISTS_MAX} lists`, allowed, options, listed)));
  }
  const ofRules = randomNumbers(small ? LISTED_SMALL : USUAL_RULE_BLOCKS, seed + 1);
  const allowed = allowedText(new Set([...numbers, ...ofRules]));
  for (const [share, target] of small ? BLOCKED_SHARES.slice(0, 1) : BLOCKED_SHARES) {
    const words = `references, ${share * 100} % blocked`;
    const references = { built: plain, baseline: labels, target };
    rows.push(...(await compared(words, blockedText(numbers, allowed, share), options, references)));
  }
  const [[share, target]] = BLOCKED_SHARES;
  const both = { built: plain, entries: ofRules.map(entryOf), baseline: labels, target };
  const words = `${withCommas(ofRules.length)} blocks of rules, live, and references, ${share * 100} % blocked`;
  rows.push(...(await compared(words, blockedText(numbers, allowed, share), options, both)));
  return [...rows, ...(await memoryRows(plain, options))];
}

interface Compared {
  readonly built: BuiltRelease;
  readonly entries?: readonly LiveEntry[];
  readonly baseline: { readonly built: BuiltRelease; readonly words: string };
  /** Upper bound of the ratio; null for none. */
  readonly target: number | null;
}

type TextOf = (index: number) => { readonly from: string; readonly to: string };

let seq = 0;

/** Publishes a release to an edge, and makes the edge start with it as a new isolate. */
async function use(
  edge: SimulatedEdge,
  built: BuiltRelease,
  entries: readonly LiveEntry[] = [],
): Promise<void> {
  await edge.publish(built, ++seq, null, entries);
  // Moves the clock, so that the copy in the data centre is too old.
  await edge.set({ clockOffsetMs: 2 * seq * HEAD_FRESH_MS });
  await edge.worker.call('/cold');
  const { release } = await edge.check(['+821099999999']);
  if (release !== built.manifest.release) throw new Error(`the edge uses ${release}`);
  if (entries.length > 0) await checkBlocked(edge, entries[0]!);
}

async function compared(
  name: string,
  textOf: TextOf,
  { small }: BenchOptions,
  { built, entries, baseline, target }: Compared,
): Promise<Row[]> {
  const start = async (release: BuiltRelease, live?: readonly LiveEntry[]): Promise<SimulatedEdge> => {
    const edge = await startEdge();
    await use(edge, release, live);
    return edge;
  };
  const edges = {
    own: () => start(built, entries),
    plain: () => start(baseline.built),
    words: baseline.words,
  };
  return compareChecks(name, edges, textOf, { small, target });
}

/** Checks that a rule block is in force. */
async function checkBlocked(edge: SimulatedEdge, { high, low, rule }: LiveEntry): Promise<void> {
  type Answer = { verdict: string; reasons: readonly { rule?: string }[] };
  const from = `+${high * SUFFIX_COUNT + low}`;
  const { verdict, reasons } = await edge.post<Answer>('/v1/check', { from });
  if (verdict === 'block' && reasons[0]?.rule === rule) return;
  throw new Error(`a number that a rule blocks: ${verdict} ${JSON.stringify(reasons)}`);
}

/** Distinct numbers of 010 in use. */
function randomNumbers(count: number, seed: number): number[] {
  const random = randomFrom(seed);
  const found = new Set<number>();
  while (found.size < count) {
    found.add(PREFIX * SUFFIX_COUNT + FIRST_SUFFIX + (random() % (SUFFIX_COUNT - FIRST_SUFFIX)));
  }
  return [...found];
}

function entryOf(n: number, index: number): LiveEntry {
  const made = { op: 'block', subjects: 1, code: 'SENDER_REPORTED', authority: 'numgate' } as const;
  return { ...numberKey(n), ...made, seq: 1, until: UNTIL, ...MARKS[index % MARKS.length]! };
}

function listOf(numbers: readonly number[], effect: 'block' | 'label'): PlainList {
  return { name: 'bench', effect, subjects: ['from', 'to'], authority: 'bench', numbers, until: null };
}

function ruleLists(numbers: readonly number[]): PlainList[] {
  return MARKS.map((mark, list) => ({
    ...{ name: `live-from-sender-reported-numgate-${list}`, effect: 'block', subjects: ['from'] },
    ...{ authority: 'numgate', until: UNTIL, ...mark },
    numbers: numbers.filter((_, index) => index % MARKS.length === list),
  }));
}

interface PlainList
  extends Pick<ListSource['info'], 'name' | 'effect' | 'subjects' | 'authority' | 'rule' | 'stage'> {
  readonly numbers: readonly number[];
  readonly until: number | null;
}

async function releaseOf(lists: readonly PlainList[]): Promise<BuiltRelease> {
  const keys = await benchKeys();
  const sources = lists.map(({ numbers, until, ...info }): ListSource => {
    const entries = new ListEntries(keys.permutation);
    for (const n of numbers) entries.addNumber(n, { since: 0, until: until ?? 0xffffffff });
    const rest = { reason: 'SENDER_REPORTED', asOf: '2026-01-01T00:00:00Z' } as const;
    return { info: { ...info, ...rest }, content: entries.finish() };
  });
  const built = await buildRelease(sources, keys, { base: null, createdAt: new Date(0), foldedSeq: 0 });
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** Texts that no list and no entry concerns. */
function allowedText(taken: ReadonlySet<number>): TextOf {
  const free = (seed: number): string => {
    const random = randomFrom(seed);
    for (;;) {
      const n = PREFIX * SUFFIX_COUNT + FIRST_SUFFIX + (random() % (SUFFIX_COUNT - FIRST_SUFFIX));
      if (!taken.has(n)) return `+${n}`;
    }
  };
  return (index) => ({ from: free(2 * index + 1), to: free(2 * index + 2) });
}

/** The same texts, except that the share `share` of them has a blocked sender. */
function blockedText(numbers: readonly number[], allowed: TextOf, share: number): TextOf {
  const every = Math.round(1 / share);
  return (index) => ({
    ...allowed(index),
    ...(index % every === 1 ? { from: `+${numbers[index % numbers.length]}` } : {}),
  });
}

async function memoryRows(built: BuiltRelease, { small, seed }: BenchOptions): Promise<Row[]> {
  const edge = await startEdge();
  const scale = small ? 0.02 : 1;
  const live = LIVE_ENTRIES_MAX + RULE_ENTRIES_MAX + UNBLOCK_RESERVE;
  const sealed = SEALED_PER_LIVE_MAX * live + SEGMENT_ENTRIES_MAX;
  const inspector = await edge.worker.inspector();
  const figures: Figure[] = [];
  for (const count of [0, LIVE_ENTRIES_MAX, live, sealed]) {
    const entries = Math.floor(count * scale);
    await use(edge, built, randomNumbers(entries, seed + 2).map(entryOf));
    const { usedSize, backingStorageSize, embedderHeapUsedSize } = await inspector.heap();
    figures.push({ entries, megabytes: (usedSize + backingStorageSize + embedderHeapUsedSize) / MB });
  }
  inspector.close();
  await edge.worker.stop();
  const [without, people, ...full] = figures as [Figure, Figure, ...Figure[]];
  const more = ({ megabytes }: Figure): number => megabytes - without.megabytes;
  const baseline = `${withCommas(people.entries)} entries: ${short(more(people))} MB`;
  return full.map((each) => {
    const name = `live layer of ${withCommas(each.entries)} sealed entries: memory of an isolate`;
    return row(name, more(each), 'MB', baseline);
  });
}

interface Figure {
  readonly entries: number;
  readonly megabytes: number;
}
