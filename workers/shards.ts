/**
 * Loads the values of a release from KV into it, each once, however many requests wait for it, and knows
 * which of them cannot be loaded.
 */
import {
  HEALTH_RETRY_MS,
  LOAD_WAIT_MS,
  READS_AT_ONCE,
  ROOM_RETRY_MS,
  WARM_READS_AT_ONCE,
} from '../shared/limits.ts';
import type { Question } from '../shared/question.ts';
import type { Blob } from '../shared/release/manifest.ts';
import { blobsOf } from '../shared/release/manifest.ts';
import type { Release } from '../shared/release/release.ts';
import type { Env } from './env.ts';
import { readBlob } from './kv-values.ts';
import { warn } from './log.ts';
import { SingleFlight, Unavailable, within } from './single-flight.ts';

/** The request that loads: where from, and what keeps its work alive. */
export interface Loading {
  readonly env: Pick<Env, 'LISTS'>;
  readonly ctx: ExecutionContext;
}

/** The loads of one release in memory, by KV key. */
class Loads {
  readonly #flights = new Map<string, SingleFlight>();
  /** When a value last could not be loaded, in ms since 1970, until it is loaded. */
  readonly failedAt = new Map<string, number>();
  /** When a value that had to make room was last read again, in ms since 1970; and how many were. */
  readAgainAt = 0;
  readAgainCount = 0;

  flight(key: string): SingleFlight {
    const flight = this.#flights.get(key) ?? new SingleFlight();
    this.#flights.set(key, flight);
    return flight;
  }
}
const loadsByRelease = new WeakMap<Release, Loads>();

function loadsOf(release: Release): Loads {
  const loads = loadsByRelease.get(release) ?? new Loads();
  loadsByRelease.set(release, loads);
  return loads;
}

async function load(release: Release, blob: Blob, kv: KVNamespace): Promise<void> {
  const bytes = await readBlob(blob, kv);
  // Absent is "not yet" (KV is eventually consistent), never "empty".
  if (bytes === null) throw new Unavailable(`${blob.key} is not in KV`);
  const installed = await release.install(blob, bytes);
  if (!installed.ok) {
    warn('blobRefused', { release: release.manifest.release, message: installed.message });
    throw new Unavailable(installed.message);
  }
  loadsOf(release).failedAt.delete(blob.key);
}

/** A value could not be loaded, or not in time. Logged once, until it is loaded. */
function noteFailure(release: Release, { key }: Blob, error: unknown): void {
  const { failedAt } = loadsOf(release);
  const message = error instanceof Unavailable ? error.message : 'the load failed';
  if (!failedAt.has(key)) warn('valueUnavailable', { release: release.manifest.release, key, message });
  failedAt.set(key, Date.now());
}

function loadMissing(
  release: Release,
  blobs: readonly Blob[],
  loaded: (blob: Blob) => boolean,
  kv: KVNamespace,
  ctx: ExecutionContext,
): Promise<PromiseSettledResult<void>[]> {
  const missing = blobs.filter((blob) => !loaded(blob));
  const loadOne = async (blob: Blob): Promise<void> => {
    const flight = loadsOf(release).flight(blob.key);
    try {
      await flight.wait(
        () => load(release, blob, kv),
        () => loaded(blob),
        ctx,
      );
    } catch (error) {
      noteFailure(release, blob, error);
      throw error;
    }
  };
  return Promise.allSettled(missing.map(loadOne));
}

/**
 * Have these values in the release, or as many as there are in time, and use them at once: behind an `await`
 * they may have had to make room for others.
 */
export async function withValues<Used>(
  release: Release,
  blobs: readonly Blob[],
  { env, ctx }: Loading,
  use: () => Used,
): Promise<Used> {
  if (release.complete) return use();
  const deadline = Date.now() + LOAD_WAIT_MS;
  while (!release.pin(blobs)) {
    if (Date.now() >= deadline) return use();
    await new Promise((resolve) => setTimeout(resolve, ROOM_RETRY_MS));
  }
  const used = loadMissing(release, blobs, (blob) => release.has(blob), env.LISTS, ctx)
    .then(use)
    .finally(() => release.unpin(blobs));
  // Of a request whose client has gone nothing runs any more, and its pins would stay for ever.
  ctx.waitUntil(used.catch(() => undefined));
  return used;
}

/**
 * Load many values, a few at a time: what waits for its turn is not yet begun, so that a question that needs
 * it does not stand in the same line. None is begun behind LOAD_WAIT_MS, unless `patient`.
 * @returns those that could not be loaded
 */
