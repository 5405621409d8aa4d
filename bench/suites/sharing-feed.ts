/**
 * A second installation follows a first one only by its feed. Measures whether both give the same verdicts after thousands of
 * changes, although the command, the connection and the service die in between, and how much the second one reads per change.
 */
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { statePath } from '../../cli/feed/puller.ts';
import { readState } from '../../cli/feed/state-file.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import { CuttingProxy } from '../lib/cutting-proxy.ts';
import { FeedChanges, type Sizes } from '../lib/feed-changes.ts';
import {
  type CheckedParty,
  FeedFollower,
  type FeedInstallation,
  killNow,
  startFeedInstallations,
} from '../lib/feed-pair.ts';
import type { BenchOptions } from '../lib/options.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

const run = promisify(execFile);

interface Load extends Sizes {
  readonly changes: number;
  readonly others: number;
  /** Entries of the state whose memory is measured. */
  readonly kept: number;
}

const FULL: Load = {
  ...{ changes: 10_000, numbers: 3_000, senders: 200, reported: 20, batch: 150, others: 100_000 },
  kept: 1_000_000,
};
const SMALL: Load = {
  ...{ changes: 160, numbers: 120, senders: 20, reported: 1, batch: 20, others: 200 },
  kept: 1_000,
};
/** The other party of each check. It is on no list. */
const OTHER = '+821088888888';
const MARKERS = ['+821088880001', '+821088880002', '+821088880003'] as const;
/** Longest wait until the feed has everything, in ms. */
const CAUGHT_UP_WAIT_MS = 180_000;
const CHECK_EVERY_MS = 500;

export async function sharingFeed({ small, seed }: BenchOptions): Promise<Row[]> {
  const load = small ? SMALL : FULL;
  const [first, second] = (await startFeedInstallations('first', 'second')) as [
    FeedInstallation,
    FeedInstallation,
  ];
  const proxy = await CuttingProxy.start(first.service.url);
  try {
    const changes = new FeedChanges(first, load, seed);
    await changes.setUp();
    const follower = await FeedFollower.add(first, second, proxy.url);
    await follower.pull();
    const empty = join(second.folder, 'empty');
    cpSync(follower.out, empty, { recursive: true });

    await changes.make(load.changes / 2);
    await changes.mark(MARKERS[0]);
    const { catalogue } = await pullThroughDeaths(first, follower, proxy, changes);
    // This first release has blocks that the last one must not have.
    const before = await follower.publish(catalogue);

    await follower.rotate();
    await Promise.all([changes.make(load.changes / 4), follower.pull()]);
    await changes.release();
    await changes.report();
    await changes.make(Math.max(0, load.changes - changes.changes));
    await changes.mark(MARKERS[1]);
    const last = await caughtUp(follower, changes, MARKERS[1]);
    const after = await follower.publish(last.catalogue);
    const differing = await compare(first, second, changes, load);
    const fresh = join(second.folder, 'fresh');
    const differingEntries = (await follower.pull(fresh)).isSnapshot
      ? await entriesThatDiffer(follower.out, fresh)
      : Number.NaN;

    const start = performance.now();
    const whole = await follower.pull(empty);
    const seconds = (performance.now() - start) / 1_000;
    const made = `${withCommas(changes.changes)} changes, ${withCommas(whole.events)} events`;
    const parties = `${withCommas(changes.touched.length)} parties touched, ${withCommas(differing.refused)} refused`;
    const none = (what: string, figure: number, unit: string, baseline: string): Row =>
      row(`feed: ${what}`, figure, unit, baseline, null, 0);
    return [
      none('verdicts that differ, touched', differing.touched, 'verdicts', `${made}; ${parties}`),
      none('reasons that differ, touched', differing.reasons, 'reasons', 'code, authority, rule, stage, end'),
      none(
        'verdicts that differ, others',
        differing.others,
        'verdicts',
        `${withCommas(load.others)} numbers`,
      ),
      none('entries by events and by snapshot that differ', differingEntries, 'entries', made),
      none(
        'wrong answers of the releases',
        before.wrong + after.wrong,
        'answers',
        'two releases, prove --quick',
      ),
      row(
        'feed: events pulled a second',
        whole.events / seconds,
        'events/s',
        'the whole command, with its lists',
      ),
      row('feed: bytes for an event', whole.bytes / whole.events, 'bytes', 'encrypted; HTTP bodies alone'),
      ...(await memoryRows(load.kept)),
    ];
  } finally {
    proxy.stop();
    await Promise.all([first.service.kill(), second.service.kill()]);
  }
}

