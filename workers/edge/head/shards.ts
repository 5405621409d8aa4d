/**
 * Loads the values of a release from KV. Each value is loaded once, however many requests wait for it. Tracks
 * which values cannot be loaded.
 */
import { registrantOf } from '../../../shared/clients.ts';
import {
  HEALTH_RETRY_MS,
  LOAD_WAIT_MS,
  READS_AT_ONCE,
  ROOM_RETRY_MS,
  WARM_READS_AT_ONCE,
} from '../../../shared/limits/edge.ts';
import type { LiveLayer } from '../../../shared/live/live-layer.ts';
import type { Blob } from '../../../shared/release/manifest.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import type { Release } from '../../../shared/release/release.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { needsRegistrations } from '../../../shared/screening/registration.ts';
import type { ClientSettings } from '../../../shared/screening/snapshot.ts';
import type { Env } from '../../env.ts';
import { warn } from '../../log.ts';
import { readImmutable } from '../../storage/kv-values.ts';
import { SingleFlight, Unavailable, within } from '../../storage/single-flight.ts';

/** The request that starts a load: its bindings, and the context that keeps the load alive. */
export interface ShardLoadContext {
  readonly env: Pick<Env, 'LISTS'>;
  readonly ctx: ExecutionContext;
}

/** The loads of one release in memory. Times are in ms since 1970. */
class Loads {
  readonly #flights = new Map<string, SingleFlight>();
  /** When each unavailable value last failed to load, by KV key. Removed once the value loads. */
  readonly failedAt = new Map<string, number>();
  /** When the background load last started a value; 0 if none is running. */
  warmedAt = 0;
  /** When an evicted value was last read again, and how many such reads there were. */
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

/**
 * Loads one value, together with other requests that need it. A failure is logged once, until the value loads.
 * @param loaded whether the value has loaded
 * @throws Unavailable
 */
async function load(
  release: Release,
  blob: Blob,
  loaded: (blob: Blob) => boolean,
  { env, ctx }: ShardLoadContext,
): Promise<void> {
  const { key } = blob;
  const loads = loadsOf(release);
  const name = release.manifest.release;
  const read = async (): Promise<void> => {
    const bytes = await readImmutable(key, blob.bytes, env.LISTS);
    // Absent means "not yet", never "empty": KV is eventually consistent.
    if (bytes === null) throw new Unavailable(`${key} is not in KV`);
    const installed = await release.install(blob, bytes);
    if (!installed.ok) {
      warn('blobRefused', { release: name, message: installed.message });
      throw new Unavailable(installed.message);
    }
    loads.failedAt.delete(key);
  };
  try {
    await loads.flight(key).wait(read, () => loaded(blob), ctx);
  } catch (error) {
    const message = error instanceof Unavailable ? error.message : 'the load failed';
    const isKnown = loads.failedAt.has(key);
    loads.failedAt.set(key, Date.now());
    if (!isKnown) warn('valueUnavailable', { release: name, key, message });
    throw error;
  }
}

/**
 * Loads these values, or as many as load in time, and calls `use` in the same turn: after another `await`,
 * they may have been evicted.
 */
export async function withValues<Used>(
  release: Release,
  blobs: readonly Blob[],
  context: ShardLoadContext,
  use: () => Used,
): Promise<Used> {
  if (release.complete) return use();
  const deadline = Date.now() + LOAD_WAIT_MS;
  while (!release.pin(blobs)) {
    if (Date.now() >= deadline) return use();
    await new Promise((resolve) => setTimeout(resolve, ROOM_RETRY_MS));
  }
  const has = (blob: Blob): boolean => release.has(blob);
  const loads = blobs.filter((blob) => !has(blob)).map((blob) => load(release, blob, has, context));
  const used = Promise.allSettled(loads)
    .then(use)
    .finally(() => release.unpin(blobs));
  // If the client disconnects, the request stops running. Without `waitUntil`, its pins would stay forever.
  context.ctx.waitUntil(used.catch(() => undefined));
  return used;
}

/**
 * Loads many values, a few at a time. The rest are not started yet, so a request that needs one of them does
 * not have to queue.
 * @param mayStart called before each load; once it returns false, no more start
 * @returns the values that could not be loaded
 */
async function loadInTurn(
  release: Release,
  blobs: readonly Blob[],
  loaded: (blob: Blob) => boolean,
  context: ShardLoadContext,
  atOnce: number,
  mayStart = (): boolean => true,
): Promise<Blob[]> {
  const queue = blobs.filter((blob) => !loaded(blob));
  const failed: Blob[] = [];
  const lane = async (): Promise<void> => {
    while (mayStart()) {
      const blob = queue.shift();
      if (blob === undefined) return;
      if (!loaded(blob)) await load(release, blob, loaded, context).catch(() => failed.push(blob));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return failed;
}

/** For loads that a request waits for: none starts after LOAD_WAIT_MS. */
function untilDeadline(): () => boolean {
  const deadline = Date.now() + LOAD_WAIT_MS;
  return () => Date.now() < deadline;
}

/**
 * Loads as much of the release as memory and time allow.
 * @returns the values that could not be loaded
 */
export function loadAll(release: Release, context: ShardLoadContext): Promise<Blob[]> {
  const has = (blob: Blob): boolean => release.has(blob);
  return loadInTurn(release, release.loadable(), has, context, READS_AT_ONCE, untilDeadline());
}

/** Loads as much of the release as memory allows, in the background. Only one request at a time does this. */
export function loadInBackground(release: Release, context: ShardLoadContext): void {
  const loads = loadsOf(release);
  if (release.complete || Date.now() - loads.warmedAt < LOAD_WAIT_MS) return;
  const has = (blob: Blob): boolean => release.has(blob);
  const mayStart = (): boolean => {
    loads.warmedAt = Date.now();
    return true;
  };
  const warming = loadInTurn(release, release.loadable(), has, context, WARM_READS_AT_ONCE, mayStart);
  context.ctx.waitUntil(
    warming.finally(() => {
      loads.warmedAt = 0;
    }),
  );
}

/**
 * Loads every value of the release once, although memory may not hold all of them together.
 * @returns whether all values are good
 */
export async function verifyAllValues(release: Release, context: ShardLoadContext): Promise<boolean> {
  const blobs = blobsOf(release.manifest);
  const verified = (blob: Blob): boolean => release.verified(blob);
  await loadInTurn(release, blobs, verified, context, WARM_READS_AT_ONCE);
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
  const trying = loadInTurn(release, due, isGood, context, READS_AT_ONCE, untilDeadline());
  await within(trying, LOAD_WAIT_MS).catch(() => undefined);
  return blobs.filter((blob) => failedAt.has(blob.key) && !release.has(blob));
}

/** The next evicted value to read again, one per HEALTH_RETRY_MS. */
function readAgain(evicted: readonly Blob[], loads: Loads, now: number): Blob | undefined {
  if (now - loads.readAgainAt < HEALTH_RETRY_MS) return undefined;
  loads.readAgainAt = now;
  return evicted[loads.readAgainCount++ % evicted.length];
}

/** The values that a request of a client needs, in all its readings. */
export function valuesNeededBy(
  request: ScreenRequest,
  release: Release,
  live: LiveLayer,
  settings: ClientSettings,
): Blob[] {
  const { ranges, sources } = release.manifest;
  const { from, to, ingress, otherReadings } = request;
  const needed: (Blob | null)[] = [ranges];
  const parties = [from, to, ...otherReadings.flatMap((other) => [other.from, other.to])];
  for (const party of parties) if (party?.kind === 'number') needed.push(release.blobFor(party.n));
  const { registrations } = release;
  if (registrations !== null && needsRegistrations(request, release, live, settings)) {
    const senders = [from, ...otherReadings.map((other) => other.from)];
    for (const party of senders)
      if (party?.kind === 'number') needed.push(...registrations.valuesFor(party.n, registrantOf(settings)));
  }
  if (from?.kind === 'source' || ingress !== null) needed.push(sources);
  return [...new Set(needed)].filter((blob) => blob !== null);
}
