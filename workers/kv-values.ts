/**
 * Reads values that never change once they are written from Workers KV. Whoever can write KV can put 25 MiB
 * under any key, so a value of a release is read no further than one byte beyond the size in its manifest.
 */
import { KV_IMMUTABLE_TTL_SECONDS, KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import type { Blob } from '../shared/release/manifest.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A value that something else names by its digest; null while it is not there. */
export function readValue(key: string, kv: KVNamespace): Promise<Bytes | null> {
  return pastMiss(async (cacheTtl) => {
    const bytes = await kv.get(key, { type: 'arrayBuffer', cacheTtl });
    return bytes === null ? null : new Uint8Array(bytes);
  });
}

/** A value of a release, as `readFreshBlob`, from a cache of up to a day. */
export function readBlob(blob: Blob, kv: KVNamespace): Promise<Bytes | null> {
  return pastMiss((cacheTtl) => readBounded(blob, kv, cacheTtl));
}

/**
 * A value of a release, from no cache of long ago: whether it is there is the question.
 * @returns at most one byte more than the manifest says, and nothing is read beyond it; null while it is not there
 */
export function readFreshBlob(blob: Blob, kv: KVNamespace): Promise<Bytes | null> {
  return readBounded(blob, kv, KV_MUTABLE_TTL_SECONDS);
}

/** A miss is cached as long as a hit would be: one that was seen too early must not hide the value for a day. */
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
