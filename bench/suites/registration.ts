/**
 * Registered senders: bits per pair, memory of an isolate, time of a build, the first verdict of a cold isolate, and what the
 * check adds to a stream. Pairs are spread evenly and unevenly over clients. Before a size is reported, registered and other
 * pairs are looked up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PairEntries } from '../../shared/build/pairs.ts';
import { type BuiltRelease, buildRelease, type ListSource } from '../../shared/build/release.ts';
import { SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { entropyBits } from '../lib/entropy.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import {
  benchKeys,
  hasSuffix,
  openRelease,
  PREFIX,
  placesOf,
  randomFrom,
  randomSuffixes,
} from '../lib/random-lists.ts';
import { clientName, pairsOf, type RandomPairs, randomPairs } from '../lib/random-registrations.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import type { CheckResult } from '../lib/worker-results.ts';
import { type SimulatedEdge, startEdge } from '../simulation/edge.ts';
import { depthOf } from './cold.ts';
import { registrationChanges } from './registration-changes.ts';
import { streamRows } from './registration-streams.ts';
import { registrationUpload } from './registration-upload.ts';
import { registrationVisible } from './registration-visible.ts';

const CLIENTS = 10_000;
const CLIENTS_SMALL = 100;
const BITS_TARGET = 24;
/** The first read gets what the head names. The second one gets the table and the pairs together. */
const READS_TARGET = 2;
/** Suspended numbers in the release of the streams, because every real service has lists. */
const LISTED = 5_000_000;
const LISTED_SMALL = 10_000;
const CHECKS = 200_000;
const LINES = 200_000;
const LINES_SMALL = 2_000;
const COLD_ROUNDS = 5;
/** Duration of a KV read where reads are counted, in ms. */
const SLOW_MS = 100;
/** After this many checks in a row without a read, everything is loaded. */
const QUIET_CHECKS = 20;
const MB = 1e6;

/** The client that requires registration, which has the most numbers, and a client that does not. */
const CHECKED = clientName(0).replace('default/', '');
const OFF = 'off';

export async function registrationBench(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const clients = options.small ? CLIENTS_SMALL : CLIENTS;
  for (const count of sizesOf(options, [5_000_000], [10_000])) {
    for (const spread of ['uniform', 'Zipf'] as const) {
      const pairs = randomPairs(count, clients, spread, options.seed);
      const name = `${withCommas(count)} registrations of ${withCommas(clients)} clients, ${spread}`;
      rows.push(...(await sizeRows(name, pairs, clients, options)));
      if (spread === 'Zipf') rows.push(...(await edgeRows(name, pairs, options)));
    }
  }
  rows.push(...registrationChanges(options));
  rows.push(...(await registrationUpload(options)));
  rows.push(...(await registrationVisible(options)));
  return rows;
}

async function sizeRows(
  name: string,
  pairs: RandomPairs,
  clients: number,
  options: BenchOptions,
): Promise<Row[]> {
  const keys = await benchKeys();
  const start = performance.now();
  const built = await buildOf(pairs, keys);
  const seconds = (performance.now() - start) / 1000;
  const sorting = performance.now();
  Float64Array.from(pairs.numbers, (n, index) => n * clients + pairs.clients[index]!).sort();
  const sortSeconds = (performance.now() - sorting) / 1000;
  await checkRelease(built, pairs, clients, keys, options);
  const { pairs: count, shards, table } = built.manifest.registrations!;
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const bits = (bytes * 8) / count;
  // Half of the pairs are own, at random, which takes one bit.
  const bound = entropyBits(count, SUFFIX_COUNT * clients) + 1;
  return [
    row(
      `${name}: bits each`,
      bits,
      'bit',
      `entropy, own or not included: ${bound.toFixed(2)} bit`,
      null,
      BITS_TARGET,
    ),
    row(
      `${name}: bytes of the release`,
      (bytes + table.bytes) / MB,
      'MB',
      `names of clients: ${table.bytes / MB} MB`,
    ),
    row(
      `${name}: build`,
      seconds,
      's',
      `sorting the same pairs: ${short(sortSeconds)} s`,
      seconds / sortSeconds,
    ),
  ];
}

