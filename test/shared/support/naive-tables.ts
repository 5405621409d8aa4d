/**
 * A whole shard, the range table and the source table as docs/format.md describes them, put together
 * from lists of bytes.
 */
import { double, words } from './bytes.ts';

export interface NaivePart {
  /** First key: head, tail. */
  readonly start: readonly [number, number];
  /** For each list its plain section, or null. */
  readonly plain: readonly (readonly number[] | null)[];
  /** For each list its dated section, or null. */
  readonly dated: readonly (readonly number[] | null)[];
}

/** @param end first key behind the shard */
export function naiveShard(
  parts: readonly NaivePart[],
  end: readonly [number, number],
  lists: number,
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
  for (const { start, plain, dated } of parts) {
    rows.push(...words(...start));
    for (let list = 0; list < lists; list++) rows.push(...words(place(plain[list]), place(dated[list])));
  }
  const magic = [...'NGS1'].map((letter) => letter.charCodeAt(0));
  return [...magic, ...words(1, lists, parts.length, ...end), ...rows].concat(sections);
}

export type NaiveRange = readonly [from: number, to: number, since: number, until: number];

/** @param lists ranges of each list, disjoint or equal, in order */
export function naiveRangeTable(lists: readonly (readonly NaiveRange[])[]): number[] {
  const bytes = [...'NGR1'].map((letter) => letter.charCodeAt(0));
  bytes.push(...words(1, lists.length, 0, ...lists.map((ranges) => ranges.length)));
  while (bytes.length % 8 !== 0) bytes.push(0);
  for (const ranges of lists) {
    for (const column of [0, 1] as const) for (const range of ranges) bytes.push(...double(range[column]));
    for (const column of [2, 3] as const) for (const range of ranges) bytes.push(...words(range[column]));
  }
  return bytes;
}

export type NaiveSource = readonly [fingerprint: bigint, since: number, until: number];

/** @param lists sources of each list, sorted by fingerprint, since, until */
export function naiveSourceTable(lists: readonly (readonly NaiveSource[])[]): number[] {
  const bytes = [...'NGF1'].map((letter) => letter.charCodeAt(0));
  bytes.push(...words(1, lists.length, 0, ...lists.map((sources) => sources.length)));
  for (const [fingerprint, since, until] of lists.flat()) {
    bytes.push(...words(Number(fingerprint / 2n ** 32n), Number(fingerprint % 2n ** 32n), since, until));
  }
  return bytes;
}
