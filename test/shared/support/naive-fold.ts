/** The letters of a text as docs/format.md describes them, slowly, by full decomposition (NFKD) and regular expressions. */
import table from '../../../data/look-alikes.json' with { type: 'json' };

const LEADING = [...'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'];
const VOWELS = [...'ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ'];
const TRAILING = [...'ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ'];
/** Jamo that are typed with several keys. */
const COMPOUNDS: Readonly<Record<string, string>> = {
  ...{
    ㄲ: 'ㄱㄱ',
    ㄸ: 'ㄷㄷ',
    ㅃ: 'ㅂㅂ',
    ㅆ: 'ㅅㅅ',
    ㅉ: 'ㅈㅈ',
    ㄳ: 'ㄱㅅ',
    ㄵ: 'ㄴㅈ',
    ㄶ: 'ㄴㅎ',
    ㄺ: 'ㄹㄱ',
  },
  ...{
    ㄻ: 'ㄹㅁ',
    ㄼ: 'ㄹㅂ',
    ㄽ: 'ㄹㅅ',
    ㄾ: 'ㄹㅌ',
    ㄿ: 'ㄹㅍ',
    ㅀ: 'ㄹㅎ',
    ㅄ: 'ㅂㅅ',
    ㅐ: 'ㅏㅣ',
    ㅒ: 'ㅑㅣ',
  },
  ...{
    ㅔ: 'ㅓㅣ',
    ㅖ: 'ㅕㅣ',
    ㅘ: 'ㅗㅏ',
    ㅙ: 'ㅗㅏㅣ',
    ㅚ: 'ㅗㅣ',
    ㅝ: 'ㅜㅓ',
    ㅞ: 'ㅜㅓㅣ',
    ㅟ: 'ㅜㅣ',
    ㅢ: 'ㅡㅣ',
  },
};
const LOOK_ALIKES = Object.fromEntries(
  Object.entries(table.letters).flatMap(([latin, letters]) => [...letters].map((letter) => [letter, latin])),
);
const keysOf = (jamo: string): string => COMPOUNDS[jamo] ?? jamo;
const conjoined = (from: number, all: readonly string[]): (readonly [string, string])[] =>
  all.map((jamo, index) => [String.fromCharCode(from + index), keysOf(jamo)]);
const CONJOINING = new Map([
  ...conjoined(0x1100, LEADING),
  ...conjoined(0x1161, VOWELS),
  ...conjoined(0x11a8, TRAILING),
  // The NFKD form of typed ㅀ and ㅄ.
  ['\u111a', 'ㄹㅎ'],
  ['\u1121', 'ㅂㅅ'],
]);

/** Writes a syllable as at most three typed jamo: 없 becomes ㅇㅓㅄ. */
export function typedJamo(syllable: string): string {
  const offset = syllable.charCodeAt(0) - 0xac00;
  const [leading, vowel, trailing] = [Math.floor(offset / 588), Math.floor((offset % 588) / 28), offset % 28];
  return LEADING[leading]! + VOWELS[vowel]! + (TRAILING[trailing - 1] ?? '');
}

/** The letters of a string. @param text without hidden characters, with U+FFFC for links */
export function naiveLetters(text: string): string {
  const enclosed = (character: string): string => {
    const code = character.codePointAt(0)!;
    return String.fromCharCode(0x41 + (code >= 0x1f170 ? code - 0x1f170 : code - 0x1f150));
  };
  const decomposed = text.replace(/[\u{1f150}-\u{1f169}\u{1f170}-\u{1f189}]/gu, enclosed).normalize('NFKD');
  return Array.from(decomposed, (character) => {
    if (CONJOINING.has(character)) return CONJOINING.get(character)!;
    if (/[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/.test(character)) return '';
    if (character === '\ufffc') return character;
    // Letters outside the first plane are dropped, unless NFKD maps them to other letters.
    if (character.length > 1) return '';
    if (/[\p{Nd}\p{No}]/u.test(character)) return '0';
    if (/\p{Sc}/u.test(character)) return '$';
    if (!/[\p{L}\p{N}]/u.test(character)) return '';
    const small = character.toLowerCase();
    return (LOOK_ALIKES[character] ?? LOOK_ALIKES[small[0]!] ?? small[0]!).toLowerCase();
  }).join('');
}

/** Whether the text has a currency sign, or a number before 원 (won). @param letters of naiveLetters */
export function naiveHasMoney(letters: string): boolean {
  return /\$|0(?:ㅅㅣㅂ|ㅂㅏㅣㄱ|ㅊㅓㄴ|ㅁㅏㄴ|ㅇㅓㄱ|ㅈㅗ)*ㅇㅜㅓㄴ/.test(letters);
}

/** Length of the longest run of digits. @param letters of naiveLetters */
export function naiveDigits(letters: string): number {
  return Math.max(0, ...Array.from(letters.matchAll(/0+/g), ([run]) => run.length));
}
