/** Hidden cells: published values must not reveal them, even if all are combined. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Knowledge,
  type KnownCells,
  type KnownOrder,
  possibleValues,
  recoveredCells,
} from '../../../bench/lib/subtraction-attack.ts';
import { OPEN_VALUES_MIN } from '../../../shared/limits/statistics.ts';
import { hiddenCells, isSmall, type Sum, type Version } from '../../../shared/statistics/hidden-cells.ts';
import { holds } from '../support/properties.ts';

/** Sums across tables: all reports, texts by two breakdowns, and texts from abroad. */
const SUMS: readonly Sum[] = [
  { total: 'all', parts: ['text', 'voice'] },
  { total: 'all', parts: ['people', 'traps'] },
  { total: 'text', parts: ['loan', 'adult', 'phishing'] },
  { total: 'text', parts: ['home', 'abroad'] },
  { total: 'abroad', parts: ['one', 'two', 'others'] },
  { total: 'others', parts: ['~three', '~four', '~five'] },
];
const UNNAMED = new Map([
  ['~three', 4],
  ['~four', 4],
  ['~five', 4],
]);
const PARTS = SUMS.flatMap(({ parts }) => parts);
const CELLS = ['all', ...PARTS];

/** Larger than any total. */
const LARGE = 10_000;

function knownOf(
  values: ReadonlyMap<string, number>,
  hidden: ReadonlySet<string>,
  earlier: readonly Version[],
): KnownCells {
  return new Map(
    [...values].map(([cell, value]) => {
      if (!hidden.has(cell)) return [cell, { least: value, most: value }];
      if (UNNAMED.has(cell)) return [cell, { least: 0, most: Math.max(value, UNNAMED.get(cell)!) }];
      // Zeros are shown, unless an earlier version hid the cell.
      return [cell, { least: earlier.some((each) => each.hidden.has(cell)) ? 0 : 1, most: LARGE }];
    }),
  );
}

function ordersOf(versions: readonly Version[]): KnownOrder[] {
  return versions.flatMap((one, more) =>
    versions.flatMap((other, fewer) =>
      more !== fewer && [...other.values].every(([cell, value]) => value <= one.values.get(cell)!)
        ? [{ fewer, more }]
        : [],
    ),
  );
}

function attacked(versions: readonly Version[]): Knowledge {
  return {
    versions: versions.map(({ values, hidden }, at) => knownOf(values, hidden, versions.slice(0, at))),
    ...{ sums: SUMS, orders: ordersOf(versions) },
  };
}

/** Versions with these values, published one after another. */
function published(
  all: readonly ReadonlyMap<string, number>[],
  reached = new Map<string, number>(),
): Version[] {
  const versions: Version[] = [];
  for (const values of all) {
    const hidden = hiddenCells({ sums: SUMS, values, unnamed: UNNAMED, reached, earlier: [...versions] });
    versions.push({ values, hidden });
  }
  return versions;
}

function expectSafe(versions: readonly Version[]): void {
  const knowledge = attacked(versions);
  const exact = versions.map(({ values }) => values);
  const recovered = recoveredCells(knowledge, exact);
  // A hidden cell may be known to be 0, because nobody is behind a zero.
  expect(recovered.filter(({ value, cell }) => value > 0 && (!UNNAMED.has(cell) || isSmall(value)))).toEqual(
    [],
  );
  versions.forEach(({ values, hidden }, version) => {
    for (const cell of hidden) {
      const value = values.get(cell)!;
      if (!isSmall(value)) continue;
      expect([cell, possibleValues(knowledge, exact, version, cell, OPEN_VALUES_MIN)]).toEqual([
        cell,
        OPEN_VALUES_MIN,
      ]);
    }
  });
}

/** Computes all values from the leaves of the tables. */
function valuesOf(given: {
  readonly voice: number;
  readonly traps: number;
  readonly kinds: readonly [number, number];
  readonly operators: readonly [number, number];
  readonly unnamed: readonly [number, number, number];
  readonly home: number;
}): Map<string, number> {
  const [one, two] = given.operators;
  const [three, four, five] = given.unnamed;
  const others = three + four + five;
  const abroad = one + two + others;
  const text = abroad + given.home;
  const all = text + given.voice;
  const loan = Math.min(given.kinds[0], text);
  const adult = Math.min(given.kinds[1], text - loan);
  const traps = Math.min(given.traps, all);
  return new Map([
    ...Object.entries({ all, text, voice: given.voice, people: all - traps, traps }),
    ...Object.entries({ loan, adult, phishing: text - loan - adult, home: given.home, abroad }),
    ...Object.entries({ one, two, others, '~three': three, '~four': four, '~five': five }),
  ]);
}

const count = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }) },
);
const few = fc.integer({ min: 0, max: 4 });
const leaves = fc.record({
  ...{ voice: count, traps: count, home: count },
  kinds: fc.tuple(count, count),
  operators: fc.tuple(count, count),
  unnamed: fc.tuple(few, few, few),
});

