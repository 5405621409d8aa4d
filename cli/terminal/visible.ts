/**
 * Makes invisible characters visible. Text from elsewhere could otherwise move the cursor, recolour or hide
 * other text, or reverse its order (U+202E).
 */
import { randomInt } from 'node:crypto';
import { styleText as nodeStyleText } from 'node:util';

/** Marks the colour codes of this process. Text from elsewhere cannot contain it. */
const MARK = randomInt(2 ** 47);
const OWN_CODE = new RegExp(`\\u001b\\[${MARK};(\\d+m)`, 'g');
/** Controls, format characters, and the two separators that some programs read as the end of a line. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `styleText` of Node, in colours that `visible` keeps. */
export function styleText(format: Parameters<typeof nodeStyleText>[0], text: string): string {
  const [open = '', close = ''] = nodeStyleText(format, '|').split('|');
  const marked = (code: string): string => code.replaceAll('\u001b[', `\u001b[${MARK};`);
  return marked(open) + text + marked(close);
}

/** Escapes invisible characters as in JSON, line breaks included: U+202E becomes `\u202e`. */
export function visible(text: string): string {
  return text
    .split(OWN_CODE)
    .map((part, index) => (index % 2 === 0 ? part.replace(INVISIBLE, escaped) : `\u001b[${part}`))
    .join('');
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
