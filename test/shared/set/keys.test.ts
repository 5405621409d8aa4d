/**
 * Everything that is derived from LIST_KEY, compared with values that an implementation without WebCrypto's
 * HKDF and AES-CTR computed (test/vectors/keys.json), and with that implementation itself.
 */
import { describe, expect, it } from 'vitest';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { checksum, fingerprint } from '../../../shared/set/xxhash.ts';
import vectors from '../../vectors/keys.json' with { type: 'json' };
import { randomFrom } from '../numbers/random.ts';
import { fromHex, hexOf } from '../support/bytes.ts';
import { naiveAes, naiveHkdf, naivePermute, naiveRoundTables } from '../support/naive-cipher.ts';
import { naiveXxh64 } from '../support/naive-hash.ts';
import { TEST_LIST_KEY, testKeys } from '../support/test-keys.ts';

describe('the naive cipher', () => {
  it('encrypts the AES-256 example of FIPS 197, C.3', () => {
    const block = Array.from({ length: 16 }, (_, at) => at * 17);
    expect(hexOf(naiveAes(TEST_LIST_KEY, block))).toBe('8ea2b7ca516745bfeafc49904b496089');
  });

  it.each(Object.entries(vectors.derived))('derives the golden value of "%s"', async (label, hex) => {
    expect(hexOf(await naiveHkdf(fromHex(vectors.listKey), label, hex.length / 2))).toBe(hex);
  });
});

describe('the list keys', () => {
  it('have the golden key id and source seed', () => {
    expect(testKeys.keyId).toBe(vectors.derived['numgate/1 key id']);
    expect(testKeys.sourceSeed).toBe(BigInt(`0x${vectors.derived['numgate/1 sources']}`));
  });

  it('derive the seed of the detection of enumeration like the naive key derivation', async () => {
    const bytes = Uint8Array.from(await naiveHkdf(TEST_LIST_KEY, 'numgate/1 scans', 4));
    expect(testKeys.scanSeed).toBe(new DataView(bytes.buffer).getInt32(0));
  });

  it('have the golden key of references', () => {
    expect(hexOf(testKeys.appealKey)).toBe(vectors.derived['numgate/1 appeals']);
  });

  it('permute suffixes into the golden images, and back', () => {
    for (const [tail, image] of vectors.images) {
      expect(testKeys.permutation.permute(tail!)).toBe(image);
      expect(testKeys.permutation.invert(image!)).toBe(tail);
    }
  });

  it('permute like the naive network over naively filled tables', () => {
    const tables = naiveRoundTables(fromHex(vectors.derived['numgate/1 permutation']));
    const below = randomFrom(1);
    for (const [tail, image] of vectors.images) expect(naivePermute(tables, tail!)).toBe(image);
    for (let run = 0; run < 5_000; run++) {
      const tail = below(100_000_000);
      expect(testKeys.permutation.permute(tail)).toBe(naivePermute(tables, tail));
    }
  });

  it('do not export the sealing keys', async () => {
    await expect(crypto.subtle.exportKey('raw', testKeys.sealKey)).rejects.toThrow();
    await expect(crypto.subtle.exportKey('raw', testKeys.nonceKey)).rejects.toThrow();
  });

  it.each([0, 16, 31, 33])('refuse a secret of %i bytes', async (length) => {
    await expect(deriveListKeys(new Uint8Array(length))).rejects.toThrow(RangeError);
  });
});

describe('XXH64', () => {
  it.each(vectors.xxh64)(
    'has the golden values of "$text"',
    ({ text, checksum: plain, fingerprint: keyed }) => {
      const bytes = new TextEncoder().encode(text);
      expect(naiveXxh64(bytes, 0n)).toBe(BigInt(`0x${plain}`));
      expect(naiveXxh64(bytes, testKeys.sourceSeed)).toBe(BigInt(`0x${keyed}`));
      expect(checksum(bytes)).toBe(plain);
      expect(fingerprint(text, testKeys.sourceSeed)).toBe(BigInt(`0x${keyed}`));
    },
  );

  it('agrees with the naive implementation at every length up to 100 bytes', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, at) => (at * 167 + 13) % 256);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length);
      expect(BigInt(`0x${checksum(part)}`)).toBe(naiveXxh64(part, 0n));
    }
  });
});
