/**
 * Decides which cells of published tables are hidden, so that nobody can compute a small count from other cells. Pure.
 *
 * A count from 1 to SMALL_COUNT - 1 is hidden. So is a cell that changed by such a count since an earlier version, and a
 * cell that an earlier version hid. That is not enough, because totals can reveal a hidden cell. So each hidden cell needs
 * a witness: another solution of all published tables, in all versions, in which the cell has another value. While a cell
 * has none, one more cell is hidden. docs/decisions/0035-hide-cells-until-each-has-a-witness.md explains it.
 *
 * Every cell is part of at most one sum. A total may be the sum of several tables, and part of another one.
 */
import { OPEN_VALUES_MIN, SMALL_COUNT, WITNESS_STEPS_MAX } from '../limits/statistics.ts';

/** A published sum: the cell `total` is the sum of the cells `parts`. */
export interface Sum {
  readonly total: string;
  readonly parts: readonly string[];
}

export interface Version {
  readonly values: ReadonlyMap<string, number>;
  readonly hidden: ReadonlySet<string>;
}

export interface Figures {
  readonly sums: readonly Sum[];
  /** Exact values of all cells. */
  readonly values: ReadonlyMap<string, number>;
  /** Cells that are never published (names in a row "others"), and the largest value that readers can assume. */
  readonly unnamed: ReadonlyMap<string, number>;
  /** Values that cells had reached while the month was open. Readers know these values. */
  readonly reached: ReadonlyMap<string, number>;
  /** Earlier versions, the first one first. Their sums are the same. */
  readonly earlier: readonly Version[];
}

export function isSmall(count: number): boolean {
  return count > 0 && count < SMALL_COUNT;
}

/** Cells to hide in the new version. O(cells x versions) for ordinary tables; deterministic. */
export function hiddenCells(figures: Figures): ReadonlySet<string> {
  return new Search(figures).run();
}

/** How the cells of a version compare with another version: all at most as large, all at least as large, or mixed. */
type Order = 'fewer' | 'more' | 'mixed';

/**
 * Whether a changed cell still compares with the cell of another version as readers may know: reports were withdrawn, or
 * came late, in this cell or in all cells.
 */
function fits(other: number, value: number, changed: number, order: Order): boolean {
  if (order === 'fewer') return changed <= other;
  if (order === 'more') return changed >= other;
  return value === other || value < other === changed < other;
}

class Search {
  readonly #figures: Figures;
  readonly #partOf = new Map<string, Sum>();
  readonly #totalOf = new Map<string, Sum[]>();
  readonly #hidden: Set<string>;
  readonly #versions: readonly Version[];
  readonly #orders = new Map<string, Order>();
  #steps = 0;
  /** Sums without room for a move, in the last search. */
  #blocked = new Set<Sum>();

  constructor(figures: Figures) {
    this.#figures = figures;
    for (const sum of figures.sums) {
      for (const part of sum.parts) this.#partOf.set(part, sum);
      this.#totalOf.set(sum.total, [...(this.#totalOf.get(sum.total) ?? []), sum]);
    }
    const { values, unnamed, earlier } = figures;
    this.#hidden = new Set([...values.keys()].filter((cell) => this.#isHiddenAnyhow(cell)));
    for (const cell of unnamed.keys()) this.#hidden.add(cell);
    this.#versions = [...earlier, { values, hidden: this.#hidden }];
  }

  run(): ReadonlySet<string> {
    // Hiding more cells never removes a witness, so each cell is examined once.
    for (const cell of this.#hidden) while (!this.#isOpen(cell) && this.#hideOne(cell)) {}
    return this.#hidden;
  }

  #isHiddenAnyhow(cell: string): boolean {
    const { values, earlier } = this.#figures;
    const value = values.get(cell)!;
    if (isSmall(value)) return true;
    return earlier.some(
      (version) => version.hidden.has(cell) || isSmall(Math.abs(value - (version.values.get(cell) ?? value))),
    );
  }

