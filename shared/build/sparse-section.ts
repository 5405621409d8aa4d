/**
 * Builds the sections for sparsely listed prefixes, which SparseSet reads.
 */
import {
  SECTION_SPARSE,
  SPARSE_BLOCK_ENTRIES,
  SPARSE_HEADER_WORDS,
  SPARSE_PARAMETER_BITS,
  SPARSE_ROW_WORDS,
  SUFFIX_BITS,
} from '../set/layout.ts';
import { BitWriter } from './bit-writer.ts';

/** Sorted distinct keys: by prefix, then by permuted suffix. */
export interface Keys {
  readonly prefixes: Uint32Array;
  readonly suffixes: Uint32Array;
}

/** The parameter with the shortest Rice code for these values. */
function bestParameter(values: readonly number[]): number {
  let best = { parameter: 0, bits: Number.POSITIVE_INFINITY };
  for (let parameter = 0; parameter <= 27; parameter++) {
    let bits = values.length * (parameter + 1);
    for (const value of values) bits += Math.floor(value / 2 ** parameter);
    if (bits < best.bits) best = { parameter, bits };
  }
  return best.parameter;
}

export function encodeSparse({ prefixes, suffixes }: Keys): Uint32Array {
  const count = prefixes.length;
  const prefixGaps: number[] = [];
  for (let index = 1; index < count; index++) {
    const startsBlock = index % SPARSE_BLOCK_ENTRIES === 0;
    if (!startsBlock && prefixes[index] !== prefixes[index - 1])
      prefixGaps.push(prefixes[index]! - prefixes[index - 1]! - 1);
  }
  const prefixParameter = bestParameter(prefixGaps);
  const blocks = Math.ceil(count / SPARSE_BLOCK_ENTRIES);
  const rows = new Uint32Array(blocks * SPARSE_ROW_WORDS);
  const writer = new BitWriter();
  for (let block = 0; block < blocks; block++) {
    const from = block * SPARSE_BLOCK_ENTRIES;
    const to = Math.min(count, from + SPARSE_BLOCK_ENTRIES);
    rows.set([prefixes[from]!, suffixes[from]!, writer.length], block * SPARSE_ROW_WORDS);
    const gaps: number[] = [];
    for (let index = from + 1; index < to; index++) {
      if (prefixes[index] === prefixes[index - 1]) gaps.push(suffixes[index]! - suffixes[index - 1]! - 1);
    }
    const parameter = bestParameter(gaps);
    writer.write(parameter, SPARSE_PARAMETER_BITS);
    for (let index = from + 1; index < to; index++) {
      if (prefixes[index] === prefixes[index - 1]) {
        writer.write(1, 1);
        writer.writeRice(suffixes[index]! - suffixes[index - 1]! - 1, parameter);
      } else {
        writer.write(0, 1);
        writer.writeRice(prefixes[index]! - prefixes[index - 1]! - 1, prefixParameter);
        writer.write(suffixes[index]!, SUFFIX_BITS);
      }
    }
  }
  const bits = writer.words();
  const words = new Uint32Array(SPARSE_HEADER_WORDS + rows.length + bits.length);
  words.set([SECTION_SPARSE | (prefixParameter << 16), count, blocks]);
  words.set(rows, SPARSE_HEADER_WORDS);
  words.set(bits, SPARSE_HEADER_WORDS + rows.length);
  return words;
}
