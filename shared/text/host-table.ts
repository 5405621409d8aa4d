/**
 * The table of listed hosts, read in place: a hash table from hosts to lists. Look-ups are exact, and a listed host
 * includes its subdomains. The build refuses public suffixes (publicsuffix.org), so the edge needs no list of them.
 */
import { utf8 } from '../bytes.ts';
import { HOST_CHARS_MAX, HOST_LABELS_MAX, HOST_LISTS_MAX, HOSTS_MAX } from '../limits/text.ts';
import { FORMAT_VERSION, HEADER_WORDS, HOSTS_MAGIC } from '../set/layout.ts';
import { LayoutError, openWords } from '../set/number-set.ts';

/** A host, and the place of its list in the manifest. */
export interface ListedHost {
  readonly host: string;
  readonly list: number;
}

const SLOTS_MIN = 16;
const SLOTS_PER_HOST = 2;
const DOT = 0x2e;
const LINE_FEED = 0x0a;

/** Bits of a word of the table: the list in the upper bits, the offset of the host in the lower ones. */
const LIST_SHIFT = 27;
const OFFSET_MASK = 0x7ffffff;

/** The host and its parents, if they have at most `labels` labels, longest first: `a.b.example`, `b.example`, `example`. */
export function parentsOf(host: string, labels = HOST_LABELS_MAX): string[] {
  const parents: string[] = [];
  for (let dot = host.length; dot !== -1 && parents.length < labels; ) {
    dot = dot === 0 ? -1 : host.lastIndexOf('.', dot - 1);
    parents.push(host.slice(dot + 1));
  }
  return parents.reverse();
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
    const labels = host.split('.').length;
    if (!/^[a-z0-9_.-]+$/.test(host) || host.length > HOST_CHARS_MAX || labels > HOST_LABELS_MAX)
      throw new RangeError(`hosts: ${JSON.stringify(host)} has no binary form`);
    if (!(list >= 0 && list < HOST_LISTS_MAX)) throw new RangeError('hosts: there is no such list');
    offsets.push((length | (list << LIST_SHIFT)) >>> 0);
    names.push(`${host}\n`);
    length += host.length + 1;
  });
  const text = utf8(names.join(''));
  const bytes = new Uint8Array((HEADER_WORDS + rows.length + Math.ceil(text.length / 4)) * 4);
  const words = new Uint32Array(bytes.buffer);
  words.set([HOSTS_MAGIC, FORMAT_VERSION, rows.length, text.length]);
  words.set(offsets, HEADER_WORDS);
  bytes.set(text, (HEADER_WORDS + rows.length) * 4);
  return bytes;
}

export class HostTable {
  /** Bytes of the table and of the slots that find its rows. */
  readonly bytes: number;
  /** Rows of the table. */
  readonly count: number;
  readonly #rows: Uint32Array;
  readonly #text: Uint8Array;
  /** Row numbers from 1 by hash, linear probing; 0 for none. At least half of them are 0, so every probe ends. */
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
    let slots = SLOTS_MIN;
    while (slots < SLOTS_PER_HOST * count) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.bytes = bytes.length + this.#slots.byteLength;
    let end = 0;
    for (let row = 0; row < count; row++) {
      const word = this.#rows[row]!;
      if ((word & OFFSET_MASK) !== end || word >>> LIST_SHIFT >= lists)
        throw new LayoutError('host table: rows out of order');
      const start = end;
      while (end < length && this.#text[end] !== LINE_FEED) end++;
      if (end === start || end === length || end - start > HOST_CHARS_MAX)
        throw new LayoutError('host table: not a host');
      end++;
      // Otherwise one host could have so many equal rows that inserting them takes quadratic time.
      if (row > 0 && !this.#isAfter(row)) throw new LayoutError('host table: rows out of order');
      this.#insert(row, start, end - 1);
    }
    if (end !== length) throw new LayoutError('host table: text after the last host');
  }

  /** Lists of the host, or else of its longest listed parent. Reads the host once. @param host in canonical form */
  listsOf(host: string): number[] {
    let found: number[] = [];
    let hash = 0;
    for (let at = host.length - 1; at >= 0; at--) {
      hash = step(hash, host.charCodeAt(at));
      if (at > 0 && host.charCodeAt(at - 1) !== DOT) continue;
      const lists = this.#listsAt(finish(hash), host, at);
      if (lists !== null) found = lists;
    }
    return found;
  }

  /** All rows, in the order of the table: by host, then by list. */
  *rows(): Generator<ListedHost> {
    const decoder = new TextDecoder();
    for (let row = 0; row < this.count; row++) {
      const start = this.#offset(row);
      const end = this.#text.indexOf(LINE_FEED, start);
      yield { host: decoder.decode(this.#text.subarray(start, end)), list: this.#rows[row]! >>> LIST_SHIFT };
    }
  }

  #offset(row: number): number {
    return this.#rows[row]! & OFFSET_MASK;
  }

  /** Whether a row has a greater host than the row before it, or the same one and a later list. */
  #isAfter(row: number): boolean {
    const text = this.#text;
    let [a, b] = [this.#offset(row - 1), this.#offset(row)];
    while (text[a] === text[b] && text[a] !== LINE_FEED) {
      a++;
      b++;
    }
    // The line feed is less than any character of a host, so a host comes before those that begin with it.
    if (text[a] !== text[b]) return text[a]! < text[b]!;
    return this.#rows[row - 1]! >>> LIST_SHIFT < this.#rows[row]! >>> LIST_SHIFT;
  }

  #insert(row: number, start: number, end: number): void {
    let hash = 0;
    for (let at = end - 1; at >= start; at--) hash = step(hash, this.#text[at]!);
    const mask = this.#slots.length - 1;
    let slot = finish(hash) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  /** Lists of exactly the host that begins at an index, or null. */
  #listsAt(hash: number, host: string, from: number): number[] | null {
    const mask = this.#slots.length - 1;
    let lists: number[] | null = null;
    for (let slot = hash & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (!this.#isAt(this.#offset(row), host, from)) continue;
      lists ??= [];
      lists.push(this.#rows[row]! >>> LIST_SHIFT);
    }
    return lists;
  }

  #isAt(offset: number, host: string, from: number): boolean {
    const length = host.length - from;
    for (let at = 0; at < length; at++)
      if (this.#text[offset + at] !== host.charCodeAt(from + at)) return false;
    return this.#text[offset + length] === LINE_FEED;
  }
}

/** Adds a character to a hash. Hosts are read from the end, so that the hash of each parent is computed on the way. */
function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193) + DOT;
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
