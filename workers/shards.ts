/**
 * Reads values from KV, and loads those of a release into it: each once, however many requests wait for it.
 */
import { KV_IMMUTABLE_TTL_SECONDS, KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
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

/**
 * Have these values in the release, or as many as there are in time.
 * @returns whether all are there
 */
export async function ensure(
  release: Release,
  blobs: readonly Blob[],
  kv: KVNamespace,
  ctx: ExecutionContext,
): Promise<boolean> {
  if (release.complete) return true;
  const missing = blobs.filter((blob) => !release.has(blob));
  const loads = missing.map((blob) =>
    flightOf(release, blob.key).wait(
      () => load(release, blob, kv),
      () => release.has(blob),
      ctx,
    ),
  );
  const settled = await Promise.allSettled(loads);
  return settled.every(({ status }) => status === 'fulfilled');
}

/** Have the whole release. */
export function ensureAll(release: Release, kv: KVNamespace, ctx: ExecutionContext): Promise<boolean> {
  return ensure(release, blobsOf(release.manifest), kv, ctx);
}
