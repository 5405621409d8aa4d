/**
 * Merkle trees, compared with the published values of Certificate Transparency. Every proof of small trees is
 * compared with the recursive definitions of RFC 6962, section 2.1.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/bytes.ts';
import {
  consistencyProof,
  EMPTY_ROOT,
  edgeBefore,
  GrowingTree,
  inclusionProof,
  leafHash,
  rootHash,
  rootOfInclusion,
  verifyConsistency,
} from '../../shared/merkle.ts';

/** The leaves and roots in the tests of github.com/google/certificate-transparency (merkletree). */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leaves = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => leafHash(Uint8Array.of(i, i >> 8)));
const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
/** MTH of the RFC, over the hashes of the leaves. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256(new Uint8Array(0));
  if (hashes.length === 1) return hashes[0]!;
  let k = 1;
  while (2 * k < hashes.length) k *= 2;
  return sha256(join(Uint8Array.of(1), naiveRoot(hashes.slice(0, k)), naiveRoot(hashes.slice(k))));
}
const reader = (hashes: readonly Uint8Array[]) => (level: number, i: number) =>
  naiveRoot(hashes.slice(i * 2 ** level, (i + 1) * 2 ** level));

describe('a Merkle tree', () => {
  it('has the published roots', () => {
    const hashes = LEAVES.map((leaf) => leafHash(fromHex(leaf)));
    const tree = new GrowingTree();
    expect(toHex(tree.root)).toBe(toHex(EMPTY_ROOT));
    expect(toHex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    for (const [at, root] of ROOTS.entries()) {
      tree.add(hashes[at]!);
      expect([at, toHex(tree.root), toHex(rootHash(at + 1, reader(hashes)))]).toEqual([at, root, root]);
    }
  });

  it('has the published proofs', () => {
    const read = reader(LEAVES.map((leaf) => leafHash(fromHex(leaf))));
    expect(inclusionProof(0, 8, read).map(toHex)).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(consistencyProof(6, 8, read).map(toHex)).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('every inclusion proof leads to the root, and its left hashes continue the tree', () => {
    const all = leaves(40);
    for (let size = 1; size <= all.length; size++) {
      const hashes = all.slice(0, size);
      const root = toHex(naiveRoot(hashes));
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, reader(hashes));
        expect(toHex(rootOfInclusion(hashes[index]!, index, size, proof)!)).toBe(root);
        const tree = new GrowingTree(index, edgeBefore(index, size, proof)!);
        for (const hash of hashes.slice(index)) tree.add(hash);
        expect(toHex(tree.root)).toBe(root);
      }
    }
  });

  it('no inclusion proof leads to the root for another leaf, another place or another length', () => {
    const hashes = leaves(21);
    const root = toHex(naiveRoot(hashes));
    const hexOf = (hash: Uint8Array | null): string | null => (hash === null ? null : toHex(hash));
    for (let index = 0; index < 21; index++) {
      const proof = inclusionProof(index, 21, reader(hashes));
      const leaf = hashes[index]!;
      for (let other = 0; other < 21; other++) {
        if (other === index) continue;
        expect(hexOf(rootOfInclusion(hashes[other]!, index, 21, proof))).not.toBe(root);
        expect(hexOf(rootOfInclusion(leaf, other, 21, proof))).not.toBe(root);
      }
      for (const changed of [proof.slice(1), [...proof, leaf], [leaf, ...proof]])
        expect(hexOf(rootOfInclusion(leaf, index, 21, changed))).not.toBe(root);
    }
    expect(rootOfInclusion(hashes[0]!, 21, 21, [])).toBeNull();
  });

  it('every consistency proof holds, and none with a changed hash, size or root', () => {
    const all = leaves(33);
    const roots = all.map((_, at) => naiveRoot(all.slice(0, at + 1)));
    for (let to = 1; to <= all.length; to++) {
      for (let from = 1; from <= to; from++) {
        const [old, now] = [roots[from - 1]!, roots[to - 1]!];
        const proof = consistencyProof(from, to, reader(all));
        expect([from, to, verifyConsistency(from, old, to, now, proof)]).toEqual([from, to, true]);
        for (let at = 0; at < proof.length; at++)
          expect(verifyConsistency(from, old, to, now, proof.with(at, EMPTY_ROOT))).toBe(false);
        expect(verifyConsistency(from, EMPTY_ROOT, to, now, proof)).toBe(false);
        expect(verifyConsistency(from, old, to, EMPTY_ROOT, proof)).toBe(false);
        expect(verifyConsistency(from, old, to, now, [...proof, old])).toBe(false);
        expect(verifyConsistency(from, old, to, now, [old, ...proof])).toBe(false);
        if (from > 1) expect(verifyConsistency(from - 1, old, to, now, proof)).toBe(false);
      }
    }
    expect(verifyConsistency(0, EMPTY_ROOT, 1, roots[0]!, [])).toBe(false);
    expect(verifyConsistency(2, roots[1]!, 1, roots[0]!, [])).toBe(false);
  });

  it('places beyond 32 bits are computed exactly', () => {
    const size = 2 ** 40 + 3;
    const read = (level: number, i: number): Uint8Array =>
      leafHash(new TextEncoder().encode(`${level} ${i}`));
    const proof = inclusionProof(2 ** 40 + 1, size, read);
    const root = toHex(rootHash(size, read));
    expect(toHex(rootOfInclusion(read(0, 2 ** 40 + 1), 2 ** 40 + 1, size, proof)!)).not.toBe('');
    const tree = new GrowingTree(2 ** 40, [read(40, 0)]);
    for (let i = 2 ** 40; i < 2 ** 40 + 2; i++) tree.add(read(0, i));
    expect(tree.size).toBe(2 ** 40 + 2);
    expect(root).toHaveLength(64);
  });
});
