/**
 * Alphanumeric sender IDs, and the two forms in which they are compared. Lists that block compare the
 * skeleton (Unicode UTS #39), so that look-alike letters of other scripts do not evade them. Allow lists
 * compare the spelling, because a spoofer would use a look-alike of a trusted sender.
 */
import table from '../../data/look-alikes.json' with { type: 'json' };
import { SOURCE_CHARS_MAX } from '../limits/control.ts';

const latinByLookAlike = new Map<string, string>(
  Object.entries(table.letters).flatMap(([latin, letters]) =>
    [...letters].map((letter) => [letter, latin.toLowerCase()]),
  ),
);
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;
/** White space, controls, and invisible characters: format characters, fillers, the Braille blank. */
const UNSEEN = /[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu;
/** Dashes and look-alikes: the minus sign, the hyphen bullet. */
const DASHES = /[\p{Pd}\u2212\u2043]/gu;

/** The spelling: compatibility-folded, lower case, unified dashes, visible characters only. */
export function foldSenderId(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(UNSEEN, '').replace(DASHES, '-');
}

/**
 * Whether the spelling has at most `SOURCE_CHARS_MAX` characters. Check this before folding: one character
 * can fold to 18 (U+FDFA), and this function stops early. Expects a text that is itself bounded.
 */
export function foldsWithinBound(text: string): boolean {
  if (ASCII.test(text)) return text.length <= SOURCE_CHARS_MAX;
  let length = 0;
  for (const character of text) {
    length += character.normalize('NFKC').length;
    if (length > SOURCE_CHARS_MAX) return false;
  }
  return true;
}

/**
 * The skeleton: the spelling with look-alike letters replaced by the Latin ones, compared as capital and then
 * as small letter, so that case makes no difference. Equal to the spelling for ASCII.
 * @param spelling of foldSenderId
 */
export function skeletonOf(spelling: string): string {
  if (ASCII.test(spelling)) return spelling;
  let skeleton = '';
  for (const letter of spelling) {
    skeleton += latinByLookAlike.get(letter.toUpperCase()) ?? latinByLookAlike.get(letter) ?? letter;
  }
  return skeleton;
}
