/**
 * Loads the values of a release from KV. Each value is loaded once, however many requests wait for it. Tracks
 * which values cannot be loaded.
 */
import {
  HEALTH_RETRY_MS,
  LOAD_WAIT_MS,
  READS_AT_ONCE,
  ROOM_RETRY_MS,
  WARM_READS_AT_ONCE,
} from '../../../shared/limits.ts';
import type { Blob } from '../../../shared/release/manifest.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import type { Release } from '../../../shared/release/release.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import type { Env } from '../../env.ts';
import { warn } from '../../log.ts';
import { readBlob } from '../../storage/kv-values.ts';
import { SingleFlight, Unavailable, within } from '../../storage/single-flight.ts';

/** The request that starts a load: its bindings, and the context that keeps the load alive. */
export interface ShardLoadContext {
  readonly env: Pick<Env, 'LISTS'>;
  readonly ctx: ExecutionContext;
}

/** The loads of one release in memory, by KV key. */
class Loads {
  readonly #flights = new Map<string, SingleFlight>();
  /** When each unavailable value last failed to load, in ms since 1970. Removed once the value loads. */
  readonly failedAt = new Map<string, number>();
  /** When an evicted value was last read again, in ms since 1970, and how many such reads there were. */
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
  // Absent means "not yet", never "empty": KV is eventually consistent.
  if (bytes === null) throw new Unavailable(`${blob.key} is not in KV`);
  const installed = await release.install(blob, bytes);
  if (!installed.ok) {
    warn('blobRefused', { release: release.manifest.release, message: installed.message });
    throw new Unavailable(installed.message);
  }
  loadsOf(release).failedAt.delete(blob.key);
}

/** Records that a value failed to load or timed out. Logged once per value until it loads. */
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
 * Loads these values, or as many as load in time, and calls `use` in the same turn: after another `await`,
 * they may have been evicted.
 */
export async function withValues<Used>(
  release: Release,
  blobs: readonly Blob[],
  { env, ctx }: ShardLoadContext,
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
  // If the client disconnects, the request stops running. Without `waitUntil`, its pins would stay forever.
  ctx.waitUntil(used.catch(() => undefined));
  return used;
}

/**
 * Loads many values, a few at a time. The rest are not started yet, so a request that needs one of them does
 * not have to queue. Unless `patient`, no load starts after LOAD_WAIT_MS.
 * @returns the values that could not be loaded
 */
async function loadInTurn(
  release: Release,
  blobs: readonly Blob[],
  loaded: (blob: Blob) => boolean,
  { env, ctx }: ShardLoadContext,
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

/**
 * Loads as much of the release as memory and time allow.
 * @returns the values that could not be loaded
 */
export function loadAll(release: Release, context: ShardLoadContext): Promise<Blob[]> {
  const has = (blob: Blob): boolean => release.has(blob);
  return loadInTurn(release, release.loadable(), has, context, { atOnce: READS_AT_ONCE, patient: false });
}

/** When the background load of a release last started a value. */
const warmedAt = new WeakMap<Release, number>();

/** Loads as much of the release as memory allows, in the background. Only one request at a time does this. */
export function loadInBackground(release: Release, context: ShardLoadContext): void {
  if (release.complete || Date.now() - (warmedAt.get(release) ?? 0) < LOAD_WAIT_MS) return;
  const has = (blob: Blob): boolean => release.has(blob);
  const onTurn = (): void => void warmedAt.set(release, Date.now());
  onTurn();
  const warming = loadInTurn(release, release.loadable(), has, context, {
    ...{ atOnce: WARM_READS_AT_ONCE, patient: true, onTurn },
  });
  context.ctx.waitUntil(warming.finally(() => warmedAt.delete(release)));
}

/**
 * Loads every value of the release once, although memory may not hold all of them together.
 * @returns whether all values are good
 */
export async function verifyAllValues(release: Release, context: ShardLoadContext): Promise<boolean> {
  const blobs = blobsOf(release.manifest);
  const verified = (blob: Blob): boolean => release.verified(blob);
  await loadInTurn(release, blobs, verified, context, { atOnce: WARM_READS_AT_ONCE, patient: true });
  return blobs.every(verified);
}

/**
 * The values of a release that cannot be loaded. Before it reports, it tries values that were never verified
 * and those that failed at least HEALTH_RETRY_MS ago, within LOAD_WAIT_MS, and one evicted value. Values that
 * are merely not loaded yet, or that memory has no room for, are not reported.
 */
export async function unloadable(release: Release, context: ShardLoadContext): Promise<Blob[]> {
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
  const trying = loadInTurn(release, due, isGood, context, { atOnce: READS_AT_ONCE, patient: false });
  await within(trying, LOAD_WAIT_MS).catch(() => undefined);
  return blobs.filter((blob) => failedAt.has(blob.key) && !release.has(blob));
}

/** The next evicted value to read again, one per HEALTH_RETRY_MS. */
function readAgain(evicted: readonly Blob[], loads: Loads, now: number): Blob | undefined {
  if (now - loads.readAgainAt < HEALTH_RETRY_MS) return undefined;
  loads.readAgainAt = now;
  return evicted[loads.readAgainCount++ % evicted.length];
}

/** The values that a request needs, in all its readings. */
export function valuesNeededBy(request: ScreenRequest, release: Release): Blob[] {
  const { ranges, sources } = release.manifest;
  const { from, to, ingress, otherReadings } = request;
  const needed: (Blob | null)[] = [ranges];
  const parties = [from, to, ...otherReadings.flatMap((other) => [other.from, other.to])];
  for (const party of parties) if (party?.kind === 'number') needed.push(release.blobFor(party.n));
  if (from?.kind === 'source' || ingress !== null) needed.push(sources);
  return [...new Set(needed)].filter((blob) => blob !== null);
}
