/**
 * A whole shard, the range table, the source table and the live segment as docs/format.md describes them,
 * assembled from lists of bytes.
 */
import { double, half, words } from './bytes.ts';

export interface NaivePart {
  /** The first key: prefix and suffix. */
  readonly start: readonly [number, number];
  /** The plain section of each list, or null. */
  readonly plain: readonly (readonly number[] | null)[];
  /** The dated section of each list, or null. */
  readonly dated: readonly (readonly number[] | null)[];
  /** Only in a pair shard: the number of clients in the group of a part with pairs. */
  readonly room?: number;
}

/** @param end first key after the shard */
export function naiveShard(
  parts: readonly NaivePart[],
  end: readonly [number, number],
  lists: number,
  magic = 'NGS1',
): number[] {
  const rowBytes = (2 + 2 * lists) * 4;
  const rows: number[] = [];
  const sections: number[] = [];
  const place = (section: readonly number[] | null | undefined): number => {
    if (section === null || section === undefined) return 0;
    const at = 24 + parts.length * rowBytes + sections.length;
    for (const byte of section) sections.push(byte);
    return at / 4;
  };
  for (const { start, plain, dated, room } of parts) {
    rows.push(...words(...start));
    for (let list = 0; list < lists; list++)
      rows.push(...words(place(plain[list]), room ?? place(dated[list])));
  }
  const letters = [...magic].map((letter) => letter.charCodeAt(0));
  return [...letters, ...words(2, lists, parts.length, ...end), ...rows].concat(sections);
}

export type NaiveRange = readonly [from: number, to: number, since: number, until: number];

/** @param lists ranges of each list, disjoint or equal, in order */
export function naiveRangeTable(lists: readonly (readonly NaiveRange[])[]): number[] {
  const bytes = [...'NGR1'].map((letter) => letter.charCodeAt(0));
  bytes.push(...words(2, lists.length, 0, ...lists.map((ranges) => ranges.length)));
  while (bytes.length % 8 !== 0) bytes.push(0);
  for (const ranges of lists) {
    for (const column of [0, 1] as const) for (const range of ranges) bytes.push(...double(range[column]));
    for (const column of [2, 3] as const) for (const range of ranges) bytes.push(...words(range[column]));
  }
  return bytes;
}

export type NaiveRegistered = readonly [place: number, from: number, to: number];

/** @param groups names of each, sorted @param lists ranges that are not own, then own ones; sorted by place and number */
export function naiveRegisteredTable(
  groups: readonly (readonly string[])[],
  lists: readonly (readonly NaiveRegistered[])[],
): number[] {
  const names = groups.flat();
  const text = [...new TextEncoder().encode(names.map((name) => `${name}\n`).join(''))];
  const bytes = [...'NGC2'].map((letter) => letter.charCodeAt(0));
  bytes.push(...words(2, names.length, text.length, ...lists.map((ranges) => ranges.length)));
  bytes.push(...words(...groups.map((each) => each.length)));
  for (const ranges of lists) {
    for (const column of [1, 2] as const) for (const range of ranges) bytes.push(...double(range[column]));
    for (const [place] of ranges) bytes.push(...words(place));
    while (bytes.length % 8 !== 0) bytes.push(0);
  }
  bytes.push(...text);
  while (bytes.length % 8 !== 0) bytes.push(0);
  return bytes;
}

export type NaiveSource = readonly [fingerprint: bigint, since: number, until: number];

/** @param lists sources of each list, sorted by fingerprint, since, until */
export function naiveSourceTable(lists: readonly (readonly NaiveSource[])[]): number[] {
  const bytes = [...'NGF1'].map((letter) => letter.charCodeAt(0));
  bytes.push(...words(2, lists.length, 0, ...lists.map((sources) => sources.length)));
  for (const [fingerprint, since, until] of lists.flat()) {
    bytes.push(...words(Number(fingerprint / 2n ** 32n), Number(fingerprint % 2n ** 32n), since, until));
  }
  return bytes;
}

export interface NaiveEntry {
  readonly kind: string;
  readonly high: number;
  readonly low: number;
  readonly until: number;
  readonly seq: number;
  readonly op: string;
  readonly subjects: number;
  readonly code: string | null;
  readonly authority: string;
  readonly rule?: string;
  readonly stage?: string;
}

/** @param entries in order: numbers before sources, by high, by low, newest first */
export function naiveSegment(entries: readonly NaiveEntry[]): number[] {
  const inOrder = (names: readonly string[]): string[] => [...new Set(names)].sort();
  const codes = inOrder(entries.map(({ code }) => code).filter((code) => code !== null));
  const makers = inOrder(entries.map(makerOf));
  const text = new TextEncoder().encode([...codes, ...makers].map((name) => `${name}\n`).join(''));
  const bytes = [...'NGL1'].map((letter) => letter.charCodeAt(0));
  bytes.push(...words(2, entries.length, text.length));
  for (const entry of entries) {
    const { kind, high, low, until, seq, op, subjects, code } = entry;
    bytes.push(...words(high, low, until, seq));
    bytes.push({ number: 0, source: 1 }[kind]! + 4 * { block: 0, unblock: 1, clear: 2 }[op]! + 16 * subjects);
    bytes.push(code === null ? 0 : codes.indexOf(code) + 1);
    bytes.push(...half(codes.length + makers.indexOf(makerOf(entry))));
  }
  return [...bytes, ...text];
}

function makerOf({ authority, rule, stage }: NaiveEntry): string {
  return [authority, rule, stage].filter((word) => word !== undefined).join(' ');
}
