/**
 * The changes to registered senders since the release, in memory. The rows stay in their segments; those of a client
 * are joined when it is first looked up, into intervals where the newest change decides. A look-up is then one search
 * by name and one by number, for the sealed segments and for the unsealed rows of the head. What is joined is kept
 * while the sealed segments stay the same.
 */
import { REGISTRATION_ROW_WORDS } from '../set/layout.ts';
import {
  encodeRegistrationSegment,
  REGISTRATION_OPS,
  type RegistrationOp,
  RegistrationSegment,
} from './registration-segment.ts';

/** Joined intervals: from, to (8 bytes each), version (4), op (1), beside the row itself. */
const JOINED_BYTES = 21;

/** The changes of one client: disjoint intervals in ascending order. */
class ClientChanges {
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  readonly #versions: Uint32Array;
  readonly #ops: Uint8Array;

  /** @param rows segments with the rows of the client, from and to (exclusive) */
  constructor(rows: readonly ClientRows[]) {
    const pieces = joinNewest(rows);
    this.#from = Float64Array.from(pieces, ({ from }) => from);
    this.#to = Float64Array.from(pieces, ({ to }) => to);
    this.#versions = Uint32Array.from(pieces, ({ version }) => version);
    this.#ops = Uint8Array.from(pieces, ({ op }) => op);
  }

  /** Index of the interval with the number, or -1. */
  indexOf(n: number): number {
    const from = this.#from;
    let low = 0;
    let high = from.length;
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

interface ClientRows {
  readonly segment: RegistrationSegment;
  readonly first: number;
  readonly end: number;
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly version: number;
  /** Index in REGISTRATION_OPS. */
  readonly op: number;
}

/** Disjoint pieces of the rows, each with the newest row that covers it. O(n log n), however the rows overlap. */
function joinNewest(all: readonly ClientRows[]): Piece[] {
  const rows = all.flatMap(({ segment, first, end }) =>
    Array.from({ length: end - first }, (_, index) => ({
      from: segment.from(first + index),
      to: segment.to(first + index),
      version: segment.version(first + index),
      op: REGISTRATION_OPS.indexOf(segment.op(first + index)),
    })),
  );
  const cuts = Float64Array.from(new Set(rows.flatMap(({ from, to }) => [from, to + 1]))).sort();
  /** For each cut, a later one at or before the next piece that no row has taken. */
  const free = Int32Array.from(cuts.keys());
  const taken = new Map<number, Piece>();
  const nextFree = (index: number): number => {
    let at = index;
    while (free[at] !== at) {
      free[at] = free[free[at]!]!;
      at = free[at]!;
    }
    return at;
  };
  for (const row of rows.sort((a, b) => b.version - a.version)) {
    const end = indexIn(cuts, row.to + 1);
    for (let at = nextFree(indexIn(cuts, row.from)); at < end; at = nextFree(at)) {
      taken.set(at, row);
      free[at] = at + 1;
    }
  }
  const pieces: Piece[] = [];
  for (let at = 0; at + 1 < cuts.length; at++) {
    const row = taken.get(at);
    if (row !== undefined) pieces.push({ ...row, from: cuts[at]!, to: cuts[at + 1]! - 1 });
  }
  return pieces;
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

/** The changes of some segments, by client. */
class Changes {
  readonly segments: readonly RegistrationSegment[];
  readonly #clients = new Map<string, ClientChanges | null>();

  constructor(segments: readonly RegistrationSegment[]) {
    this.segments = segments;
  }

  /** Null for a client without changes. */
  of(client: string): ClientChanges | null {
    if (this.segments.length === 0) return null;
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    const rows = this.segments.flatMap((segment) => rowsOf(segment, client) ?? []);
    const changes = rows.length === 0 ? null : new ClientChanges(rows);
    this.#clients.set(client, changes);
    return changes;
  }
}

/** Null if the client has no rows. They follow each other, because rows are ordered by client. */
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
  /** Without changes. */
  static readonly EMPTY: RegistrationOverlay = new RegistrationOverlay(
    0,
    [],
    new RegistrationSegment(encodeRegistrationSegment([])),
  );

  /** Changes up to this version were removed: a release with an older one cannot be combined with this overlay. */
  readonly droppedVersion: number;
  readonly #sealed: Changes;
  readonly #unsealed: Changes;

  /** @param earlier an overlay whose joined changes are reused if it has the same segments */
  constructor(
    droppedVersion: number,
    segments: readonly RegistrationSegment[],
    unsealed: RegistrationSegment,
    earlier?: RegistrationOverlay,
  ) {
    this.droppedVersion = droppedVersion;
    const known = earlier === undefined ? undefined : earlier.#sealed;
    const isSame =
      known?.segments.length === segments.length &&
      segments.every((segment, index) => segment === known.segments[index]);
    this.#sealed = isSame ? known : new Changes(segments);
    this.#unsealed = new Changes(unsealed.count === 0 ? [] : [unsealed]);
  }

  /** Memory in bytes, once every client was looked up. */
  get bytes(): number {
    const rows = [...this.#sealed.segments, ...this.#unsealed.segments].reduce(
      (sum, { count }) => sum + count,
      0,
    );
    return rows * (REGISTRATION_ROW_WORDS * 4 + JOINED_BYTES);
  }

  /**
   * The newest change of a number for a client. Null if there is none after `version`, that of the release.
   * @param client `<organisation>/<client>`
   */
  find(n: number, client: string, version: number): RegistrationOp | null {
    const [sealed, unsealed] = [this.#sealed.of(client), this.#unsealed.of(client)];
    const inSealed = sealed === null ? -1 : sealed.indexOf(n);
    const inUnsealed = unsealed === null ? -1 : unsealed.indexOf(n);
    const sealedAt = inSealed < 0 ? 0 : sealed!.version(inSealed);
    const unsealedAt = inUnsealed < 0 ? 0 : unsealed!.version(inUnsealed);
    if (Math.max(sealedAt, unsealedAt) <= version) return null;
    return unsealedAt >= sealedAt ? unsealed!.op(inUnsealed) : sealed!.op(inSealed);
  }
}