async function loadInTurn(
  release: Release,
  blobs: readonly Blob[],
  loaded: (blob: Blob) => boolean,
  { env, ctx }: Loading,
  { atOnce, patient, onTurn }: { atOnce: number; patient: boolean; onTurn?: () => void },
): Promise<Blob[]> {
  const queue = blobs.filter((blob) => !loaded(blob));
  const failed: Blob[] = [];
  const deadline = patient ? Number.POSITIVE_INFINITY : Date.now() + LOAD_WAIT_MS;
  const lane = async (): Promise<void> => {
    while (Date.now() < deadline) {
      const blob = queue.shift();
      if (blob === undefined) return;
      onTurn?.();
      const [settled] = await loadMissing(release, [blob], loaded, env.LISTS, ctx);
      if (settled?.status === 'rejected') failed.push(blob);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return failed;
}

/** Have as much of the release as there is room for, and time. @returns what could not be loaded */
export function ensureAll(release: Release, call: Loading): Promise<Blob[]> {
  const has = (blob: Blob): boolean => release.has(blob);
  return loadInTurn(release, release.loadable(), has, call, { atOnce: READS_AT_ONCE, patient: false });
}

/** When the background load of a release last began with a value. */
const warmedAt = new WeakMap<Release, number>();

/** Have as much of the release as there is room for loaded in the background, by one request for all. */
export function warm(release: Release, call: Loading): void {
  if (release.complete || Date.now() - (warmedAt.get(release) ?? 0) < LOAD_WAIT_MS) return;
  const has = (blob: Blob): boolean => release.has(blob);
  const onTurn = (): void => void warmedAt.set(release, Date.now());
  onTurn();
  const warming = loadInTurn(release, release.loadable(), has, call, {
    ...{ atOnce: WARM_READS_AT_ONCE, patient: true, onTurn },
  });
  call.ctx.waitUntil(warming.finally(() => warmedAt.delete(release)));
}

/** Have had every value of the release, though not all of them may have room at once. @returns whether all are good */
export async function verifyAll(release: Release, call: Loading): Promise<boolean> {
  const blobs = blobsOf(release.manifest);
  const verified = (blob: Blob): boolean => release.verified(blob);
  await loadInTurn(release, blobs, verified, call, { atOnce: WARM_READS_AT_ONCE, patient: true });
  return blobs.every(verified);
}

/**
 * The values of a release that cannot be loaded. Those that were never found whole are tried first, within
 * LOAD_WAIT_MS, and those that failed HEALTH_RETRY_MS ago again; of those that had to make room in memory, one. A value
 * that is only not loaded yet, or has no room, is not among them.
 */
export async function unloadable(release: Release, call: Loading): Promise<Blob[]> {
  if (release.complete) return [];
  const loads = loadsOf(release);
  const { failedAt } = loads;
  const blobs = blobsOf(release.manifest);
  const now = Date.now();
  const again = readAgain(
    blobs.filter((blob) => release.verified(blob) && !release.has(blob) && !failedAt.has(blob.key)),
    loads,
    now,
  );
  const isGood = (blob: Blob): boolean =>
    release.has(blob) || (release.verified(blob) && blob !== again && !failedAt.has(blob.key));
  const due = blobs.filter(({ key }) => now - (failedAt.get(key) ?? 0) >= HEALTH_RETRY_MS);
  const trying = loadInTurn(release, due, isGood, call, { atOnce: READS_AT_ONCE, patient: false });
  await within(trying, LOAD_WAIT_MS).catch(() => undefined);
  return blobs.filter((blob) => failedAt.has(blob.key) && !release.has(blob));
}

/** The next of the values that had to make room, one every HEALTH_RETRY_MS. */
function readAgain(evicted: readonly Blob[], loads: Loads, now: number): Blob | undefined {
  if (now - loads.readAgainAt < HEALTH_RETRY_MS) return undefined;
  loads.readAgainAt = now;
  return evicted[loads.readAgainCount++ % evicted.length];
}

/** The values that a question is answered from, in all its readings. */
export function neededBy(question: Question, release: Release): Blob[] {
  const { ranges, sources } = release.manifest;
  const { from, to, ingress, otherReadings } = question;
  const needed: (Blob | null)[] = [ranges];
  const parties = [from, to, ...otherReadings.flatMap((other) => [other.from, other.to])];
  for (const party of parties) if (party?.kind === 'number') needed.push(release.blobFor(party.n));
  if (from?.kind === 'source' || ingress !== null) needed.push(sources);
  return [...new Set(needed)].filter((blob) => blob !== null);
}
