/** The letter that a UTF-16 unit is folded to, for all units that are not Hangul. Each unit is computed once. */
import table from '../../data/look-alikes.json' with { type: 'json' };

/** Code of every digit, of a currency sign, and of a link. */
export const DIGIT = 0x30;
export const CURRENCY = 0x24;
/** Stands for a link: U+FFFC, the object replacement character. */
export const LINK = 0xfffc;

/** A unit's letter (0: a separator) is in the lower 16 bits, its case above, and whether it is known above that. */
export const CASE_SHIFT = 16;
const SMALL = 1;
export const CAPITAL = 2;
const CASE_BITS = 2;
const KNOWN = 1 << (CASE_SHIFT + CASE_BITS);

const LOOK_ALIKES = new Map<number, number>(
  Object.entries(table.letters).flatMap(([latin, letters]) =>
    [...letters].map((letter): [number, number] => [letter.charCodeAt(0), latin.charCodeAt(0)]),
  ),
);

/**
 * Common punctuation that folds to nothing before and after NFKC, so that a text with it needs no NFKC. The dots of hosts
 * other than `.`, such as `。`, are not in it, because a text with one of them must be searched for hosts.
 */
const PLAIN_SEPARATORS = new Set(
  [...'·‐–—‘’“”•…′″※←↑→↓■□▲△▶▷▼▽◆◇○◎●★☆☎♡♥♪　、〈〉《》「」『』【】〔〕'].map((each) => each.charCodeAt(0)),
);

/** 256 KiB, only in isolates that need it. */
let known: Uint32Array | null = null;

export function isPlainSeparator(code: number): boolean {
  return PLAIN_SEPARATORS.has(code);
}

/** Letter and case of a unit of a text in NFKC. @param next the next unit: the other half, if the unit is half of a pair */
export function unitOf(code: number, next: number): number {
  if (code === 0xd83c) return enclosed(next);
  known ??= new Uint32Array(0x1_0000);
  const unit = known[code]!;
  if (unit !== 0) return unit & (KNOWN - 1);
  const found = readUnit(code);
  known[code] = found | KNOWN;
  return found;
}

function readUnit(code: number): number {
  if (code === LINK) return LINK;
  const character = String.fromCharCode(code);
  if (/[\p{Nd}\p{No}]/u.test(character)) return DIGIT;
  if (/\p{Sc}/u.test(character)) return CURRENCY;
  if (!/[\p{L}\p{N}]/u.test(character)) return 0;
  const [small, capital] = [character.toLowerCase(), character.toUpperCase()];
  const letterCase = small === capital ? 0 : character === capital ? CAPITAL : SMALL;
  return letterOf(character, small) | (letterCase << CASE_SHIFT);
}

/** The Latin letter that a letter looks like, else the letter itself, without accents. */
function letterOf(character: string, small: string): number {
  const bases = [character, small].map((each) => each.normalize('NFD').charCodeAt(0));
  const latin = bases.map((base) => LOOK_ALIKES.get(base)).find((each) => each !== undefined);
  return latin === undefined ? bases[1]! : latin | 0x20;
}

/** White capitals on a black circle or square, which NFKC does not change. @param low the second half of the pair */
function enclosed(low: number): number {
  const isCircled = low >= 0xdd50 && low < 0xdd50 + 26;
  const isSquared = low >= 0xdd70 && low < 0xdd70 + 26;
  if (!isCircled && !isSquared) return 0;
  return (low - (isCircled ? 0xdd50 : 0xdd70) + 0x61) | (CAPITAL << CASE_SHIFT);
}
