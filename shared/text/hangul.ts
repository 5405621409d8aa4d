/**
 * Hangul as the keys of a Korean keyboard: every syllable and every jamo is a row of basic jamo, so that 한, ㅎㅏㄴ and its
 * conjoining jamo are the same. Double and compound jamo are their parts: ㄲ is ㄱㄱ, ㅘ is ㅗㅏ, ㅐ is ㅏㅣ.
 */

/** Jamo by the offset of a leading consonant, vowel or trailing consonant (Unicode 3.12), as basic jamo. */
const LEADING = 'ㄱ,ㄱㄱ,ㄴ,ㄷ,ㄷㄷ,ㄹ,ㅁ,ㅂ,ㅂㅂ,ㅅ,ㅅㅅ,ㅇ,ㅈ,ㅈㅈ,ㅊ,ㅋ,ㅌ,ㅍ,ㅎ'.split(',');
const VOWELS =
  'ㅏ,ㅏㅣ,ㅑ,ㅑㅣ,ㅓ,ㅓㅣ,ㅕ,ㅕㅣ,ㅗ,ㅗㅏ,ㅗㅏㅣ,ㅗㅣ,ㅛ,ㅜ,ㅜㅓ,ㅜㅓㅣ,ㅜㅣ,ㅠ,ㅡ,ㅡㅣ,ㅣ'.split(',');
const TRAILING =
  ',ㄱ,ㄱㄱ,ㄱㅅ,ㄴ,ㄴㅈ,ㄴㅎ,ㄷ,ㄹ,ㄹㄱ,ㄹㅁ,ㄹㅂ,ㄹㅅ,ㄹㅌ,ㄹㅍ,ㄹㅎ,ㅁ,ㅂ,ㅂㅅ,ㅅ,ㅅㅅ,ㅇ,ㅈ,ㅊ,ㅋ,ㅌ,ㅍ,ㅎ'.split(
    ',',
  );

/** Syllables: 19 leading consonants, 21 vowels, 28 trailing consonants or none. */
export const SYLLABLES = 0xac00;
export const SYLLABLES_END = 0xd7a4;
export const TRAILING_COUNT = TRAILING.length;
/** Compatibility jamo, as people type them. */
export const TYPED_JAMO = 0x3131;
export const TYPED_JAMO_END = 0x3164;
/** Conjoining jamo. */
const LEADING_JAMO = 0x1100;
const VOWEL_JAMO = 0x1161;
const TRAILING_JAMO = 0x11a7;
/** NFKC makes typed ㅀ and ㅄ leading consonants of Old Korean. All other typed jamo become modern jamo. */
const LEADING_RIEUL_HIEUH = 0x111a;
const LEADING_PIEUP_SIOS = 0x1121;

/** A row of basic jamo in one number: 6 bits each, the first in the lowest bits, as offsets from JAMO_BASE. */
export const JAMO_BASE = 0x3130;
export const JAMO_BITS = 6;
export const JAMO_MASK = 63;

const pack = (part: string): number =>
  [...part].reduce((row, jamo, at) => row | ((jamo.charCodeAt(0) - JAMO_BASE) << (JAMO_BITS * at)), 0);

/** Leading consonant and vowel of a syllable, by its offset div 28: two to five jamo. */
export const PAIR_JAMO = Uint32Array.from({ length: LEADING.length * VOWELS.length }, (_, pair) =>
  pack(LEADING[Math.floor(pair / VOWELS.length)]! + VOWELS[pair % VOWELS.length]!),
);
/** Trailing consonant of a syllable, by its offset mod 28: none to two jamo. */
export const TRAILING_JAMO_ROWS = Uint32Array.from(TRAILING, pack);

/** Count of jamo in each of these rows. */
export const PAIR_SIZES = Uint8Array.from(PAIR_JAMO, sizeOf);
export const TRAILING_SIZES = Uint8Array.from(TRAILING_JAMO_ROWS, sizeOf);

function sizeOf(row: number): number {
  return Math.ceil((32 - Math.clz32(row)) / JAMO_BITS);
}

/** The row of a conjoining jamo; 0 for a filler, and for a jamo of Old Korean. */
export function rowOfConjoining(code: number): number {
  if (code === LEADING_RIEUL_HIEUH) return pack('ㄹㅎ');
  if (code === LEADING_PIEUP_SIOS) return pack('ㅂㅅ');
  if (code < VOWEL_JAMO) return pack(LEADING[code - LEADING_JAMO] ?? '');
  if (code <= TRAILING_JAMO) return pack(VOWELS[code - VOWEL_JAMO] ?? '');
  return pack(TRAILING[code - TRAILING_JAMO] ?? '');
}

/** Rows of compatibility jamo, from TYPED_JAMO on. NFKC turns each into a conjoining jamo. */
export const TYPED_JAMO_ROWS = Uint32Array.from({ length: TYPED_JAMO_END - TYPED_JAMO }, (_, at) =>
  rowOfConjoining(
    String.fromCharCode(TYPED_JAMO + at)
      .normalize('NFKC')
      .charCodeAt(0),
  ),
);

/** Whether a unit is a conjoining jamo, including those of Old Korean. */
export function isConjoining(code: number): boolean {
  return (
    (code >= LEADING_JAMO && code < 0x1200) ||
    (code >= 0xa960 && code < 0xa980) ||
    (code >= 0xd7b0 && code < 0xd800)
  );
}
