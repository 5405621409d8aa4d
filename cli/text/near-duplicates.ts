/**
 * Groups texts that are nearly the same. Two texts share a group if they have half of their 6-grams of letters in common
 * (Jaccard), as the fingerprint of a campaign requires, or if a chain of such texts connects them. A group is never split: a
 * model looks better than it is if it is tested on a variant of a text that it was trained on.
 *
 * Candidates share one of their smallest hashes (MinHash, bottom-k: Broder 1997), and are then compared exactly. Unlike the
 * fingerprint, this also covers short texts.
 */
import { mixed } from './random.ts';
import type { Rows } from './rows.ts';

const GRAM = 6;
/** Number of smallest hashes that find candidates. Two just similar enough texts share none of them once in 1,000 times. */
const KEYS = 12;
/** Number of smallest hashes in a sketch, which stands for a text that is not kept. Sketches of short texts are complete. */
const SKETCH = 64;
/** Maximum number of texts with the same hash to compare a text with. A greeting that thousands share costs no more. */
const COMPARED_MAX = 64;
/** More than the count of texts, so that a hash and a text fit into one number below 2^53. */
const INDEX_SPAN = 2 ** 20;

/** The hashes of all 6-grams, each once, ascending. A shorter text is one gram. */
export function gramsOf(letters: Uint16Array): Uint32Array {
  const grams = new Uint32Array(Math.max(1, letters.length - GRAM + 1));
  for (let at = 0; at < grams.length; at++) {
    let hash = 0x811c9dc5;
    const end = Math.min(at + GRAM, letters.length);
    for (let next = at; next < end; next++) hash = Math.imul(hash ^ letters[next]!, 0x01000193);
    grams[at] = mixed(hash, end - at);
  }
  grams.sort();
  let count = 0;
  for (const gram of grams) if (count === 0 || gram !== grams[count - 1]) grams[count++] = gram;
  return grams.subarray(0, count);
}

/** Whether two texts have half of their grams in common. @param a ascending @param b ascending */
export function areSimilar(a: Uint32Array, b: Uint32Array): boolean {
  const needed = Math.ceil((a.length + b.length) / 3);
  // How many grams of each text may be missing in the other.
  let spareA = a.length - needed;
  let spareB = b.length - needed;
  let [atA, atB, common] = [0, 0, 0];
  while (spareA >= 0 && spareB >= 0 && atA < a.length && atB < b.length) {
    const [left, right] = [a[atA]!, b[atB]!];
    if (left === right) common++;
    else if (left < right) spareA--;
    else spareB--;
    if (left <= right) atA++;
    if (right <= left) atB++;
  }
  return common >= needed;
}

/** The smallest hashes of a text. @param grams ascending */
export function sketchOf(grams: Uint32Array): Uint32Array {
  return grams.subarray(0, SKETCH);
}

/** Whether two sketches show that half of the grams are in common: exact for texts of at most SKETCH grams. */
export function sketchesAreSimilar(a: Uint32Array, b: Uint32Array): boolean {
  let [atA, atB, common, all] = [0, 0, 0, 0];
  // Only the smallest hashes of both texts together are known.
  while (all < SKETCH && (atA < a.length || atB < b.length)) {
    const [left, right] = [a[atA] ?? Number.POSITIVE_INFINITY, b[atB] ?? Number.POSITIVE_INFINITY];
    all++;
    if (left === right) common++;
    if (left <= right) atA++;
    if (right <= left) atB++;
  }
  return 2 * common >= all;
}

/** Whether two rows belong to near-duplicates. */
type Compare = (a: Uint32Array, b: Uint32Array) => boolean;

/**
 * @param grams of each text @param campaigns of each text: texts of one campaign are in one group
 * @returns for each text the first text of its group
 */
export function nearDuplicates(
  grams: Rows,
  campaigns: readonly (string | null)[],
  compare: Compare = areSimilar,
): Uint32Array {
  const sets = new DisjointSets(grams.count);
  const firsts = new Map<string, number>();
  for (const [index, campaign] of campaigns.entries()) {
    if (campaign === null) continue;
    const first = firsts.get(campaign);
    if (first === undefined) firsts.set(campaign, index);
    else sets.unite(first, index);
  }
  const keys = keysOf(grams);
  for (let from = 0, to = 0; from < keys.length; from = to) {
    const hash = Math.floor(keys[from]! / INDEX_SPAN);
    while (to < keys.length && Math.floor(keys[to]! / INDEX_SPAN) === hash) to++;
    uniteSimilar(keys.subarray(from, to), grams, sets, compare);
  }
  return Uint32Array.from({ length: grams.count }, (_, index) => sets.find(index));
}

/** Hash and text of each smallest hash, ascending. */
function keysOf(grams: Rows): Float64Array {
  let count = 0;
  for (let index = 0; index < grams.count; index++) count += Math.min(KEYS, grams.row(index).length);
  const keys = new Float64Array(count);
  let at = 0;
  for (let index = 0; index < grams.count; index++)
    for (const hash of grams.row(index).subarray(0, KEYS)) keys[at++] = hash * INDEX_SPAN + index;
  return keys.sort();
}

/** @param candidates that share a hash */
function uniteSimilar(candidates: Float64Array, grams: Rows, sets: DisjointSets, compare: Compare): void {
  for (let at = 1; at < candidates.length; at++) {
    const index = candidates[at]! % INDEX_SPAN;
    for (let before = at - 1; before >= Math.max(0, at - COMPARED_MAX); before--) {
      const other = candidates[before]! % INDEX_SPAN;
      if (sets.find(index) !== sets.find(other) && compare(grams.row(index), grams.row(other)))
        sets.unite(index, other);
    }
  }
}

/** Union-find. The smallest member of a set stands for it. */
class DisjointSets {
  readonly #parents: Uint32Array;

  constructor(count: number) {
    this.#parents = Uint32Array.from({ length: count }, (_, index) => index);
  }

  find(index: number): number {
    const parents = this.#parents;
    while (parents[index] !== index) {
      parents[index] = parents[parents[index]!]!;
      index = parents[index]!;
    }
    return index;
  }

  unite(a: number, b: number): void {
    const [one, other] = [this.find(a), this.find(b)];
    this.#parents[Math.max(one, other)] = Math.min(one, other);
  }
}
