/**
 * Builds the sections for sparsely listed prefixes, which SparseSet reads.
 */
import { prefixOf, suffixOf } from '../numbers/number.ts';
import {
  SECTION_SPARSE,
  SPARSE_BLOCK_ENTRIES,
  SPARSE_HEADER_WORDS,
  SPARSE_PARAMETER_BITS,
  SPARSE_ROW_WORDS,
  SUFFIX_BITS,
} from '../set/layout.ts';
import { BitWriter } from './bit-writer.ts';

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

/** @param keys prefix * 10^8 + permuted suffix, sorted and distinct */
export function encodeSparse(keys: Float64Array): Uint32Array {
  /** Counts the prefixes and suffixes between a key and the key before. The suffix gap is valid only within a prefix. */
  const gapsAt = (index: number): { prefixGap: number; suffixGap: number } => {
    const [key, before] = [keys[index]!, keys[index - 1]!];
    return { prefixGap: prefixOf(key) - prefixOf(before) - 1, suffixGap: key - before - 1 };
  };
  const prefixGaps: number[] = [];
  for (let index = 1; index < keys.length; index++) {
    const { prefixGap } = gapsAt(index);
    if (index % SPARSE_BLOCK_ENTRIES !== 0 && prefixGap >= 0) prefixGaps.push(prefixGap);
  }
  const prefixParameter = bestParameter(prefixGaps);
  const blocks = Math.ceil(keys.length / SPARSE_BLOCK_ENTRIES);
  const rows = new Uint32Array(blocks * SPARSE_ROW_WORDS);
  const writer = new BitWriter();
  for (let block = 0; block < blocks; block++) {
    const from = block * SPARSE_BLOCK_ENTRIES;
    rows.set([prefixOf(keys[from]!), suffixOf(keys[from]!), writer.length], block * SPARSE_ROW_WORDS);
    const rest = Array.from(keys.subarray(from + 1, from + SPARSE_BLOCK_ENTRIES), (key, index) => {
      return { suffix: suffixOf(key), ...gapsAt(from + 1 + index) };
    });
    const suffixGaps = rest.flatMap(({ prefixGap, suffixGap }) => (prefixGap < 0 ? [suffixGap] : []));
    const parameter = bestParameter(suffixGaps);
    writer.write(parameter, SPARSE_PARAMETER_BITS);
    for (const { suffix, prefixGap, suffixGap } of rest) {
      writer.write(prefixGap < 0 ? 1 : 0, 1);
      if (prefixGap < 0) {
        writer.writeRice(suffixGap, parameter);
      } else {
        writer.writeRice(prefixGap, prefixParameter);
        writer.write(suffix, SUFFIX_BITS);
      }
    }
  }
  const bits = writer.words();
  const words = new Uint32Array(SPARSE_HEADER_WORDS + rows.length + bits.length);
  words.set([SECTION_SPARSE | (prefixParameter << 16), keys.length, blocks]);
  words.set(rows, SPARSE_HEADER_WORDS);
  words.set(bits, SPARSE_HEADER_WORDS + rows.length);
  return words;
}