/** Values that an earlier search took for recovered, because it gave up early. */
const FOUND: [Parameters<typeof valuesOf>[0], Parameters<typeof valuesOf>[0], number[]] = [
  { voice: 6, traps: 0, home: 4, kinds: [0, 0], operators: [1, 3], unnamed: [1, 1, 4] },
  { voice: 2, traps: 0, home: 1, kinds: [5, 1], operators: [4, 5], unnamed: [2, 0, 0] },
  [2, 0, 0, 0, 0, 0, 2, 1, 1, 0, 0],
];

describe('hidden cells', () => {
  it('cannot be recovered from any tables', () => {
    holds(
      fc.property(leaves, (given) => expectSafe(published([valuesOf(given)]))),
      { numRuns: 300 },
    );
  });

  it('cannot be recovered with the versions that came before or after', () => {
    holds(
      fc.property(
        leaves,
        leaves,
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 11, maxLength: 11 }),
        (first, any, less) => {
          const fewer = withdrawn(first, less);
          expectSafe(published([valuesOf(first), valuesOf(fewer)]));
          expectSafe(published([valuesOf(fewer), valuesOf(first)]));
          expectSafe(published([valuesOf(first), valuesOf(fewer), valuesOf(any)]));
        },
      ),
      { numRuns: 50, examples: [[FOUND[0], FOUND[1], FOUND[2]]] },
    );
  });

  const NONE = { voice: 0, traps: 0, home: 0, kinds: [0, 0], operators: [0, 0], unnamed: [0, 0, 0] } as const;
  const MANY = {
    voice: 100,
    traps: 50,
    home: 200,
    kinds: [80, 90],
    operators: [30, 40],
    unnamed: [2, 1, 3],
  } as const;

  it.each([
    ['nothing was reported', NONE],
    ['one row has everything', { ...NONE, home: 3 }],
    ['one row has everything, and it is large', { ...NONE, home: 300 }],
    ['a 1 stands beside zeros', { ...MANY, kinds: [0, 1], unnamed: [1, 0, 0] }],
    ['all parts are 1, and their sum is not small', { ...NONE, operators: [1, 1], unnamed: [1, 1, 1] }],
    ['all unnamed rows are as large as they can be', { ...MANY, unnamed: [4, 4, 4] }],
    ['two small cells fill a sum', { ...MANY, operators: [0, 0], unnamed: [4, 1, 0] }],
    ['a whole breakdown is small', { ...NONE, voice: 2, home: 1, operators: [1, 0], kinds: [1, 1] }],
  ] as const)('stay hidden when %s', (_, given) => {
    expectSafe(published([valuesOf(given as Parameters<typeof valuesOf>[0])]));
  });

  it('hide what moved when a correction takes back one report', () => {
    const before = { ...MANY, unnamed: [2, 1, 3] as const };
    for (const after of [
      { ...before, home: 199 },
      { ...before, voice: 99 },
      { ...before, operators: [29, 40] as const },
      { ...before, unnamed: [2, 0, 3] as const },
    ]) {
      const versions = published([valuesOf(before), valuesOf(after)]);
      expectSafe(versions);
      const { values, hidden } = versions[1]!;
      for (const cell of CELLS) {
        const moved = Math.abs(values.get(cell)! - versions[0]!.values.get(cell)!);
        if (isSmall(moved)) expect([cell, hidden.has(cell)]).toEqual([cell, true]);
      }
    }
  });

  it('use what was known while the month was open', () => {
    // With 11 in total and 10 known for one part, the other part would be 1.
    const values = valuesOf({ ...NONE, voice: 10, home: 1 });
    const reached = new Map([['voice', 10]]);
    const [version] = published([values], reached);
    const known = new Map(knownOf(values, version!.hidden, []));
    const voice = known.get('voice')!;
    known.set('voice', { ...voice, least: Math.max(voice.least, 10) });
    expect(
      recoveredCells({ versions: [known], sums: SUMS, orders: [] }, [values]).filter(
        ({ value }) => value > 0,
      ),
    ).toEqual([]);
  });

  it('leave large tables whole', () => {
    const [version] = published([valuesOf({ ...MANY, unnamed: [0, 0, 0] })]);
    expect([...version!.hidden].sort()).toEqual([...UNNAMED.keys()].sort());
  });

  it('without complementary cells, the attack recovers them', () => {
    const values = valuesOf({ ...MANY, kinds: [80, 3] });
    const hidden = new Set([...values].filter(([, value]) => isSmall(value)).map(([cell]) => cell));
    const found = recoveredCells(attacked([{ values, hidden }]), [values]);
    expect(found.map(({ cell }) => cell)).toContain('adult');
  });
});

/** The same reports, except for some withdrawn ones. */
function withdrawn(
  { voice, traps, home, kinds, operators, unnamed }: Parameters<typeof valuesOf>[0],
  less: readonly number[],
): Parameters<typeof valuesOf>[0] {
  const minus = (value: number, at: number): number => Math.max(0, value - less[at]!);
  return {
    ...{ voice: minus(voice, 0), traps: minus(traps, 1), home: minus(home, 2) },
    kinds: [minus(kinds[0], 3), minus(kinds[1], 4)],
    operators: [minus(operators[0], 5), minus(operators[1], 6)],
    unnamed: [minus(unnamed[0], 7), minus(unnamed[1], 8), minus(unnamed[2], 9)],
  };
}
