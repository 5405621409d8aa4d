/**
 * Characters that a reader does not see, and that can reorder, split or join what is displayed: controls
 * (Unicode category Cc), format characters (Cf), line and paragraph separators, halves of surrogate pairs.
 *
 * No exception is made for U+200C and U+200D, which join letters in Persian or Hindi and pictures in emoji:
 * Korean text needs none of them, and a sender ID that differs only by them looks like another one.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Printable ASCII has none. This test takes a fraction of the time of the other. */
const PLAIN = /^[ -~]*$/;

/** The text with a space in place of each hidden character. */
export function withoutHidden(text: string): string {
  return PLAIN.test(text) ? text : text.replace(new RegExp(HIDDEN, 'gu'), ' ');
}

export function hasHidden(text: string): boolean {
  return !PLAIN.test(text) && HIDDEN.test(text);
}
