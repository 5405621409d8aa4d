/**
 * Reads values from KV, and loads those of a release into it: each once, however many requests wait for it.
 */
import {
  KV_IMMUTABLE_TTL_SECONDS,
  KV_MUTABLE_TTL_SECONDS,
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
import { warn } from './log.ts';
import { SingleFlight, Unavailable } from './single-flight.ts';

/** The request that loads: where from, and what keeps its work alive. */
export interface Loading {
  readonly env: Pick<Env, 'LISTS'>;
  readonly ctx: ExecutionContext;
}

/** Loads under way, by KV key, for each release in memory. */
const flights = new WeakMap<Release, Map<string, SingleFlight>>();

function flightOf(release: Release, key: string): SingleFlight {
  const ofRelease = flights.get(release) ?? new Map<string, SingleFlight>();
  flights.set(release, ofRelease);
  const flight = ofRelease.get(key) ?? new SingleFlight();
  ofRelease.set(key, flight);
  return flight;
}

/** A value that never changes once it is written; null while it is not there. */
export async function readValue(key: string, kv: KVNamespace): Promise<Uint8Array<ArrayBuffer> | null> {
  const read = (cacheTtl: number): Promise<ArrayBuffer | null> =>
    kv.get(key, { type: 'arrayBuffer', cacheTtl });
  // A miss is cached as long as a hit would be: one that was seen too early must not hide the value for a day.
  const bytes = (await read(KV_IMMUTABLE_TTL_SECONDS)) ?? (await read(KV_MUTABLE_TTL_SECONDS));
  return bytes === null ? null : new Uint8Array(bytes);
}

async function load(release: Release, blob: Blob, kv: KVNamespace): Promise<void> {
  const bytes = await readValue(blob.key, kv);
  // Absent is "not yet" (KV is eventually consistent), never "empty".
  if (bytes === null) throw new Unavailable(`${blob.key} is not in KV`);
  const installed = await release.install(blob, bytes);
  if (!installed.ok) {
    warn('blobRefused', { release: release.manifest.release, message: installed.message });
    throw new Unavailable(installed.message);
  }
}

function loads(
  release: Release,
  blobs: readonly Blob[],
  loaded: (blob: Blob) => boolean,
  kv: KVNamespace,
  ctx: ExecutionContext,
): Promise<PromiseSettledResult<void>[]> {
  const missing = blobs.filter((blob) => !loaded(blob));
  return Promise.allSettled(
    missing.map((blob) =>
      flightOf(release, blob.key).wait(
        () => load(release, blob, kv),
        () => loaded(blob),
        ctx,
      ),
    ),
  );
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
  const used = loads(release, blobs, (blob) => release.has(blob), env.LISTS, ctx)
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
      const [settled] = await loads(release, [blob], loaded, env.LISTS, ctx);
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
