/**
 * Reads values from Workers KV. Anyone with write access to KV can store 25 MiB under any key, so every read has a limit.
 * A read ends one byte beyond its limit, and the value then fails its check.
 */
import { KV_IMMUTABLE_TTL_SECONDS, KV_MUTABLE_TTL_SECONDS } from '../../shared/limits/edge.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * A value that never changes, from caches up to a day old. KV caches a miss as long as a hit, so a miss is
 * retried with a short TTL: an early miss does not hide the value for a day.
 * @returns at most one byte more than `bytesMax`; null while the value is absent
 */
export async function readImmutable(key: string, bytesMax: number, kv: KVNamespace): Promise<Bytes | null> {
  return (await read(key, bytesMax, kv, KV_IMMUTABLE_TTL_SECONDS)) ?? readFresh(key, bytesMax, kv);
}

/** Like `readImmutable`, for a value that may change or whose presence matters: without long-lived caches. */
export function readFresh(key: string, bytesMax: number, kv: KVNamespace): Promise<Bytes | null> {
  return read(key, bytesMax, kv, KV_MUTABLE_TTL_SECONDS);
}

/** Bytes per read. Small values need no large buffer, and large values need few reads. */
const PIECE_BYTES = 131_072;

async function read(key: string, bytesMax: number, kv: KVNamespace, cacheTtl: number): Promise<Bytes | null> {
  const stream = await kv.get(key, { type: 'stream', cacheTtl });
  if (stream === null) return null;
  const reader = stream.getReader({ mode: 'byob' });
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let isEnd = false; !isEnd && size <= bytesMax; ) {
    const most = Math.min(PIECE_BYTES, bytesMax + 1 - size);
    const { value: piece = new Uint8Array(0) } = await reader.readAtLeast(most, new Uint8Array(most));
    pieces.push(piece);
    size += piece.length;
    isEnd = piece.length < most;
  }
  if (size > bytesMax) await reader.cancel();
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
