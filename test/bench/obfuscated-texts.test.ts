/** Obfuscated variants of real texts have the same letters as the text. Split syllables keep fingerprint and features. */
import { describe, expect, it } from 'vitest';
import { OBFUSCATIONS, obfuscate, typedJamo } from '../../bench/lib/obfuscated-texts.ts';
import { randomFrom } from '../../bench/lib/random-lists.ts';
import { englishMessages, koreanComments } from '../../bench/lib/real-texts.ts';
import { featuresOf } from '../../shared/text/features.ts';
import { deriveFingerprintKey, fingerprintOf } from '../../shared/text/fingerprint.ts';
import { readText } from '../../shared/text/text.ts';

const BITS = 18;
const TEXTS = 2_000;
const key = await deriveFingerprintKey(new Uint8Array(32));
const bucketsOf = (text: string): number[] => [...featuresOf(readText(text), BITS).buckets];
const texts = {
  Korean: koreanComments().slice(0, TEXTS),
  English: englishMessages()
    .slice(0, TEXTS)
    .map(({ text }) => text),
};

describe('an obfuscated text', () => {
  it('has all its syllables split into jamo: fingerprint and features are identical', () => {
    const split = (text: string): string => text.replace(/[가-힣]/g, typedJamo);
    let printed = 0;
    for (const text of koreanComments()) {
      const print = fingerprintOf(readText(text), key);
      if (print !== null) printed++;
      if (String(fingerprintOf(readText(split(text)), key)) !== String(print)) expect.fail(text);
      if (String(bucketsOf(split(text))) !== String(bucketsOf(text))) expect.fail(text);
    }
    expect(printed).toBeGreaterThan(4_000);
  });

  it.each(
    Object.entries(texts).flatMap(([language, each]) =>
      OBFUSCATIONS.map((kind) => [language, kind, each] as const),
    ),
  )('has the same letters: %s, %s', (language, kind, each) => {
    const random = randomFrom(1);
    let changed = 0;
    for (const text of each) {
      const variant = obfuscate(text, kind, random);
      if (variant !== text) changed++;
      if (String(readText(variant).letters) !== String(readText(text).letters))
        expect.fail(`${text} | ${variant}`);
    }
    // Few Korean texts have Latin letters, and no English text has a syllable.
    if (kind !== 'jamo' || language === 'Korean') expect(changed).toBeGreaterThan(50);
  });
});
