/**
 * Sealed tables: the golden bytes, and equal bytes for equal content. A table that was altered, cut or sealed
 * with another key does not open.
 */
import { describe, expect, it } from 'vitest';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { seal, unseal } from '../../../shared/set/seal.ts';
import vectors from '../../vectors/tables.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { testKeys } from '../support/test-keys.ts';

const content = fromHex(vectors.ranges.hex);
const sealed = fromHex(vectors.ranges.sealed);

describe('a sealed table', () => {
  it('has the golden bytes and opens to the golden content', async () => {
    expect(hexOf(await seal(content, testKeys))).toBe(vectors.ranges.sealed);
    expect(hexOf((await unseal(sealed, testKeys))!)).toBe(vectors.ranges.hex);
  });

  it('may be empty', async () => {
    const nothing = await seal(new Uint8Array(0), testKeys);
    expect(nothing).toHaveLength(28);
    expect(await unseal(nothing, testKeys)).toEqual(new Uint8Array(0));
  });

  it('has another nonce for other content', async () => {
    const other = content.slice();
    other[0]! ^= 1;
    expect(hexOf(await seal(other, testKeys)).slice(0, 24)).not.toBe(vectors.ranges.sealed.slice(0, 24));
  });

  it('does not open with any byte flipped', async () => {
    for (let at = 0; at < sealed.length; at++) {
      const damaged = sealed.slice();
      damaged[at]! ^= 1 << (at % 8);
      expect(await unseal(damaged, testKeys)).toBeNull();
    }
  });

  it('does not open at any other length', async () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(await unseal(sealed.slice(0, length), testKeys)).toBeNull();
    }
    expect(await unseal(Uint8Array.from([...sealed, 0]), testKeys)).toBeNull();
  });

  it('does not open with another LIST_KEY', async () => {
    const others = await deriveListKeys(new Uint8Array(32));
    expect(await unseal(sealed, others)).toBeNull();
  });

  it('opens only in the place that it was sealed for, and has a nonce of its own there', async () => {
    const places = ['', 'blocks/a', 'blocks/b'];
    const bytes = await Promise.all(places.map((place) => seal(content, testKeys, place)));
    for (const [index, place] of places.entries()) {
      const opened = await Promise.all(bytes.map((each) => unseal(each, testKeys, place)));
      expect(opened.map((each) => each !== null)).toEqual(places.map((_, other) => other === index));
    }
    expect(new Set(bytes.map((each) => hexOf(each).slice(0, 24))).size).toBe(places.length);
  });
});
