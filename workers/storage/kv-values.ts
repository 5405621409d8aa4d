/**
 * Reads immutable values from Workers KV. Anyone with write access to KV can store 25 MiB under any key, so a
 * value of a release is read at most one byte beyond the size in its manifest.
 */
import { KV_IMMUTABLE_TTL_SECONDS, KV_MUTABLE_TTL_SECONDS } from '../../shared/limits.ts';
import type { Blob } from '../../shared/release/manifest.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A value that is named by its digest; null while it is absent. */
export function readValue(key: string, kv: KVNamespace): Promise<Bytes | null> {
  return pastMiss(async (cacheTtl) => {
    const bytes = await kv.get(key, { type: 'arrayBuffer', cacheTtl });
    return bytes === null ? null : new Uint8Array(bytes);
  });
}

/** A value of a release, as `readFreshBlob`, but from caches up to a day old. */
export function readBlob(blob: Blob, kv: KVNamespace): Promise<Bytes | null> {
  return pastMiss((cacheTtl) => readBounded(blob, kv, cacheTtl));
}

/**
 * A value of a release, without long-lived caches, to verify that it is there.
 * @returns at most one byte more than the size in the manifest; null while it is absent
 */
export function readFreshBlob(blob: Blob, kv: KVNamespace): Promise<Bytes | null> {
  return readBounded(blob, kv, KV_MUTABLE_TTL_SECONDS);
}

/**
 * KV caches a miss as long as a hit. Retry with a short TTL, so an early miss does not hide the value for a
 * day.
 */
async function pastMiss(read: (cacheTtl: number) => Promise<Bytes | null>): Promise<Bytes | null> {
  return (await read(KV_IMMUTABLE_TTL_SECONDS)) ?? (await read(KV_MUTABLE_TTL_SECONDS));
}

async function readBounded({ key, bytes }: Blob, kv: KVNamespace, cacheTtl: number): Promise<Bytes | null> {
  const stream = await kv.get(key, { type: 'stream', cacheTtl });
  if (stream === null) return null;
  const reader = stream.getReader({ mode: 'byob' });
  const { value } = await reader.readAtLeast(bytes + 1, new Uint8Array(bytes + 1));
  const read = value ?? new Uint8Array(0);
  if (read.length > bytes) await reader.cancel();
  return read as Bytes;
}