async function buildOf(
  pairs: RandomPairs | null,
  keys: ListKeys,
  lists: readonly ListSource[] = [],
): Promise<BuiltRelease> {
  const entries = new PairEntries();
  for (const pair of pairs === null ? [] : pairsOf(pairs)) entries.add(pair);
  const registrations = pairs === null ? undefined : { version: 1, content: entries.finish(keys) };
  const built = await buildRelease(lists, keys, {
    base: null,
    createdAt: new Date(0),
    foldedSeq: 0,
    registrations,
  });
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** Looks up registered pairs, and other pairs with the same client or the same number. */
async function checkRelease(
  built: BuiltRelease,
  pairs: RandomPairs,
  clients: number,
  keys: ListKeys,
  { seed }: BenchOptions,
): Promise<void> {
  const { registrations } = await openRelease(built, keys);
  const keyOf = (n: number, client: number): number => (n - PREFIX * SUFFIX_COUNT) * clients + client;
  const known = new Set<number>();
  const step = Math.max(1, Math.floor(pairs.numbers.length / CHECKS));
  for (let index = 0; index < pairs.numbers.length; index += step) {
    const found = registrations!.find(pairs.numbers[index]!, clientName(pairs.clients[index]!));
    if (found !== 'registered' && found !== 'own') throw new Error(`pair ${index} is ${found}`);
  }
  // Numbers are distinct and random, so a pair that was not drawn is not registered. A `Set` holds at most 2^24 values.
  for (let index = 0; index < pairs.numbers.length; index++)
    known.add(keyOf(pairs.numbers[index]!, pairs.clients[index]!));
  const random = randomFrom(seed + 1);
  for (let check = 0; check < CHECKS; check++) {
    const n = pairs.numbers[random() % pairs.numbers.length]!;
    const client = random() % clients;
    const isFound = registrations!.find(n, clientName(client)) !== 'none';
    if (isFound !== known.has(keyOf(n, client))) throw new Error(`${n} of client ${client}: ${isFound}`);
  }
}

async function edgeRows(name: string, pairs: RandomPairs, options: BenchOptions): Promise<Row[]> {
  const keys = await benchKeys();
  const settings = { [CHECKED]: { requireRegistration: 'enforce' }, [OFF]: {} } as const;
  const listed = randomSuffixes(options.small ? LISTED_SMALL : LISTED, options.seed + 3);
  const lists = [listSource(listed)];
  const edge = await startEdge(settings);
  const without = await startEdge(settings);
  await edge.publish(await buildOf(pairs, keys, lists), 1);
  await without.publish(await buildOf(null, keys, lists), 1);
  const senders = sendersOf(pairs, listed, keys, options);
  const cold = await coldRows(name, edge, senders);
  const memory = [await loadedMb(edge, CHECKED, senders), await loadedMb(without, OFF, senders)] as const;
  const clients = { checked: CHECKED, off: OFF };
  const streams = await streamRows(name, { edge, without }, clients, senders, options);
  await edge.worker.stop();
  await without.worker.stop();
  const baseline = `without registered senders: ${memory[1].toFixed(1)} MB`;
  return [row(`${name}: memory of an isolate`, memory[0], 'MB', baseline), ...cold, ...streams];
}

/** A list of suspended numbers of 010, given their permuted suffixes. */
function listSource(images: Uint8Array): ListSource {
  const content = { plain: new Map([[PREFIX, placesOf(images)]]), dated: [], ranges: [], sources: [] };
  const info: ListSource['info'] = {
    ...({ name: 'bench', reason: 'NUMBER_SUSPENDED', effect: 'block' } as const),
    ...{ subjects: ['from', 'to'], authority: 'bench', asOf: '2026-01-01T00:00:00Z' },
  };
  return { info, content };
}

/** Memory of the isolate once everything is loaded, in MB. */
async function loadedMb(edge: SimulatedEdge, client: string, senders: readonly string[]): Promise<number> {
  for (let quiet = 0, sent = 0; quiet < QUIET_CHECKS; sent++) {
    const { reads } = await check(edge, senders[sent % senders.length]!, client);
    quiet = reads.length > 0 ? 0 : quiet + 1;
    await sleep(10);
  }
  const inspector = await edge.worker.inspector();
  const { usedSize, backingStorageSize, embedderHeapUsedSize } = await inspector.heap();
  inspector.close();
  return (usedSize + backingStorageSize + embedderHeapUsedSize) / MB;
}

/** Random numbers of the client that requires registration. None of them is suspended. */
function sendersOf(
  { numbers, clients }: RandomPairs,
  listed: Uint8Array,
  { permutation }: ListKeys,
  { seed, small }: BenchOptions,
): string[] {
  const isFree = (n: number): boolean => !hasSuffix(listed, permutation.permute(suffixOf(n)));
  const own = [...numbers].filter((n, index) => clients[index] === 0 && isFree(n));
  const random = randomFrom(seed + 2);
  return Array.from({ length: small ? LINES_SMALL : LINES }, () => `+${own[random() % own.length]}`);
}

async function check(edge: SimulatedEdge, sender: string, client = CHECKED): Promise<CheckResult> {
  const result = await edge.check([sender], { client });
  if (result.verdicts[0] !== 'allow') throw new Error(`a registered sender: ${result.verdicts[0]}`);
  return result;
}

async function coldRows(name: string, edge: SimulatedEdge, senders: readonly string[]): Promise<Row[]> {
  await edge.set({ kvMs: SLOW_MS });
  await edge.worker.call('/cold');
  const slow = await check(edge, senders[0]!);
  const values = slow.reads.filter((read) => read.to <= slow.to).length;
  await edge.set({ kvMs: 0 });
  const firsts: number[] = [];
  for (let round = 0; round < COLD_ROUNDS; round++) {
    await edge.worker.call('/cold');
    const first = await check(edge, senders[round]!);
    firsts.push(first.to - first.from);
  }
  return [
    row(
      `${name}, cold isolate: sequential KV reads`,
      depthOf(slow),
      'read',
      `${values} values`,
      null,
      READS_TARGET,
    ),
    row(`${name}, cold isolate: first verdict`, median(firsts), 'ms'),
  ];
}
