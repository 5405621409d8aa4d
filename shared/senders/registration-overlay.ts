/**
 * The changes to registered senders since the release, in memory. The rows stay in their segments. When a client is first
 * looked up, its rows are joined, segment by segment, into intervals where the newest change decides. A look-up is then one
 * search by number in each segment that has the client. Joined intervals are kept as long as their segment, so a change of
 * the head joins only the rows that it adds, however many changes a client has.
 */
import { REGISTRATION_ROW_WORDS } from '../set/layout.ts';
import {
  encodeRegistrationSegment,
  REGISTRATION_OPS,
  type RegistrationOp,
  RegistrationSegment,
} from './registration-segment.ts';

/** Joined intervals: from, to (8 bytes each), version (4), op (1), and a cell (4), beside the row itself. */
const JOINED_BYTES = 25;

interface ClientRows {
  readonly segment: RegistrationSegment;
  readonly first: number;
  readonly end: number;
}

/** The changes of one client in one segment: disjoint intervals in ascending order. */
class ClientChanges {
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  readonly #versions: Uint32Array;
  readonly #ops: Uint8Array;
  /**
   * Count of intervals that start before each cell, and at the end of all intervals. There are as many cells as intervals,
   * of equal width, so most cells hold one or two. A search in all intervals takes more than twice as long.
   */
  readonly #cells: Uint32Array;
  /** Cells per number. */
  readonly #density: number;

  constructor({ segment, first, end }: ClientRows) {
    const rows = Uint32Array.from({ length: end - first }, (_, index) => first + index);
    const from = Float64Array.from(rows, (row) => segment.from(row));
    const to = Float64Array.from(rows, (row) => segment.to(row));
    const isDisjoint = from.every((start, index) => index === 0 || start > to[index - 1]!);
    const pieces = isDisjoint ? { from, to, rows } : joinNewest(segment, rows, from, to);
    this.#from = pieces.from;
    this.#to = pieces.to;
    this.#versions = Uint32Array.from(pieces.rows, (row) => segment.version(row));
    this.#ops = Uint8Array.from(pieces.rows, (row) => REGISTRATION_OPS.indexOf(segment.op(row)));
    const count = pieces.from.length;
    this.#density = count / (pieces.from[count - 1]! - pieces.from[0]! + 1);
    this.#cells = new Uint32Array(count + 1);
    for (const start of pieces.from) this.#cells[this.#cellOf(start) + 1]!++;
    for (let cell = 1; cell <= count; cell++) this.#cells[cell]! += this.#cells[cell - 1]!;
  }

