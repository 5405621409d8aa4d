/**
 * The table of listed hosts, read in place: a hash table from hosts to lists. Look-ups are exact, and a listed host
 * includes its subdomains. The build refuses public suffixes (publicsuffix.org), so the edge needs no list of them.
 */
import { utf8 } from '../bytes.ts';
import { HOST_CHARS_MAX, HOST_LABELS_MAX, HOST_LISTS_MAX, HOSTS_MAX } from '../limits/text.ts';
import { FORMAT_VERSION, HEADER_WORDS, HOSTS_MAGIC } from '../set/layout.ts';
import { LayoutError, openWords } from '../set/number-set.ts';

/** A host of a list, by its place in the manifest. */
export interface ListedHost {
  readonly host: string;
  readonly list: number;
}

const SLOTS_PER_HOST = 2;
const DOT = 0x2e;

/** Bits of a word of the table: the list above, the offset of the host below. */
const LIST_SHIFT = 27;
const OFFSET_MASK = 0x7ffffff;

/** The host and its parents, longest first: `a.b.example`, `b.example`, `example`. */
export function parentsOf(host: string, labels = HOST_LABELS_MAX): string[] {
  const parents = [host];
  for (let dot = host.indexOf('.'); dot !== -1 && parents.length < labels; dot = host.indexOf('.', dot + 1))
    parents.push(host.slice(dot + 1));
  return parents;
}

/**
 * @param rows each pair of host and list once; hosts in canonical form (hosts.ts)
 * @throws RangeError on more than HOSTS_MAX rows, or a row that has no binary form
 */
export function encodeHosts(rows: readonly ListedHost[]): Uint8Array<ArrayBuffer> {
  if (rows.length > HOSTS_MAX) throw new RangeError(`hosts: ${rows.length} rows, more than ${HOSTS_MAX}`);
  const sorted = rows.toSorted((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.list - b.list));
  const names: string[] = [];
  const offsets: number[] = [];
  let length = 0;
  sorted.forEach(({ host, list }, index) => {
    const before = sorted[index - 1];
    if (before?.host === host && before.list === list) throw new RangeError('hosts: two equal rows');
    if (!/^[a-z0-9_.-]+$/.test(host) || host.length > HOST_CHARS_MAX || list >= HOST_LISTS_MAX)
      throw new RangeError('hosts: a row has no binary form');
    offsets.push(length | (list << LIST_SHIFT));
    names.push(`${host}\n`);
    length += host.length + 1;
  });
  const text = utf8(names.join(''));
  const textWords = Math.ceil(text.length / 4);
  const bytes = new Uint8Array((HEADER_WORDS + rows.length + textWords) * 4);
  const words = new Uint32Array(bytes.buffer);
  words.set([HOSTS_MAGIC, FORMAT_VERSION, rows.length, text.length]);
  words.set(offsets, HEADER_WORDS);
  bytes.set(text, (HEADER_WORDS + rows.length) * 4);
  return bytes;
}

export class HostTable {
  readonly bytes: number;
  /** Rows of the table. */
  readonly count: number;
  readonly #rows: Uint32Array;
  readonly #text: Uint8Array;
  /** Row numbers from 1 by hash, linear probing; 0 for none. */
  readonly #slots: Uint32Array;

  /** @param lists of the manifest @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>, lists: number) {
    const words = openWords(bytes, HOSTS_MAGIC, 'host table');
    const [, , count, length] = words as unknown as [number, number, number, number];
    if (count > HOSTS_MAX || words.length !== HEADER_WORDS + count + Math.ceil(length / 4))
      throw new LayoutError('host table: truncated');
    this.count = count;
    this.#rows = words.subarray(HEADER_WORDS, HEADER_WORDS + count);
    this.#text = bytes.subarray((HEADER_WORDS + count) * 4, (HEADER_WORDS + count) * 4 + length);
    let slots = 16;
    while (slots < SLOTS_PER_HOST * count) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.bytes = bytes.length + this.#slots.byteLength;
    let end = 0;
    for (let row = 0; row < count; row++) {
      const word = this.#rows[row]!;
      if ((word & OFFSET_MASK) !== end || word >>> LIST_SHIFT >= lists)
        throw new LayoutError('host table: rows out of order');
      const start = end;
      let hash = 0;
      while (end < length && this.#text[end] !== 0x0a) hash = step(hash, this.#text[end++]!);
      if (end === start || end === length) throw new LayoutError('host table: a host is cut');
      end++;
      let slot = finish(hash) & (slots - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (slots - 1);
      this.#slots[slot] = row + 1;
    }
    if (end !== length) throw new LayoutError('host table: text after the last host');
  }

  /** All rows, in the order of their hosts, then of their lists. */
  *rows(): Generator<ListedHost> {
    const decoder = new TextDecoder();
    let start = 0;
    for (let row = 0; row < this.count; row++) {
      const end = this.#text.indexOf(0x0a, start);
      yield { host: decoder.decode(this.#text.subarray(start, end)), list: this.#rows[row]! >>> LIST_SHIFT };
      start = end + 1;
    }
  }

  /** Lists of the longest listed parent of a host, or none. @param host in canonical form */
  listsOf(host: string): number[] {
    let from = 0;
    for (let label = 0; label < HOST_LABELS_MAX; label++) {
      const lists = this.#listsOf(host, from);
      if (lists.length > 0) return lists;
      from = host.indexOf('.', from) + 1;
      if (from === 0) break;
    }
    return [];
  }

  /** Lists of exactly the host that begins at an index. */
  #listsOf(host: string, from: number): number[] {
    let hash = 0;
    for (let at = from; at < host.length; at++) hash = step(hash, host.charCodeAt(at));
    const mask = this.#slots.length - 1;
    const lists: number[] = [];
    for (let slot = finish(hash) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const word = this.#rows[this.#slots[slot]! - 1]!;
      if (this.#isAt(word & OFFSET_MASK, host, from)) lists.push(word >>> LIST_SHIFT);
    }
    return lists;
  }

  #isAt(offset: number, host: string, from: number): boolean {
    const length = host.length - from;
    for (let at = 0; at < length; at++)
      if (this.#text[offset + at] !== host.charCodeAt(from + at)) return false;
    return this.#text[offset + length] === 0x0a;
  }
}

function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193) + DOT;
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