/** Pulls while the command, the connection and the service of the feed die. */
async function pullThroughDeaths(
  first: FeedInstallation,
  follower: FeedFollower,
  proxy: CuttingProxy,
  changes: FeedChanges,
) {
  const killed = follower.start();
  await proxy.afterPages(1);
  await killNow(killed);
  proxy.cutNext(2);
  const pulling = follower.pull();
  await proxy.afterPages(1);
  await first.restart();
  await pulling;
  return caughtUp(follower, changes, MARKERS[0]);
}

/** Pulls until the state has the newest change and no ended entry. */
async function caughtUp(follower: FeedFollower, { lastEndMs }: FeedChanges, marker: string) {
  await sleep(Math.max(0, lastEndMs - Date.now()));
  for (const end = Date.now() + CAUGHT_UP_WAIT_MS; ; await sleep(CHECK_EVERY_MS)) {
    const pulled = await follower.pull();
    const entries = [...(await readState(statePath(follower.out))).entries].map(([, entry]) => entry);
    const nowS = Date.now() / 1_000;
    const isThere = entries.some(({ number }) => number === marker);
    if (isThere && entries.every(({ until }) => until > nowS)) return pulled;
    if (Date.now() > end) throw new Error(`the feed lacks changes after ${CAUGHT_UP_WAIT_MS} ms`);
  }
}

/** Compares the checks of everything in both installations. */
async function compare(
  first: FeedInstallation,
  second: FeedInstallation,
  changes: FeedChanges,
  { others: count }: Load,
) {
  const parties = changes.touched;
  const touched = parties.map(({ subject, party }) =>
    subject === 'from' ? { from: party, to: OTHER } : { from: OTHER, to: party },
  );
  // Numbers without a change that are on no list.
  const others = Array.from({ length: count }, (_, index) => `+8210${30_000_001 + index * 577}`);
  const known = new Set(parties.map(({ party }) => party));
  const rest = others
    .filter((number) => !known.has(number))
    .flatMap((number) => [
      { from: number, to: OTHER },
      { from: OTHER, to: number },
    ]);
  const [a, b] = [await first.check([...touched, ...rest]), await second.check([...touched, ...rest])];
  const differs = (index: number): boolean => a[index]!.verdict !== b[index]!.verdict;
  const indexes = [...a.keys()];
  return {
    refused: a.slice(0, touched.length).filter(({ verdict }) => verdict !== 'allow').length,
    touched: indexes.filter((index) => index < touched.length && differs(index)).length,
    others: indexes.filter((index) => index >= touched.length && differs(index)).length,
    reasons: indexes.filter((index) => index < touched.length && reasonOf(a[index]!) !== reasonOf(b[index]!))
      .length,
  };
}

/** The deciding reason of a refusal, without the list name, because lists have other names in each installation. */
function reasonOf({ verdict, reasons: [reason] }: CheckedParty): string {
  if (verdict === 'allow' || reason === undefined) return verdict;
  const { subject, code, effect, authority, rule, stage, until } = reason;
  return JSON.stringify([verdict, subject, code, effect, authority, rule, stage, until]);
}

/** Memory and state size of a pull that keeps this many entries. */
async function memoryRows(count: number): Promise<Row[]> {
  const folder = temporaryFolder('feed-memory');
  const script = fileURLToPath(new URL('../lib/measure-feed-memory.ts', import.meta.url));
  const measure = async (...args: string[]) => (await run(process.execPath, [script, ...args])).stdout;
  await measure('make', folder, String(count));
  const { peak, bytes } = JSON.parse(await measure('use', folder)) as { peak: number; bytes: number };
  const baseline = `${withCommas(count)} entries: state read, written and listed`;
  return [
    row('feed: peak memory of a pull', peak / 1e6, 'MB', baseline),
    row('feed: bytes of the state for an entry', bytes / count, 'bytes', baseline),
  ];
}

async function entriesThatDiffer(...folders: readonly [string, string]): Promise<number> {
  const [a, b] = (await Promise.all(
    folders.map(async (folder) => {
      const { entries } = await readState(statePath(folder));
      return new Map([...entries].map(([reference, entry]) => [reference, JSON.stringify(entry)]));
    }),
  )) as [Map<string, string>, Map<string, string>];
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key)).length;
}
