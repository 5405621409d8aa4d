/** Shows the letters of a feature as people write them: jamo as syllables, and the marks of folding as words. */
import { CURRENCY, DIGIT, LINK } from '../../shared/text/letter-units.ts';

const LEADING = [...'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'];
const VOWELS = [...'ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ'];
const TRAILING = ['', ...'ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ'];
/** Jamo that folding takes apart, as pairs of the parts and the whole. */
const JOINED: readonly (readonly [string, string])[] = [
  ...[
    'ㅗㅏㅣㅙ',
    'ㅜㅓㅣㅞ',
    'ㅏㅣㅐ',
    'ㅑㅣㅒ',
    'ㅓㅣㅔ',
    'ㅕㅣㅖ',
    'ㅗㅏㅘ',
    'ㅗㅣㅚ',
    'ㅜㅓㅝ',
    'ㅜㅣㅟ',
    'ㅡㅣㅢ',
  ],
].map((each) => [each.slice(0, -1), each.slice(-1)]);

/** A syllable: a leading consonant, a vowel, and a consonant that no vowel follows. */
const SYLLABLE = /([ㄱ-ㅎ])([ㅏ-ㅣ])(?:([ㄱ-ㅎ])(?![ㅏ-ㅣ]))?/g;

/** @param name letters of an n-gram, or the name of a trait, which stays as it is */
export function letterNames(name: string): string {
  if (name.includes(': ')) return name;
  const joined = JOINED.reduce((text, [parts, whole]) => text.replaceAll(parts, whole), name);
  return joined
    .replace(SYLLABLE, (jamo, leading: string, vowel: string, trailing = '') => {
      const [first, second, third] = [
        LEADING.indexOf(leading),
        VOWELS.indexOf(vowel),
        TRAILING.indexOf(trailing),
      ];
      return first < 0 || second < 0 || third < 0
        ? jamo
        : String.fromCharCode(0xac00 + (first * 21 + second) * 28 + third);
    })
    .replaceAll(String.fromCharCode(LINK), '<link>')
    .replaceAll(String.fromCharCode(CURRENCY), '<currency>')
    .replaceAll(String.fromCharCode(DIGIT), '#');
}
