/**
 * Alphanumeric sender ids, and the two forms in which they are compared. What is listed to be blocked is
 * compared by its skeleton (Unicode UTS #39), so that letters of other scripts that look like Latin ones
 * are no way around a list. What is let through is compared without it: a look-alike of a trusted sender
 * is what a spoofer would use.
 */
import table from '../../data/look-alikes.json' with { type: 'json' };

const latinByLookAlike = new Map<string, string>(
  Object.entries(table.letters).flatMap(([latin, alike]) => [...alike].map((letter) => [letter, latin])),
);
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;

/**
 * Compatibility-folded (full-width and the like), lower case, every dash the same, without spaces, controls
 * and characters that nobody sees.
 */
export function foldSenderId(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, '')
    .replace(/\p{Pd}/gu, '-');
}

/** The same, with letters that look like Latin ones taken for them. Equal to `foldSenderId` for ASCII. */
export function skeletonOf(text: string): string {
  if (ASCII.test(text)) return foldSenderId(text);
  // Both cases have look-alikes of their own: Н looks like H, and н like nothing; γ like y, and Γ like nothing.
  return latinised(foldSenderId(latinised(text.normalize('NFKC'))));
}

function latinised(text: string): string {
  let latin = '';
  for (const letter of text) latin += latinByLookAlike.get(letter) ?? letter;
  return latin;
}