  #cellOf(n: number): number {
    const { length } = this.#from;
    return Math.max(0, Math.min(length - 1, Math.floor((n - this.#from[0]!) * this.#density)));
  }

  /** Index of the interval with the number, or -1. */
  indexOf(n: number): number {
    const from = this.#from;
    // Intervals of earlier cells start before this number, those of later cells after it.
    const cell = this.#cellOf(n);
    let low = this.#cells[cell]!;
    let high = this.#cells[cell + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (from[middle]! <= n) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.#to[low - 1]! >= n ? low - 1 : -1;
  }

  version(index: number): number {
    return this.#versions[index]!;
  }

  op(index: number): RegistrationOp {
    return REGISTRATION_OPS[this.#ops[index]!]!;
  }
}

/** Disjoint intervals, each with the row that decides. */
interface Pieces {
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly rows: Uint32Array;
}

/** Finds the newest row of each number. O(n log n), however the rows overlap. @param from of each row, likewise `to` */
function joinNewest(
  segment: RegistrationSegment,
  rows: Uint32Array,
  from: Float64Array,
  to: Float64Array,
): Pieces {
  const ends = Float64Array.from(to, (last) => last + 1);
  const cuts = distinct(from, ends);
  /** Following this from a cut (union-find) leads to the next piece that no row has taken. */
  const free = Int32Array.from(cuts.keys());
  /** For each piece, the row that has taken it, or -1. */
  const taken = new Int32Array(cuts.length).fill(-1);
  const nextFree = (index: number): number => {
    let at = index;
    while (free[at] !== at) {
      free[at] = free[free[at]!]!;
      at = free[at]!;
    }
    return at;
  };
  const newestFirst = Uint32Array.from(rows.keys()).sort(
    (a, b) => segment.version(rows[b]!) - segment.version(rows[a]!),
  );
  for (const index of newestFirst) {
    const end = indexIn(cuts, ends[index]!);
    for (let at = nextFree(indexIn(cuts, from[index]!)); at < end; at = nextFree(at)) {
      taken[at] = index;
      free[at] = at + 1;
    }
  }
  const pieces = Uint32Array.from(cuts.keys()).filter((at) => taken[at]! >= 0);
  return {
    from: Float64Array.from(pieces, (at) => cuts[at]!),
    to: Float64Array.from(pieces, (at) => cuts[at + 1]! - 1),
    rows: Uint32Array.from(pieces, (at) => rows[taken[at]!]!),
  };
}

/** All values without duplicates, in ascending order. */
function distinct(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all.sort().filter((value, index) => index === 0 || value !== all[index - 1]);
}

/** @param value one of `sorted` */
function indexIn(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The changes of one segment, by client. All overlays with this segment share the joined intervals. */
class Changes {
  readonly segment: RegistrationSegment;
  readonly #clients = new Map<string, ClientChanges | null>();

  constructor(segment: RegistrationSegment) {
    this.segment = segment;
  }

  /** Null for a client without changes. */
  of(client: string): ClientChanges | null {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    const rows = rowsOf(this.segment, client);
    const changes = rows === null ? null : new ClientChanges(rows);
    this.#clients.set(client, changes);
    return changes;
  }
}

/** The rows of a client, which are adjacent, because rows are ordered by client. Null if there are none. */
function rowsOf(segment: RegistrationSegment, client: string): ClientRows | null {
  const { clients, count } = segment;
  const index = firstWhere(clients.length, (at) => clients[at]! >= client);
  if (clients[index] !== client) return null;
  const first = firstWhere(count, (row) => segment.clientIndex(row) >= index);
  return { segment, first, end: firstWhere(count, (row) => segment.clientIndex(row) > index) };
}

/** The first index below `count` for which a rising condition holds; `count` if there is none. */
function firstWhere(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class RegistrationOverlay {
  /** The overlay without changes. */
  static readonly EMPTY: RegistrationOverlay = new RegistrationOverlay(
    0,
    [],
    new RegistrationSegment(encodeRegistrationSegment([])),
  );

  /** Changes up to this version were removed. A release with an older version cannot be combined with this overlay. */
  readonly droppedVersion: number;
  /** Changes of the sealed segments, and of the unsealed rows if there are any. */
  readonly #changes: readonly Changes[];
  /** The changes of each client that was looked up. */
  readonly #byClient = new Map<string, readonly ClientChanges[]>();

  /** @param earlier an overlay whose joined changes are reused for the segments that both have */
  constructor(
    droppedVersion: number,
    segments: readonly RegistrationSegment[],
    unsealed: RegistrationSegment,
    earlier?: RegistrationOverlay,
  ) {
    this.droppedVersion = droppedVersion;
    const before = earlier === undefined ? [] : earlier.#changes;
    const known = new Map(before.map((changes) => [changes.segment, changes]));
    const all = [...segments, unsealed].filter(({ count }) => count > 0);
    this.#changes = all.map((segment) => known.get(segment) ?? new Changes(segment));
  }

  /** Memory in bytes, once every client was looked up. */
  get bytes(): number {
    const rows = this.#changes.reduce((sum, { segment }) => sum + segment.count, 0);
    return rows * (REGISTRATION_ROW_WORDS * 4 + JOINED_BYTES);
  }

  #of(client: string): readonly ClientChanges[] {
    const known = this.#byClient.get(client);
    if (known !== undefined) return known;
    const found = this.#changes.map((changes) => changes.of(client)).filter((changes) => changes !== null);
    this.#byClient.set(client, found);
    return found;
  }

  /**
   * The newest change of a number for a client. Null if there is none after `version`, the version of the release.
   * @param client `<organisation>/<client>`
   */
  find(n: number, client: string, version: number): RegistrationOp | null {
    if (this.#changes.length === 0) return null;
    let newest = version;
    let op: RegistrationOp | null = null;
    for (const changes of this.#of(client)) {
      const index = changes.indexOf(n);
      if (index < 0 || changes.version(index) <= newest) continue;
      newest = changes.version(index);
      op = changes.op(index);
    }
    return op;
  }
}
