/**
 * An attack on published tables. It solves all sums of all versions together, and finds the hidden cells that can have only one
 * value. It shares no code with the product code that hides cells. It is exact: for each hidden cell it searches for a solution
 * with another value, by narrowing intervals and then splitting them.
 */

export interface Interval {
  readonly least: number;
  readonly most: number;
}

/** A sum of cells that readers know: `total` is the sum of `parts`. */
export interface KnownSum {
  readonly total: string;
  readonly parts: readonly string[];
}

/** What readers know of each cell in one version: its value, or its smallest and largest possible value. */
export type KnownCells = ReadonlyMap<string, Interval>;

/** Two versions, by index. No cell of `fewer` is larger than the same cell of `more`. */
export interface KnownOrder {
  readonly fewer: number;
  readonly more: number;
}

export interface Knowledge {
  readonly versions: readonly KnownCells[];
  readonly sums: readonly KnownSum[];
  readonly orders: readonly KnownOrder[];
}

export interface Recovered {
  readonly version: number;
  readonly cell: string;
  readonly value: number;
}

/** Maximum steps of a search. A search without an answer counts as recovered, so that a size limit hides no leak. */
const STEPS_MAX = 5_000;

interface Equation {
  readonly total: number;
  readonly parts: readonly number[];
}

/** True values by version. They speed up the search and do not change its result. */
type Exact = readonly ReadonlyMap<string, number>[];

class Solver {
  readonly #equations: readonly Equation[];
  readonly #orders: readonly (readonly [fewer: number, more: number])[];
  readonly least: number[];
  readonly most: number[];
  readonly index = new Map<string, number>();
  readonly #hints: number[] = [];
  #steps = 0;

  constructor({ versions, sums, orders }: Knowledge, exact: Exact) {
    const [least, most]: [number[], number[]] = [[], []];
    versions.forEach((cells, version) => {
      for (const [cell, known] of cells) {
        this.index.set(`${version} ${cell}`, least.length);
        least.push(known.least);
        most.push(known.most);
        this.#hints.push(exact[version]!.get(cell)!);
      }
    });
    this.least = least;
    this.most = most;
    const at = (version: number, cell: string): number | undefined => this.index.get(`${version} ${cell}`);
    this.#equations = versions.flatMap((_, version) =>
      sums.flatMap(({ total, parts }) => {
        const found = parts.map((part) => at(version, part));
        const sum = at(version, total);
        if (sum === undefined || found.includes(undefined)) return [];
        return [{ total: sum, parts: found as number[] }];
      }),
    );
    this.#orders = orders.flatMap(({ fewer, more }) =>
      [...versions[fewer]!.keys()].flatMap((cell) => {
        const [one, other] = [at(fewer, cell), at(more, cell)];
        return one === undefined || other === undefined ? [] : [[one, other] as const];
      }),
    );
  }

  /** Whether a solution exists with this variable in this interval; null if the search was too long. */
  canBe(variable: number, interval: Interval): boolean | null {
    this.#steps = 0;
    const [least, most] = [[...this.least], [...this.most]];
    least[variable] = Math.max(least[variable]!, interval.least);
    most[variable] = Math.min(most[variable]!, interval.most);
    return this.#solve(least, most);
  }

  /** Narrows intervals until nothing changes. @returns false if there is no solution */
  narrow(least: number[], most: number[]): boolean {
    for (let isChanged = true; isChanged; ) {
      isChanged = false;
      const set = (at: number, low: number, high: number): boolean => {
        if (low > least[at]!) [least[at], isChanged] = [low, true];
        if (high < most[at]!) [most[at], isChanged] = [high, true];
        return least[at]! <= most[at]!;
      };
      for (const { total, parts } of this.#equations) {
        const low = parts.reduce((sum, part) => sum + least[part]!, 0);
        const high = parts.reduce((sum, part) => sum + most[part]!, 0);
        if (!set(total, low, high)) return false;
        for (const part of parts) {
          const [below, above] = [low - least[part]!, high - most[part]!];
          if (!set(part, least[total]! - above, most[total]! - below)) return false;
        }
      }
      for (const [fewer, more] of this.#orders) {
        if (!set(fewer, 0, most[more]!) || !set(more, least[fewer]!, Number.MAX_SAFE_INTEGER)) return false;
      }
    }
    return true;
  }

  #solve(least: number[], most: number[]): boolean | null {
    if (++this.#steps > STEPS_MAX) return null;
    if (!this.narrow(least, most)) return false;
    let open = -1;
    for (let at = 0; at < least.length; at++) {
      const width = most[at]! - least[at]!;
      if (width > 0 && (open < 0 || width < most[open]! - least[open]!)) open = at;
    }
    if (open < 0) return true;
    // Values near the true one come first, to find a solution at once. The others follow, so the order only saves time.
    const [low, high] = [least[open]!, most[open]!];
    const near = Math.min(Math.max(this.#hints[open]!, low), high);
    for (const [from, to] of [
      [near, near],
      [low, near - 1],
      [near + 1, high],
    ] as const) {
      if (from > to) continue;
      const [below, above] = [[...least], [...most]];
      below[open] = from;
      above[open] = to;
      const found = this.#solve(below, above);
      if (found !== false) return found;
    }
    return false;
  }
}

/** Finds the hidden cells that can have only one value. */
export function recoveredCells(knowledge: Knowledge, exact: Exact): Recovered[] {
  const solver = new Solver(knowledge, exact);
  const recovered: Recovered[] = [];
  knowledge.versions.forEach((cells, version) => {
    for (const [cell, { least, most }] of cells) {
      const value = exact[version]!.get(cell)!;
      if (value < least || value > most) throw new Error(`version ${version} says ${cell} is not ${value}`);
      if (least === most) continue;
      const at = solver.index.get(`${version} ${cell}`)!;
      const isOpen =
        solver.canBe(at, { least: value + 1, most }) === true ||
        solver.canBe(at, { least, most: value - 1 }) === true;
      if (!isOpen) recovered.push({ version, cell, value });
    }
  });
  return recovered;
}

/** How many values a cell can have, at most `enough`. */
export function possibleValues(
  knowledge: Knowledge,
  exact: Exact,
  version: number,
  cell: string,
  enough: number,
): number {
  const solver = new Solver(knowledge, exact);
  const [least, most] = [[...solver.least], [...solver.most]];
  if (!solver.narrow(least, most)) return 0;
  const at = solver.index.get(`${version} ${cell}`)!;
  let count = 0;
  for (let value = least[at]!; value <= most[at]! && count < enough; value++)
    if (solver.canBe(at, { least: value, most: value }) === true) count++;
  return count;
}
