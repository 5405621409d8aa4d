/**
 * Reads values from KV, and loads those of a release into it: each once, however many requests wait for it.
 */
import {
  KV_IMMUTABLE_TTL_SECONDS,
  KV_MUTABLE_TTL_SECONDS,
  LOAD_WAIT_MS,
  ROOM_RETRY_MS,
} from '../shared/limits.ts';
import type { Question } from '../shared/question.ts';
import type { Blob } from '../shared/release/manifest.ts';
import { blobsOf } from '../shared/release/manifest.ts';
import type { Release } from '../shared/release/release.ts';
import { warn } from './log.ts';
import { SingleFlight, Unavailable } from './single-flight.ts';

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
  kv: KVNamespace,
  ctx: ExecutionContext,
  use: () => Used,
): Promise<Used> {
  if (release.complete) return use();
  const deadline = Date.now() + LOAD_WAIT_MS;
  while (!release.pin(blobs)) {
    if (Date.now() >= deadline) return use();
    await new Promise((resolve) => setTimeout(resolve, ROOM_RETRY_MS));
  }
  try {
    await loads(release, blobs, (blob) => release.has(blob), kv, ctx);
    return use();
  } finally {
    release.unpin(blobs);
  }
}

/** Have as much of the release as there is room for. @returns whether all of that is there */
export async function ensureAll(release: Release, kv: KVNamespace, ctx: ExecutionContext): Promise<boolean> {
  if (release.complete) return true;
  const settled = await loads(release, release.loadable(), (blob) => release.has(blob), kv, ctx);
  return settled.every(({ status }) => status === 'fulfilled');
}

/** Have had every value of the release, though not all of them may have room at once. @returns whether all are good */
export async function verifyAll(release: Release, kv: KVNamespace, ctx: ExecutionContext): Promise<boolean> {
  await loads(release, blobsOf(release.manifest), (blob) => release.verified(blob), kv, ctx);
  return blobsOf(release.manifest).every((blob) => release.verified(blob));
}

/** The values that a question is answered from. */
export function neededBy({ from, to, ingress }: Question, release: Release): Blob[] {
  const { ranges, sources } = release.manifest;
  const needed: (Blob | null)[] = [ranges];
  for (const party of [from, to]) if (party?.kind === 'number') needed.push(release.blobFor(party.n));
  if (from?.kind === 'source' || ingress !== null) needed.push(sources);
  return [...new Set(needed)].filter((blob) => blob !== null);
}
