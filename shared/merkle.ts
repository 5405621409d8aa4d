/**
 * Merkle trees of RFC 6962, section 2.1 (identical in RFC 9162, section 2.1): hashes, inclusion proofs and
 * consistency proofs. A hash has 32 bytes. Subtree `(level, i)` has the 2^level leaves from i * 2^level on.
 */
import { sha256 } from '@noble/hashes/sha2.js';

type Hash = Uint8Array;

/** Returns the hash of a complete subtree. */
export type ReadSubtree = (level: number, i: number) => Hash;

const HASH_BYTES = 32;

/** The hash of the empty tree. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array(0));

export function leafHash(leaf: Uint8Array): Hash {
  const bytes = new Uint8Array(leaf.length + 1);
  bytes.set(leaf, 1);
  return sha256(bytes);
}

export function nodeHash(left: Hash, right: Hash): Hash {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return sha256(bytes);
}

export function equalHashes(a: Hash, b: Hash): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Returns the largest power of two below `n`, for `n` above 1. Avoids bit operations, as `n` can exceed 32 bits. */
function split(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

/** Returns the hash of the leaves from `begin` to `end`. `begin` is a multiple of the power of two that holds them. */
function rangeHash(begin: number, end: number, read: ReadSubtree): Hash {
  const n = end - begin;
  const level = Math.round(Math.log2(n));
  if (2 ** level === n) return read(level, begin / n);
  const middle = begin + split(n);
  return nodeHash(rangeHash(begin, middle, read), rangeHash(middle, end, read));
}

/** Returns the root of the tree over the first `size` leaves. */
export function rootHash(size: number, read: ReadSubtree): Hash {
  return size === 0 ? EMPTY_ROOT : rangeHash(0, size, read);
}

/** Returns the proof that leaf `index` is in the tree of this size: hashes from the leaf to the root. */
export function inclusionProof(index: number, size: number, read: ReadSubtree): Hash[] {
  const path = (begin: number, end: number): Hash[] => {
    if (end - begin === 1) return [];
    const middle = begin + split(end - begin);
    return index < middle
      ? [...path(begin, middle), rangeHash(middle, end, read)]
      : [...path(middle, end), rangeHash(begin, middle, read)];
  };
  return path(0, size);
}

/** Returns the proof that the tree of size `from` (1 to `to`) is the beginning of the tree of size `to`. */
export function consistencyProof(from: number, to: number, read: ReadSubtree): Hash[] {
  const path = (begin: number, end: number, isOld: boolean): Hash[] => {
    if (from === end) return isOld ? [] : [rangeHash(begin, end, read)];
    const middle = begin + split(end - begin);
    return from <= middle
      ? [...path(begin, middle, isOld), rangeHash(middle, end, read)]
      : [...path(middle, end, false), rangeHash(begin, middle, read)];
  };
  return path(0, to, true);
}

/** Returns the root that an inclusion proof leads to, or null if the proof has a wrong length. */
export function rootOfInclusion(
  leaf: Hash,
  index: number,
  size: number,
  proof: readonly Hash[],
): Hash | null {
  if (index >= size) return null;
  if (size === 1) return proof.length === 0 ? leaf : null;
  const sibling = proof.at(-1);
  if (sibling === undefined) return null;
  const k = split(size);
  const rest = proof.slice(0, -1);
  const below =
    index < k ? rootOfInclusion(leaf, index, k, rest) : rootOfInclusion(leaf, index - k, size - k, rest);
  if (below === null) return null;
  return index < k ? nodeHash(below, sibling) : nodeHash(sibling, below);
}

/** The roots of both trees that a consistency proof leads to, given the root of the smaller tree. */
interface BothRoots {
  readonly old: Hash;
  readonly now: Hash;
}

/** Whether the proof shows that the tree `from` with `fromRoot` is the beginning of the tree `to` with `toRoot`. */
export function verifyConsistency(
  from: number,
  fromRoot: Hash,
  to: number,
  toRoot: Hash,
  proof: readonly Hash[],
): boolean {
  if (from < 1 || from > to) return false;
  const both = bothRoots(from, to, fromRoot, proof);
  return both !== null && equalHashes(both.old, fromRoot) && equalHashes(both.now, toRoot);
}

/** @param known root of the smaller tree's leaves in this subtree; null if the proof contains it */
function bothRoots(from: number, to: number, known: Hash | null, proof: readonly Hash[]): BothRoots | null {
  if (from === to) {
    const [hash, ...more] = known === null ? proof : [known, ...proof];
    return hash === undefined || more.length > 0 ? null : { old: hash, now: hash };
  }
  const sibling = proof.at(-1);
  if (sibling === undefined) return null;
  const k = split(to);
  const rest = proof.slice(0, -1);
  if (from <= k) {
    const left = bothRoots(from, k, known, rest);
    return left === null ? null : { old: left.old, now: nodeHash(left.now, sibling) };
  }
  const right = bothRoots(from - k, to - k, null, rest);
  return right === null ? null : { old: nodeHash(sibling, right.old), now: nodeHash(sibling, right.now) };
}

/** Returns a reader of the complete subtrees over these leaves. It computes each hash once. */
export function subtreesOf(leaves: readonly Hash[]): ReadSubtree {
  const levels: Hash[][] = [[...leaves]];
  return (level, i) => {
    while (levels.length <= level) {
      const below = levels.at(-1)!;
      const pairs = Math.floor(below.length / 2);
      levels.push(Array.from({ length: pairs }, (_, at) => nodeHash(below[2 * at]!, below[2 * at + 1]!)));
    }
    return levels[level]![i]!;
  };
}

/** A tree that grows leaf by leaf. It keeps only the complete subtrees at the right edge. */
export class GrowingTree {
  #size: number;
  /** From left to right, so the largest comes first. The subtrees' sizes are the binary digits of `#size`. */
  readonly #edge: Hash[];

  /** @param edge hashes of the complete subtrees of `size` leaves, from the left */
  constructor(size = 0, edge: readonly Hash[] = []) {
    this.#size = size;
    this.#edge = [...edge];
  }

  get size(): number {
    return this.#size;
  }

  get root(): Hash {
    const last = this.#edge.at(-1) ?? EMPTY_ROOT;
    return this.#edge.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
  }

  /** @param leaf hash of the leaf */
  add(leaf: Hash): void {
    let hash = leaf;
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2)
      hash = nodeHash(this.#edge.pop()!, hash);
    this.#edge.push(hash);
    this.#size++;
  }
}

/**
 * Returns the subtrees left of leaf `index` from an inclusion proof of the leaf. They are the right edge of the tree of
 * size `index`. Returns null if the proof has a wrong length.
 */
export function edgeBefore(index: number, size: number, proof: readonly Hash[]): Hash[] | null {
  if (index >= size) return null;
  if (size === 1) return proof.length === 0 ? [] : null;
  const sibling = proof.at(-1);
  if (sibling === undefined) return null;
  const k = split(size);
  const rest = proof.slice(0, -1);
  if (index < k) return edgeBefore(index, k, rest);
  const right = edgeBefore(index - k, size - k, rest);
  return right === null ? null : [sibling, ...right];
}
