/** Reads a text once, for all layers: its hosts, its letters, its traits. Nothing of it is kept. */

import { findLinks } from './hosts.ts';
import { type Folded, fold } from './letters.ts';

/** Characters that nobody sees: controls, format characters, variation selectors, fillers of Hangul and Braille. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const WHITE = /\s/;
/** Letters of Korean, ASCII and what people usually write between them. One test spares most texts the other. */
const PLAIN = /^[ -~\uac00-\ud7a3\u3131-\u318e\n]*$/;

export interface ReadText extends Folded {
  readonly hosts: readonly string[];
  readonly hasLink: boolean;
  /** Characters that were removed because nobody sees them. */
  readonly hidden: number;
}

/** @param text at most TEXT_CHARS_MAX, well-formed UTF-16 */
export function readText(text: string): ReadText {
  let hidden = 0;
  const seen =
    PLAIN.test(text) && !text.includes('\u3164')
      ? text
      : text.replace(HIDDEN, (character) => {
          if (WHITE.test(character)) return ' ';
          hidden++;
          return '';
        });
  const { hosts, hasLink, rest } = findLinks(seen);
  return { ...fold(rest), hosts, hasLink, hidden };
}
