/** Folding, compared with a slow reference that shares no code with it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LETTERS_MAX, TEXT_CHARS_MAX } from '../../../shared/limits/text.ts';
import { fold, foldPlain } from '../../../shared/text/letters.ts';
import { naiveDigits, naiveHasMoney, naiveLetters, typedJamo } from '../support/naive-fold.ts';
import { holds } from '../support/properties.ts';
import { anyText, plainText } from '../support/text-strings.ts';

const lettersOf = (text: string): string => String.fromCharCode(...fold(text).letters);

describe('folding', () => {
  it('agrees with the slow reference for every character of the first plane', () => {
    const wrong: string[] = [];
    for (let code = 0; code < 0x10000; code++) {
      const character = String.fromCharCode(code);
      if (character.isWellFormed() && lettersOf(`가${character}`) !== naiveLetters(`가${character}`))
        wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  it('agrees with the slow reference for any text', () => {
    holds(
      fc.property(anyText, (text) => {
        const folded = fold(text);
        const letters = naiveLetters(text);
        expect(String.fromCharCode(...folded.letters)).toBe(letters);
        expect(folded.digits).toBe(naiveDigits(letters));
        expect(folded.hasMoney).toBe(naiveHasMoney(letters));
        expect(folded.exclamations).toBe(text.normalize('NFKC').split('!').length - 1);
      }),
      { numRuns: 2_000 },
    );
  });

  it('counts letters with two cases, and capitals', () => {
    holds(
      fc.property(anyText, (text) => {
        const { cased, capitals } = fold(text);
        const enclosed = text.match(/[\u{1f150}-\u{1f169}\u{1f170}-\u{1f189}]/gu)?.length ?? 0;
        const letters = [...text.normalize('NFKC')].filter(
          (each) =>
            each.length === 1 &&
            /[\p{L}\p{N}]/u.test(each) &&
            !/[\p{Nd}\p{No}]/u.test(each) &&
            each.toLowerCase() !== each.toUpperCase(),
        );
        expect(cased).toBe(letters.length + enclosed);
        expect(capitals).toBe(letters.filter((each) => each === each.toUpperCase()).length + enclosed);
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes one pass for plain texts, with the same result', () => {
    let plain = 0;
    holds(
      fc.property(plainText, (text) => {
        const folded = foldPlain(text, 0);
        if (folded === null) return;
        plain++;
        expect(folded).toEqual(fold(text));
      }),
      { numRuns: 2_000 },
    );
    expect(plain).toBeGreaterThan(500);
  });

  it('folds every syllable as its jamo, typed or conjoining', () => {
    for (let code = 0xac00; code < 0xd7a4; code++) {
      const syllable = String.fromCharCode(code);
      const letters = naiveLetters(syllable);
      expect(lettersOf(syllable)).toBe(letters);
      expect(lettersOf(letters)).toBe(letters);
      expect(lettersOf(typedJamo(syllable))).toBe(letters);
      expect(lettersOf(syllable.normalize('NFD'))).toBe(letters);
      expect(foldPlain(letters, 0)).toEqual(foldPlain(syllable, 0));
      expect(foldPlain(typedJamo(syllable), 0)).toEqual(foldPlain(syllable, 0));
    }
  });

  it.each([
    ['ＦＲＥＥ！ 당첨', 'free ㄷㅏㅇㅊㅓㅁ'],
    ['무 료 체.험', 'ㅁㅜㄹㅛㅊㅓㅣㅎㅓㅁ'],
    ['Рауⅿеnt ṕäỳment', 'payment payment'],
    ['🅵🅡🅔🅴 ⓜⓞney', 'free money'],
    ['싫 ㅅㅣㅀ ㅅㅣㄹㅎ', 'ㅅㅣㄹㅎ ㅅㅣㄹㅎ ㅅㅣㄹㅎ'],
    ['값 ㄱㅏㅂㅅ ㄳ', 'ㄱㅏㅂㅅ ㄱㅏㅂㅅ ㄱㅅ'],
    ['１２,٣④❺ ₩ 원', '00000 $ ㅇㅜㅓㄴ'],
    ['가ㆍ나・다', 'ㄱㅏㄴㅏㄷㅏ'],
  ])('folds %s', (text, letters) => {
    expect(lettersOf(text)).toBe(letters.replaceAll(' ', ''));
  });

  it.each([
    ['30,000원', true],
    ['3만 원', true],
    ['5천만원 입금', true],
    ['3만ㅇㅜㅓㄴ', true],
    ['$5', true],
    ['원 3', false],
    ['3번 원하는', false],
    ['만원', false],
  ])('reads an amount of money in %s: %s', (text, expected) => {
    expect(fold(text).hasMoney).toBe(expected);
    expect(foldPlain(text, 0)!.hasMoney).toBe(expected);
  });

  it('ends at the bound, whatever a character expands to', () => {
    for (const character of ['\ufdfa', '뺿', 'ㅙ', '가', '①'])
      expect(fold(character.repeat(TEXT_CHARS_MAX)).letters.length).toBeLessThanOrEqual(LETTERS_MAX);
    expect(fold('\ufdfa'.repeat(TEXT_CHARS_MAX)).letters.length).toBe(LETTERS_MAX);
    expect(foldPlain('뺿'.repeat(TEXT_CHARS_MAX), 0)!.letters.length).toBe(LETTERS_MAX);
  });

  it('returns letters that later texts do not change', () => {
    const { letters } = fold('처음');
    const before = [...letters];
    fold('다른 글');
    expect([...letters]).toEqual(before);
  });
});
