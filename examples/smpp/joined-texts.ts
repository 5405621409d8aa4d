/**
 * Joins the parts of a long text for checks. Parts do not wait for each other. Each part is checked together with the parts
 * before it, so the last part is checked with the whole text. A receiver cannot join a text without its last part.
 */
import { alphabetOf, type DefaultAlphabet } from './alphabets.ts';
import { headerOf, placeOf, textOf } from './parts.ts';
import type { Message } from './pdu.ts';

/** Maximum characters that numgate reads, in UTF-16 units. */
const CHARS_MAX = 2_000;
/** All parts of a text arrive within this time, in ms. */
const TEXT_MS = 60_000;
/** Maximum texts whose parts are remembered. With 2,000 characters each they take 8 MB. The oldest are forgotten first. */
const TEXTS_MAX = 2_000;

interface Known {
  readonly since: number;
  /** Parts by their number, from 1. */
  readonly parts: Map<number, string>;
}

export class JoinedTexts {
  readonly #alphabet: DefaultAlphabet;
  /** Oldest first. */
  readonly #texts = new Map<string, Known>();

  /** @param alphabet that the SMSC uses for data coding 0 */
  constructor(alphabet: DefaultAlphabet) {
    this.#alphabet = alphabet;
  }

  /** @returns the known parts of the text; undefined if the message has no readable text */
  read(pdu: Buffer, message: Message): string | undefined {
    const found = textOf(pdu, message);
    const alphabet = alphabetOf(pdu[message.dataCodingAt]!, this.#alphabet);
    if (found === null || alphabet === null) return undefined;
    const place = placeOf(pdu, message, found.octets);
    if (place === 'unreadable') return undefined;
    if (place === null) return bounded(alphabet.decode(found.octets));
    const { form, reference, total, number } = place;
    const own = alphabet.decode(found.octets.subarray(headerOf(place).length));
    const key = JSON.stringify([message.from, message.to, form, reference, total]);
    const { parts } = this.#known(key);
    const before = [...parts.values()].reduce((sum, { length }) => sum + length, 0);
    parts.set(number, own.slice(0, Math.max(0, CHARS_MAX - before)));
    if (parts.size === total) this.#texts.delete(key);
    return bounded(joined(parts));
  }

  #known(key: string): Known {
    const now = performance.now();
    const known = this.#texts.get(key);
    if (known !== undefined && now - known.since < TEXT_MS) return known;
    const begun = { since: now, parts: new Map<number, string>() };
    this.#texts.delete(key);
    this.#texts.set(key, begun);
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > TEXTS_MAX) this.#texts.delete(oldest!);
    return begun;
  }
}

/** Joins the parts in order, with a line feed where a part is missing. */
function joined(parts: ReadonlyMap<number, string>): string {
  let text = '';
  let expected = 1;
  for (const [number, part] of [...parts].sort(([a], [b]) => a - b)) {
    text += number === expected ? part : `\n${part}`;
    expected = number + 1;
  }
  return text;
}

function bounded(text: string): string {
  return text.slice(0, CHARS_MAX).toWellFormed();
}
