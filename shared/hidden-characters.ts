/**
 * Characters that a reader does not see, and that can reorder, split or join the displayed text: controls
 * (Unicode category Cc), format characters (Cf), line and paragraph separators, halves of surrogate pairs.
 *
 * No exception is made for U+200C and U+200D, which join letters in Persian or Hindi and pictures in emoji:
 * Korean text needs neither, and sender IDs that differ only in these characters look the same.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Printable ASCII has no hidden characters. This test takes a fraction of the time of HIDDEN. */
const PLAIN = /^[ -~]*$/;

/** Replaces each hidden character with a space. */
export function withoutHidden(text: string): string {
  return PLAIN.test(text) ? text : text.replace(new RegExp(HIDDEN, 'gu'), ' ');
}

export function hasHidden(text: string): boolean {
  return !PLAIN.test(text) && HIDDEN.test(text);
}
