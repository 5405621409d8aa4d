/**
 * Variants of real texts, as spammers write them to get past filters. Links must still open, so every word that contains a dot,
 * a slash or an `@` stays unchanged.
 */
import table from '../../data/look-alikes.json' with { type: 'json' };

export const OBFUSCATIONS = ['spaces', 'look-alikes', 'zero-width', 'full-width', 'jamo'] as const;
export type Obfuscation = (typeof OBFUSCATIONS)[number];

/** Share of the letters that are changed, or followed by a space or a hidden character. */
const SHARE = 0.3;
const LOOK_ALIKES = new Map(Object.entries(table.letters).map(([latin, letters]) => [latin, [...letters]]));
const HIDDEN = ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u202e'];
const FULL_WIDTH_OFFSET = 0xfee0;

/** @param random returns non-negative integers, as `randomFrom` does */
export function obfuscate(text: string, kind: Obfuscation, random: () => number): string {
  return text
    .split(/(\s+)/)
    .map((word) => (/\S[./:@]\S/.test(word) ? word : obfuscateWord(word, kind, random)))
    .join('');
}

function obfuscateWord(word: string, kind: Obfuscation, random: () => number): string {
  const letters = [...word];
  const isLetter = (at: number): boolean => /[\p{L}\p{N}]/u.test(letters[at] ?? '');
  return letters
    .map((letter, at) => (isLetter(at) ? changed(letter, isLetter(at + 1), kind, random) : letter))
    .join('');
}

/** @param isInside whether another letter follows */
function changed(letter: string, isInside: boolean, kind: Obfuscation, random: () => number): string {
  const isChosen = kind === 'full-width' || random() / 2 ** 32 < SHARE;
  if (!isChosen) return letter;
  switch (kind) {
    case 'spaces':
      return isInside ? `${letter} ` : letter;
    case 'zero-width':
      return isInside ? letter + HIDDEN[random() % HIDDEN.length] : letter;
    case 'look-alikes': {
      const others = LOOK_ALIKES.get(letter) ?? [letter];
      return others[random() % others.length]!;
    }
    case 'full-width':
      return /[!-~]/.test(letter) ? String.fromCharCode(letter.charCodeAt(0) + FULL_WIDTH_OFFSET) : letter;
    case 'jamo':
      return /[가-힣]/.test(letter) ? typedJamo(letter) : letter;
  }
}

const LEADING = [...'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'];
const VOWELS = [...'ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ'];
const TRAILING = ['', ...'ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ'];

/** Writes a syllable as its keystrokes: 한 becomes ㅎㅏㄴ. */
export function typedJamo(syllable: string): string {
  const offset = syllable.charCodeAt(0) - 0xac00;
  const [leading, vowel, trailing] = [offset / 588, (offset % 588) / 28, offset % 28].map(Math.floor) as [
    number,
    number,
    number,
  ];
  return LEADING[leading]! + VOWELS[vowel]! + TRAILING[trailing]!;
}
