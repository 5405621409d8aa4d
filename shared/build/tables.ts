/**
 * Builds the range table and the source table, which RangeTable and SourceTable read.
 */
import { FORMAT_VERSION, HEADER_WORDS, RANGE_ROW_BYTES, RANGES_MAGIC, SOURCES_MAGIC } from '../set/layout.ts';
import { columnsAt, type RangeRow } from '../set/range-table.ts';
import type { SourceRow } from '../set/source-table.ts';

/**
 * Cuts ranges at each other's ends, so that any two results are disjoint or equal. Joins neighbours with the same
 * dates. Equal results differ in their dates.
 * @param piecesMax stop once there are more pieces than this, and return them without joining them
 */
export function flattenRanges(ranges: readonly RangeRow[], piecesMax = Number.POSITIVE_INFINITY): RangeRow[] {
  const cuts = [...new Set(ranges.flatMap(({ from, to }) => [from, to + 1]))].sort((a, b) => a - b);
  const pieces: RangeRow[] = [];
  const open: RangeRow[] = [];
  const byStart = [...ranges].sort((a, b) => a.from - b.from);
  let next = 0;
  for (let index = 0; index + 1 < cuts.length; index++) {
    const from = cuts[index]!;
    const to = cuts[index + 1]! - 1;
    while (next < byStart.length && byStart[next]!.from <= from) open.push(byStart[next++]!);
    for (let at = open.length - 1; at >= 0; at--) if (open[at]!.to < from) open.splice(at, 1);
    const dates = new Map(open.map(({ since, until }) => [`${since} ${until}`, { since, until }]));
    const inOrder = [...dates.values()].sort((a, b) => a.since - b.since || a.until - b.until);
    for (const { since, until } of inOrder) pieces.push({ from, to, since, until });
    // Nested ranges with different dates can produce very many pieces.
    if (pieces.length > piecesMax) return pieces;
  }
  return joinNeighbours(pieces);
}

/** Joins neighbouring pieces. Leaves pieces of equal ranges alone, because equal ranges must stay equal. */
function joinNeighbours(pieces: readonly RangeRow[]): RangeRow[] {
  const isAlone = (index: number): boolean =>
    pieces[index]!.from !== pieces[index - 1]?.from && pieces[index]!.from !== pieces[index + 1]?.from;
  const joined: RangeRow[] = [];
  for (const [index, piece] of pieces.entries()) {
    const last = joined.at(-1);
    const isNext = last !== undefined && last.to + 1 === piece.from && isAlone(index - 1) && isAlone(index);
    if (isNext && last.since === piece.since && last.until === piece.until)
      joined[joined.length - 1] = { ...last, to: piece.to };
    else joined.push(piece);
  }
  return joined;
}

/** @param lists flattened ranges of each list */
export function encodeRanges(lists: readonly (readonly RangeRow[])[]): Uint8Array<ArrayBuffer> {
  const headerWords = HEADER_WORDS + lists.length + (lists.length & 1);
  const bytes = new Uint8Array(headerWords * 4 + lists.flat().length * RANGE_ROW_BYTES);
  const header = new Uint32Array(bytes.buffer, 0, headerWords);
  header.set([RANGES_MAGIC, FORMAT_VERSION, lists.length, 0, ...lists.map(({ length }) => length)]);
  let at = headerWords * 4;
  for (const ranges of lists) {
    const columns = columnsAt(bytes.buffer, at, ranges.length);
    for (const name of ['from', 'to', 'since', 'until'] as const)
      columns[name].set(ranges.map((range) => range[name]));
    at += ranges.length * RANGE_ROW_BYTES;
  }
  return bytes;
}

/** Returns the entries of one list in table order, without duplicates. */
export function sortSources(sources: readonly SourceRow[]): SourceRow[] {
  const byKey = new Map(
    sources.map((entry) => [`${entry.fingerprint} ${entry.since} ${entry.until}`, entry]),
  );
  return [...byKey.values()].sort(
    (a, b) =>
      Number(a.fingerprint > b.fingerprint) - Number(a.fingerprint < b.fingerprint) ||
      a.since - b.since ||
      a.until - b.until,
  );
}

/** @param lists sorted sources of each list */
export function encodeSources(lists: readonly (readonly SourceRow[])[]): Uint8Array<ArrayBuffer> {
  const rows = lists.flat().map(({ fingerprint, since, until }) => {
    return [Number(fingerprint >> 32n), Number(fingerprint & 0xffffffffn), since, until];
  });
  const counts = lists.map(({ length }) => length);
  const header = [SOURCES_MAGIC, FORMAT_VERSION, lists.length, 0, ...counts];
  return new Uint8Array(Uint32Array.from([...header, ...rows.flat()]).buffer);
}
