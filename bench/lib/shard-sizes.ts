/**
 * Effects of the shard size. The lists of the same two days are split into shards of other sizes, by the real encoder. Smaller
 * shards keep more bytes unchanged, but more values mean more writes, more reads and a longer manifest.
 */
import { encodeDense } from '../../shared/build/dense-section.ts';
import { encodeShard } from '../../shared/build/shard.ts';
import { lowerBound } from '../../shared/build/sorted.ts';
import { SHARD_BYTES_MAX, SHARDS_MAX } from '../../shared/limits/lists.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { shardKey } from '../../shared/release/kv-keys.ts';
import { fullCost, KV_READS, KV_WRITES } from './cloudflare-prices.ts';
import { PREFIX } from './random-lists.ts';
import { type Row, row, withCommas } from './table.ts';

/**
 * Maximum bytes of a shard. The last size holds about 80 numbers; it is the only one at which shards often
 * stay unchanged.
 */
const BYTES_MAX = [4_194_304, 1_048_576, SHARD_BYTES_MAX, 131_072, 32_768, 4_096, 128];
/** The builder's own fill target. It leaves room for random variation. */
const FILL_TARGET = 0.75;
/** Isolates that read every changed value of a release, once a day. */
const ISOLATES = 10_000;
const DAYS_PER_MONTH = 30;

/** @param before permuted suffixes of one day, ascending @param after those of the next day */
export function shardRows(before: Uint32Array, after: Uint32Array): Row[] {
  const whole = encodeSlice(after, 0, SUFFIX_COUNT).length;
  const perShard = JSON.stringify({
    ...{ key: shardKey('0'.repeat(64)), bytes: whole, checksum: '0'.repeat(16), sha256: '0'.repeat(64) },
    start: PREFIX * SUFFIX_COUNT,
  }).length;
  return BYTES_MAX.map((bytesMax) => {
    const shards = 2 ** Math.max(0, Math.ceil(Math.log2(whole / (bytesMax * FILL_TARGET))));
    let [bytes, changed, changedBytes] = [0, 0, 0];
    for (let index = 0; index < shards; index++) {
      const from = Math.ceil((index * SUFFIX_COUNT) / shards);
      const to = Math.ceil(((index + 1) * SUFFIX_COUNT) / shards);
      const shard = encodeSlice(after, from, to);
      bytes += shard.length;
      if (Buffer.compare(shard, encodeSlice(before, from, to)) === 0) continue;
      changed++;
      changedBytes += shard.length;
    }
    // Each push also writes and references its manifest.
    const writes = (changed + 1) * DAYS_PER_MONTH;
    const month = fullCost(KV_WRITES, writes) + fullCost(KV_READS, writes * ISOLATES);
    const percent = (part: number, all: number): string => `${((part / all) * 100).toFixed(1)} %`;
    const facts = [
      `${withCommas(shards)}${shards > SHARDS_MAX ? ` (over ${SHARDS_MAX})` : ''} of ${withCommas(Math.ceil(bytes / shards))} bytes`,
      `changed: ${percent(changed, shards)}, ${percent(changedBytes, bytes)} of bytes`,
      `manifest ${withCommas(Math.ceil((perShard * shards) / 1_000))} kB`,
    ];
    return row(`push, shards of ${formatSize(bytesMax)}`, month, '$/month', facts.join(', '));
  });
}

function formatSize(bytes: number): string {
  return bytes < 1_024 ? `${bytes} bytes` : `${withCommas(bytes / 1_024)} KiB`;
}

function encodeSlice(suffixes: Uint32Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  const slice = suffixes.subarray(lowerBound(suffixes, from), lowerBound(suffixes, to));
  const plain = [
    slice.length === 0
      ? null
      : encodeDense(
          slice.map((suffix) => suffix - from),
          to - from,
        ),
  ];
  const start = PREFIX * SUFFIX_COUNT;
  return encodeShard([{ start: start + from, plain, dated: [null] }], start + to, 1);
}
