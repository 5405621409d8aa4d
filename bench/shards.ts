/**
 * Effects of the shard size: the same two days split into shards of other sizes, by the real encoder. Smaller
 * shards keep more bytes unchanged, but more values cost writes, reads and a longer manifest.
 */

import { encodeDense } from '../shared/build/dense-section.ts';
import { ALWAYS, type ListContent, ListEntries } from '../shared/build/list-entries.ts';
import { encodeShard } from '../shared/build/shard.ts';
import { lowerBound } from '../shared/build/sorted.ts';
import { SHARD_BYTES_MAX, SHARDS_MAX } from '../shared/limits.ts';
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import { shardKey } from '../shared/release/kv-keys.ts';
import type { ListKeys } from '../shared/set/keys.ts';
import { valuesCost } from './prices.ts';
import { type Row, row } from './row.ts';
import { benchKeys, HEAD, hasTail } from './sets.ts';

/**
 * Maximum bytes of a shard. The last size holds about 80 numbers. Only at that size do shards often stay
 * unchanged.
 */
const BYTES_MAX = [4_194_304, 1_048_576, SHARD_BYTES_MAX, 131_072, 32_768, 4_096, 128];
/** The builder's own fill target, which leaves room for random variation. */
const AIM = 0.75;
/** Isolates that read every changed value of a release, once a day. */
const ISOLATES = 10_000;
const DAYS_A_MONTH = 30;

/** The numbers of two days, as bitmaps of the suffixes of 010. */
export interface Days {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly count: number;
}

export async function shardRows(days: Days): Promise<Row[]> {
  const keys = await benchKeys();
  const before = tailsOf(days.before, keys);
  const after = tailsOf(days.after, keys);
  const whole = encodeSlice(after, 0, SUFFIX_COUNT).length;
  const perShard = JSON.stringify({
    ...{ key: shardKey('0'.repeat(64)), bytes: whole, checksum: '0'.repeat(16), sha256: '0'.repeat(64) },
    start: HEAD * SUFFIX_COUNT,
  }).length;
  return BYTES_MAX.map((bytesMax) => {
    const parts = 2 ** Math.max(0, Math.ceil(Math.log2(whole / (bytesMax * AIM))));
    let [bytes, changed, changedBytes] = [0, 0, 0];
    for (let part = 0; part < parts; part++) {
      const from = Math.ceil((part * SUFFIX_COUNT) / parts);
      const to = Math.ceil(((part + 1) * SUFFIX_COUNT) / parts);
      const shard = encodeSlice(after, from, to);
      bytes += shard.length;
      if (Buffer.compare(shard, encodeSlice(before, from, to)) === 0) continue;
      changed++;
      changedBytes += shard.length;
    }
    // Each push also writes and references its manifest.
    const month = valuesCost((changed + 1) * DAYS_A_MONTH, (changed + 1) * DAYS_A_MONTH * ISOLATES);
    const percent = (part: number, all: number): string => `${((part / all) * 100).toFixed(1)} %`;
    const facts = [
      `${parts.toLocaleString('en')}${parts > SHARDS_MAX ? ` (over ${SHARDS_MAX})` : ''} of ${Math.ceil(bytes / parts).toLocaleString('en')} bytes`,
      `up go ${percent(changed, parts)} of them, ${percent(changedBytes, bytes)} of bytes`,
      `manifest ${Math.ceil((perShard * parts) / 1_000).toLocaleString('en')} kB`,
    ];
    return row(`push, shards of ${sizeText(bytesMax)}`, month, '$/month', facts.join(', '), null, null);
  });
}

function sizeText(bytes: number): string {
  return bytes < 1_024 ? `${bytes} bytes` : `${(bytes / 1_024).toLocaleString('en')} KiB`;
}

/** Sorted permuted suffixes. */
function tailsOf(set: Uint8Array, keys: ListKeys): Uint32Array {
  const entries = new ListEntries(keys.permutation);
  for (let tail = 0; tail < SUFFIX_COUNT; tail++)
    if (hasTail(set, tail)) entries.addNumber(HEAD * SUFFIX_COUNT + tail, ALWAYS);
  const content: ListContent = entries.finish();
  return content.plain.get(HEAD)!;
}

function encodeSlice(tails: Uint32Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  const inside = tails.subarray(lowerBound(tails, from), lowerBound(tails, to)).map((tail) => tail - from);
  const plain = [inside.length === 0 ? null : encodeDense(inside, to - from)];
  return encodeShard(
    [{ start: HEAD * SUFFIX_COUNT + from, plain, dated: [null] }],
    HEAD * SUFFIX_COUNT + to,
    1,
  );
}