  /** Whether the value of a hidden cell stays open in every version, and whether its small changes do. */
  #isOpen(cell: string): boolean {
    this.#blocked = new Set();
    const newest = this.#versions.length - 1;
    return this.#versions.every(({ values, hidden }, at) => {
      if (!hidden.has(cell)) return true;
      const value = values.get(cell) ?? 0;
      // Only small counts need several witnesses. A large count needs one, and 0 needs none.
      const needed = isSmall(value) ? OPEN_VALUES_MIN - 1 : value === 0 ? 0 : 1;
      if (!this.#hasWitnesses(cell, at, 0, needed)) return false;
      if (at !== newest) return true;
      return this.#versions.slice(0, newest).every((earlier, before) => {
        const change = Math.abs(value - (earlier.values.get(cell) ?? value));
        return !isSmall(change) || this.#hasWitnesses(cell, at, before + 1, OPEN_VALUES_MIN - 1);
      });
    });
  }

  /** @param at version of the value @param first earliest version that may change with it @param needed other values */
  #hasWitnesses(cell: string, at: number, first: number, needed: number): boolean {
    let found = 0;
    for (let by = 1; by < SMALL_COUNT && found < needed; by++)
      for (const change of [by, -by])
        if (found < needed && this.#hasWitness(cell, at, first, change)) found++;
    return found >= needed;
  }

  /** Tries the same change in several consecutive versions. All other versions stay as they are. */
  #hasWitness(cell: string, at: number, first: number, change: number): boolean {
    const newest = this.#versions.length - 1;
    // If all later versions change too, the differences between them stay the same.
    for (const to of newest === at ? [at] : [newest, at]) {
      for (let from = at; from >= Math.min(first, at); from--) {
        if (!this.#versions[from]!.hidden.has(cell)) break;
        this.#steps = 0;
        if (this.#canMove(cell, change, null, from, to)) return true;
      }
    }
    return false;
  }

  /** Whether a cell can change so that each of its sums, except `done`, can still be right. */
  #canMove(cell: string, by: number, done: Sum | null, from: number, to: number): boolean {
    if (++this.#steps > WITNESS_STEPS_MAX || !this.#mayChange(cell, by, from, to)) return false;
    const own = this.#partOf.get(cell);
    if (own !== undefined && own !== done) {
      const move = (other: string, change: number): boolean => this.#canMove(other, change, own, from, to);
      const isBalanced = own.parts.some((part) => part !== cell && move(part, -by)) || move(own.total, by);
      if (!isBalanced) return this.#block(own);
    }
    return (this.#totalOf.get(cell) ?? []).every(
      (sum) =>
        sum === done || sum.parts.some((part) => this.#canMove(part, by, sum, from, to)) || this.#block(sum),
    );
  }

  #block(sum: Sum): false {
    this.#blocked.add(sum);
    return false;
  }

  /** Whether the known facts about one cell allow a change in these versions. */
  #mayChange(cell: string, by: number, from: number, to: number): boolean {
    const { unnamed, reached } = this.#figures;
    for (let at = from; at <= to; at++) {
      const { values, hidden } = this.#versions[at]!;
      if (!hidden.has(cell)) return false;
      const value = values.get(cell) ?? 0;
      const changed = value + by;
      // A hidden cell is known not to be 0, unless an earlier version hid it already.
      const isUnnamed = unnamed.has(cell);
      const isSticky = this.#versions.slice(0, at).some((version) => version.hidden.has(cell));
      const least = isUnnamed || isSticky ? 0 : 1;
      if (changed < Math.max(least, Math.min(reached.get(cell) ?? 0, value))) return false;
      if (isUnnamed && changed > Math.max(unnamed.get(cell)!, value)) return false;
      const isInOrder = this.#versions.every(
        (other, index) =>
          (index >= from && index <= to) ||
          fits(other.values.get(cell) ?? value, value, changed, this.#orderOf(index, at)),
      );
      if (!isInOrder) return false;
    }
    return true;
  }

  /** How all cells of a version compare with those of another one. */
  #orderOf(one: number, other: number): Order {
    const key = `${one} ${other}`;
    const known = this.#orders.get(key);
    if (known !== undefined) return known;
    const [before, after] = [this.#versions[one]!.values, this.#versions[other]!.values];
    const cells = [...after].filter(([cell]) => before.has(cell));
    const isFewer = cells.every(([cell, value]) => value <= before.get(cell)!);
    const isMore = cells.every(([cell, value]) => value >= before.get(cell)!);
    const order = isFewer ? 'fewer' : isMore ? 'more' : 'mixed';
    this.#orders.set(key, order);
    return order;
  }

  /** Hides the smallest cell that a sum without room still shows. @returns false if there is none */
  #hideOne(cell: string): boolean {
    const own = this.#partOf.get(cell);
    const sums = new Set([
      ...(own === undefined ? [] : [own]),
      ...(this.#totalOf.get(cell) ?? []),
      ...this.#blocked,
    ]);
    const { values } = this.#figures;
    const shown = (names: Iterable<string>): string[] =>
      [...new Set(names)]
        .filter((name) => !this.#hidden.has(name) && values.get(name)! > 0)
        .sort((one, other) => values.get(one)! - values.get(other)! || (one < other ? -1 : 1));
    const [part = shown([...sums].map(({ total }) => total))[0]] = shown(
      [...sums].flatMap(({ parts }) => parts),
    );
    if (part === undefined) return false;
    this.#hidden.add(part);
    return true;
  }
}
