/** Fingerprints, compared with a slow reference in big integers. They are keyed, and do not depend on how a text is written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deriveFingerprintKey,
  equalValues,
  FINGERPRINT_VALUES,
  fingerprintOf,
  MATCHED_BINS_MIN,
  SAME_CAMPAIGN_VALUES,
  TEXT_KEY_BYTES,
} from '../../../shared/text/fingerprint.ts';
import { readText } from '../../../shared/text/text.ts';
import vectors from '../../vectors/text.json' with { type: 'json' };
import { fromHex } from '../support/bytes.ts';
import { naiveHkdf } from '../support/naive-cipher.ts';
import { naiveLetters } from '../support/naive-fold.ts';
import { naiveFingerprint, naiveKey } from '../support/naive-text.ts';
import { holds } from '../support/properties.ts';
import { plainText, syllable } from '../support/text-strings.ts';

const SECRET = fromHex(vectors.textKey);
const key = await deriveFingerprintKey(SECRET);
const other = await deriveFingerprintKey(SECRET.map((byte) => byte ^ 1));
const naive = naiveKey(await naiveHkdf(SECRET, 'numgate/1 text fingerprint', 1_040));
const LONG =
  '[국제발신] 고객님의 택배가 주소 불명으로 반송되었습니다. 아래 주소에서 다시 입력해 주시기 바랍니다.';

describe('a fingerprint', () => {
  it('is that of the slow reference', () => {
    let printed = 0;
    const words = fc.string({ unit: syllable, minLength: 15, maxLength: 120 });
    const long = fc.tuple(words, plainText).map((parts) => parts.join(' '));
    holds(
      fc.property(long, (text) => {
        const read = readText(text);
        if (read.hasLink) return;
        const print = fingerprintOf(read, key);
        if (print !== null) printed++;
        expect(print === null ? null : [...print]).toEqual(naiveFingerprint(naiveLetters(text), naive, 40));
        const matched = fingerprintOf(read, key, undefined, MATCHED_BINS_MIN);
        expect(matched === null ? null : [...matched]).toEqual(
          naiveFingerprint(naiveLetters(text), naive, MATCHED_BINS_MIN),
        );
      }),
      { numRuns: 200 },
    );
    expect(printed).toBeGreaterThan(30);
  });

  it.each(vectors.fingerprints)('has the documented values: $text', ({ text, values }) => {
    expect([...fingerprintOf(readText(text), key)!]).toEqual(values);
  });

  it('has a key whose ID is documented', () => {
    expect(key.id).toBe(vectors.textKeyId);
  });

  it('shares next to nothing with that of another key', () => {
    const read = readText(LONG);
    expect(equalValues(fingerprintOf(read, key)!, fingerprintOf(read, other)!)).toBeLessThan(3);
    expect(other.id).not.toBe(key.id);
  });

  it('is the same however the text is written', () => {
    const print = fingerprintOf(readText(LONG), key);
    for (const variant of [
      LONG.replaceAll(' ', ''),
      [...LONG].join(' '),
      [...LONG].join('\u200b'),
      LONG.normalize('NFD'),
      naiveLetters(LONG),
    ])
      expect(fingerprintOf(readText(variant), key)).toEqual(print);
  });

  it('changes with the share of the text that changes', () => {
    const print = fingerprintOf(readText(LONG), key)!;
    const edited = fingerprintOf(readText(LONG.replace('택배가', '소포가')), key)!;
    const rewritten = fingerprintOf(
      readText(
        `오늘 저녁에 만나서 밥이나 먹을까 했는데 비가 와서 내일로 미루자고 하더라 ${LONG.slice(0, 12)}`,
      ),
      key,
    )!;
    expect(equalValues(print, edited)).toBeGreaterThanOrEqual(SAME_CAMPAIGN_VALUES);
    expect(equalValues(print, edited)).toBeLessThan(FINGERPRINT_VALUES);
    expect(equalValues(print, rewritten)).toBeLessThan(SAME_CAMPAIGN_VALUES);
  });

  it.each([
    ['no text', ''],
    ['a short text', '안녕하세요 반갑습니다'],
    ['a text that repeats itself', '하하하하 '.repeat(200)],
    ['digits', '0'.repeat(2_000)],
    ['separators', '.'.repeat(2_000)],
  ])('does not exist for %s', (_what, text) => {
    expect(fingerprintOf(readText(text), key)).toBeNull();
  });

  it('exists for a text that is a little too short to enrol, to look it up', () => {
    const short = '고객님의 택배가 주소 불명으로 반송되었습니다';
    expect(fingerprintOf(readText(short), key)).toBeNull();
    expect(fingerprintOf(readText(short), key, undefined, MATCHED_BINS_MIN)).not.toBeNull();
  });

  it('is written where the caller wants it', () => {
    const into = new Uint16Array(FINGERPRINT_VALUES);
    expect(fingerprintOf(readText(LONG), key, into)).toBe(into);
    expect(into).toEqual(fingerprintOf(readText(LONG), key));
  });

  it('needs a key of the right length', async () => {
    await expect(deriveFingerprintKey(new Uint8Array(TEXT_KEY_BYTES - 1))).rejects.toThrow(
      'TEXT_KEY must be 32 bytes, and is 31',
    );
  });
});
