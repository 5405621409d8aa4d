/** A single section as the only part of an opened shard. Tests of one encoding reach its reader through this shard. */
import { Shard } from '../../../shared/set/shard.ts';
import { fromHex, hexOf } from './bytes.ts';
import { naiveShard } from './naive-tables.ts';

const FOREVER = 0xffffffff;

/** Words of a section as bytes. */
export function bytesOf(words: Uint32Array): number[] {
  return [...new Uint8Array(words.buffer, words.byteOffset, words.byteLength)];
}

/** A shard of one list with only this plain section. @param end first key after the section */
export function shardWith(
  section: readonly number[],
  start: readonly [number, number],
  end: readonly [number, number],
): Uint8Array<ArrayBuffer> {
  return fromHex(hexOf(naiveShard([{ start, plain: [section], dated: [null] }], end, 1)));
}

/** Whether the only list of a shard holds a key without an end. */
export function isListed(shard: Shard, prefix: number, suffix: number): boolean {
  return shard.partOf(prefix, suffix).until(0, prefix, suffix, 0) === FOREVER;
}

/** The reader of a dense section of `size` suffixes of prefix 8210, beginning at suffix `from`. */
export function openDense(
  section: readonly number[],
  from: number,
  size: number,
): (suffix: number) => boolean {
  const end = from + size;
  const behind: [number, number] = end === 100_000_000 ? [8211, 0] : [8210, end];
  const shard = new Shard(shardWith(section, [8210, from], behind));
  return (suffix) => isListed(shard, 8210, from + suffix);
}
