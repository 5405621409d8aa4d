/**
 * Alphanumeric sender ids, and the two forms in which they are compared. A list that blocks compares them by
 * their skeleton (Unicode UTS #39), so that letters of other scripts that look like Latin ones are no way
 * around it. One that lets through compares their spelling: a look-alike of a trusted sender is what a
 * spoofer would use.
 */
import table from '../../data/look-alikes.json' with { type: 'json' };
import { SOURCE_CHARS_MAX } from '../limits.ts';

const latinByLookAlike = new Map<string, string>(
  Object.entries(table.letters).flatMap(([latin, letters]) =>
    [...letters].map((letter) => [letter, latin.toLowerCase()]),
  ),
);
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;
/** White space, controls, and what nobody sees: format characters, fillers, the blank of Braille. */
const UNSEEN = /[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu;
/** Dashes, and what looks like one: the minus sign, the hyphen bullet. */
const DASHES = /[\p{Pd}\u2212\u2043]/gu;

/** The spelling: compatibility-folded (full-width and the like), lower case, every dash the same, only what is seen. */
export function foldSenderId(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(UNSEEN, '').replace(DASHES, '-');
}

/**
 * Whether the spelling has at most `SOURCE_CHARS_MAX` characters. Check it before folding: one character can fold to 18
 * (U+FDFA), and this stops at the first that is too many. Expects a text that is bounded itself.
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
 * The skeleton: the spelling, with letters for the Latin ones that they look like, as a capital or else as a
 * small letter; so that case makes no difference here either. Equal to the spelling for ASCII.
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
