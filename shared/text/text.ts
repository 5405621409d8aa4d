/** Reads a text once, for all layers: its hosts, its letters, its traits. Nothing of it is kept. */

import { type FoundLinks, findLinks } from './hosts.ts';
import { LINK } from './letter-units.ts';
import { type Folded, fold, foldPlain } from './letters.ts';
import { isLatin, isNumeral, unitAt } from './units.ts';

/**
 * Runs of hidden characters: controls, format characters, halves of surrogate pairs, variation selectors, fillers of Hangul
 * and Braille. White space stays. LINK is removed too, so that only links that were found have this mark.
 */
const HIDDEN = /[[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\ufffc]--[\t-\r]]+/gv;
/** Texts without hidden characters that need no NFKC: most texts with a link. */
const PLAIN = /^[\t-\r -~\u3131-\u3163\uac00-\ud7a3]*$/;
/**
 * Most memory that reading takes in an isolate, in bytes: the letters of all units (letter-units.ts), and the endings of
 * hosts, some 100 KB.
 */
export const READING_BYTES = 0x1_0000 * Uint32Array.BYTES_PER_ELEMENT + 100_000;
const ENDING_BEFORE = /\.[a-z]{2,63}$/i;
/** Including its full stop. */
const ENDING_CHARS_MAX = 64;
const IN_WORD = /[\p{L}\p{N}]/u;

export interface ReadText extends Folded {
  /** In canonical form, each once: see hosts.ts. */
  readonly hosts: readonly string[];
  /** Hosts that a phone opens: see hosts.ts. */
  readonly opened: readonly string[];
  readonly hasLink: boolean;
  /** Last labels of the hosts of links: at most TEXT_ENDINGS_MAX. */
  readonly endings: readonly string[];
  /** Count of hidden characters that were removed from inside words. */
  readonly hidden: number;
}

const NO_LINKS: FoundLinks = { hosts: [], opened: [], hasLink: false, endings: [], rest: '' };

/** @param text at most TEXT_CHARS_MAX, well-formed UTF-16 */
export function readText(text: string): ReadText {
  if (!mayHaveLink(text)) {
    const plain = foldPlain(text, 0);
    if (plain !== null) return joined(plain, NO_LINKS, 0);
  } else if (PLAIN.test(text)) {
    const links = findLinks(text);
    return joined(foldPlain(links.rest, LINK)!, links, 0);
  }
  let hidden = 0;
  const seen = text.replace(HIDDEN, (row: string, at: number) => {
    if (IN_WORD.test(text[at - 1] ?? '') && IN_WORD.test(text[at + row.length] ?? '')) hidden += row.length;
    return '';
  });
  const links = findLinks(seen);
  const folded = fold(links.rest);
  if (hidden === 0) return joined(folded, links, 0);
  // A phone may end a host at a hidden character: it opens `evil.com` in `evil.com\u200bok`.
  const parted = text.replace(HIDDEN, (_, at: number) => (isAfterEnding(text, at) ? ' ' : ''));
  if (parted === seen) return joined(folded, links, hidden);
  const separate = findLinks(parted);
  const hosts = union(links.hosts, separate.hosts);
  return joined(folded, { ...links, hosts, opened: union(links.opened, separate.opened) }, hidden);
}

/** Whether the text before an index could be the end of a host. */
function isAfterEnding(text: string, at: number): boolean {
  return ENDING_BEFORE.test(text.slice(Math.max(0, at - ENDING_CHARS_MAX), at));
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

/** 한, 삼, 닷: the first syllables of all Korean endings of hosts (host-names.ts). */
const KOREAN_ENDINGS = [0xd55c, 0xc0bc, 0xb2f7];
/** This many full stops before digits could be those of an IPv4 address. */
const ADDRESS_STOPS = 3;

/** Whether a plain text may have a host or a link. Searching for full stops takes less time than a regular expression. */
function mayHaveLink(text: string): boolean {
  let stops = 0;
  for (let stop = text.indexOf('.'); stop !== -1; stop = text.indexOf('.', stop + 1)) {
    const next = unitAt(text, stop + 1);
    if (isNumeral(next) && ++stops === ADDRESS_STOPS) return true;
    const isEnding = isLatin(next) ? isLatin(unitAt(text, stop + 2)) : KOREAN_ENDINGS.includes(next);
    if (isEnding && isLabelEnd(unitAt(text, stop - 1))) return true;
  }
  return text.includes(':/') || text.includes(':\\');
}

function isLabelEnd(code: number): boolean {
  return isLatin(code) || isNumeral(code) || code === 0x2d || code === 0x5f || code >= 0x80;
}

/** Makes an object of one shape, without copying properties by name. */
function joined(
  { letters, cased, capitals, exclamations, digits, hasMoney }: Folded,
  { hosts, opened, hasLink, endings }: FoundLinks,
  hidden: number,
): ReadText {
  return {
    letters,
    cased,
    capitals,
    exclamations,
    digits,
    hasMoney,
    hosts,
    opened,
    hasLink,
    endings,
    hidden,
  };
}
