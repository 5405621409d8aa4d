/** References for appeals against blocks: golden vectors, what opens them, and the reasons that have one. */
import { AES } from '@stablelib/aes';
import { SIV } from '@stablelib/siv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/bytes.ts';
import { APPEAL_REFERENCE_CHARS_MAX } from '../../../shared/limits/appeals.ts';
import {
  type AppealedBlock,
  openReference,
  sealReference,
} from '../../../shared/screening/appeal-reference.ts';
import { openSiv, sealSiv } from '../../../shared/set/siv.ts';
import { CODES, SUBJECTS } from '../../../shared/verdict.ts';
import { otherKeys } from '../support/other-keys.ts';
import { testKeys } from '../support/test-keys.ts';

const { appealKey: key } = testKeys;

const LISTED: AppealedBlock = {
  ...{ subject: 'to', party: 821_020_005_036, seq: null, list: 'kr-suspended' },
  ...{ code: 'NUMBER_SUSPENDED', authority: 'ktoa' },
};
const LIVE: AppealedBlock = {
  ...{ subject: 'from', party: 'PARCEL-KR', seq: 1842, list: 'live' },
  ...{ code: 'SENDER_REPORTED', authority: 'numgate' },
};

const LIVE_NUMBER: AppealedBlock = { ...LIVE, party: 8_215_881_234 };

describe('AES-SIV', () => {
  it('opens what it sealed, with the same key alone, and seals equal content alike', () => {
    const content = fromHex('112233445566778899aabbccddee');
    const sealed = sealSiv(content, key);
    expect(sealed).toEqual(sealSiv(content, key));
    expect(openSiv(sealed, key)).toEqual(content);
    expect(openSiv(sealed, otherKeys.appealKey)).toBeNull();
    expect(openSiv(sealed.subarray(0, 15), key)).toBeNull();
  });

  it('is that of RFC 5297: the library gives its vector A.1', () => {
    const cipher = new SIV(AES, fromHex('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'));
    const data = fromHex('101112131415161718191a1b1c1d1e1f2021222324252627');
    expect(toHex(cipher.seal([data], fromHex('112233445566778899aabbccddee')))).toBe(
      '85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c',
    );
  });
});

describe('a reference', () => {
  it.each([
    [LISTED, 'ky13hO7nl-Uvp-lHxLZh5wBKnqINaqKdpI-sLW9w9l-owmkZp4P-3FlU9x6QXaeuIVCqU'],
    [LIVE_NUMBER, 'FqnQup3CK2WQCOPOLAUzVAPVUkAljAQgHBsIxl_LgeU1JJP94_urwmLQ'],
    [LIVE, 'X64yEvhEfY7BXDLx4SOqx7cN6ifHjsODrSE7AvpLEcUQu81d8J8i'],
  ])('of %j never changes', (block, reference) => {
    expect(sealReference(block, key)).toBe(reference);
    expect(openReference(reference, key)).toEqual(block);
  });

  it('of the block before is never that of another, whatever differs', () => {
    const { appealKey: otherKey } = otherKeys;
    const others: [AppealedBlock, Uint8Array][] = [
      [LISTED, otherKey],
      [{ ...LISTED, party: (LISTED.party as number) + 1 }, key],
      [{ ...LISTED, subject: 'from' }, key],
      [{ ...LISTED, list: 'kr-terminated' }, key],
      [{ ...LISTED, code: 'NUMBER_TERMINATED' }, key],
      [{ ...LISTED, authority: 'kisa' }, key],
      [LIVE_NUMBER, key],
      [{ ...LIVE_NUMBER, seq: 1843 }, key],
    ];
    for (const [other, otherOf] of others) {
      const reference = sealReference(LISTED, key);
      expect(openReference(sealReference(other, otherOf), otherOf)).toEqual(other);
      expect(sealReference(LISTED, key)).toBe(reference);
      sealReference(LIVE_NUMBER, key);
      expect(openReference(sealReference({ ...LIVE_NUMBER, seq: 1843 }, key), key)?.seq).toBe(1843);
    }
  });

  const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
  const blocks = fc
    .record({
      subject: fc.constantFrom(...SUBJECTS),
      party: fc.oneof(
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        fc
          .string({ minLength: 1, maxLength: 32, unit: 'grapheme' })
          .map((text) => [...text].slice(0, 32).join('')),
      ),
      seq: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 1 })),
      list: name,
      code: fc.constantFrom(...CODES),
      authority: name,
    })
    .map((block): AppealedBlock => ({ ...block, list: block.seq === null ? block.list : 'live' }));

  it('opens as the block that it was sealed for, with its own key alone', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const reference = sealReference(block, key);
        expect(openReference(reference, key)).toEqual(block);
        expect(openReference(reference, otherKeys.appealKey)).toBeNull();
      }),
    );
  });

  it.each([LISTED, LIVE_NUMBER, LIVE])('does not open once any character of it is another: %j', (block) => {
    const reference = sealReference(block, key);
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let at = 0; at < reference.length; at++) {
      for (const character of characters) {
        const altered = reference.slice(0, at) + character + reference.slice(at + 1);
        if (altered !== reference) expect(openReference(altered, key)).toBeNull();
      }
      expect(openReference(reference.slice(0, at), key)).toBeNull();
    }
  });

  it('does not open with the origin of another list', () => {
    const [reference, other] = [LISTED, { ...LISTED, list: 'kr-terminated' }].map((block) =>
      sealReference(block, key),
    );
    expect(openReference(reference!.slice(0, 22) + other!.slice(22), key)).toBeNull();
    expect(openReference(reference!.slice(22), key)).toBeNull();
  });

  it('has the same origin for all numbers of a list', () => {
    const [one, other] = [821_020_000_000, 821_020_000_001].map((party) =>
      sealReference({ ...LISTED, party }, key),
    );
    expect(one!.slice(22)).toBe(other!.slice(22));
    expect(one!.slice(0, 22)).not.toBe(other!.slice(0, 22));
  });

  it('of the longest names is within the limit', () => {
    const [list, authority] = ['l'.repeat(63), 'a'.repeat(63)];
    const reference = sealReference({ ...LISTED, party: '가'.repeat(64), list, authority }, key);
    expect(reference.length).toBe(APPEAL_REFERENCE_CHARS_MAX);
  });

  it.each(['', 'A', 'not a reference', '+/+/', 'A'.repeat(APPEAL_REFERENCE_CHARS_MAX + 1)])(
    'is none: %j',
    (text) => expect(openReference(text, key)).toBeNull(),
  );
});
