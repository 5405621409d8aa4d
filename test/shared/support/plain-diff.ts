/** Expected changes between two releases, computed from plain sets. */
import { expect } from 'vitest';
import type { ListChange } from '../../../shared/release/diff.ts';
import { type Dated, EVER, type PlainList } from './plain-model.ts';

const SUFFIX_COUNT = 100_000_000;

type Counts = readonly [added: number, removed: number, changed: number];

/** Groups entries by key. */
function grouped<Key>(entries: readonly (readonly [Key, string])[]): Map<Key, Set<string>> {
  const groups = new Map<Key, Set<string>>();
  for (const [key, entry] of entries) groups.set(key, (groups.get(key) ?? new Set()).add(entry));
  return groups;
}

/** The added, removed and changed entries of one key. */
function compared(before: ReadonlySet<string> = new Set(), after: ReadonlySet<string> = new Set()): Counts {
  const came = [...after].filter((each) => !before.has(each)).length;
  const went = [...before].filter((each) => !after.has(each)).length;
  const changed = Math.min(came, went);
  return [came - changed, went - changed, changed];
}

/** @returns the sums, and the changed prefixes, most changes first */
function churnOf(before: Map<number, Set<string>>, after: Map<number, Set<string>>) {
  const prefixes = new Map<number, Counts>();
  for (const n of new Set([...before.keys(), ...after.keys()])) {
    const counts = compared(before.get(n), after.get(n));
    const sum = prefixes.get(Math.floor(n / SUFFIX_COUNT)) ?? [0, 0, 0];
    prefixes.set(
      Math.floor(n / SUFFIX_COUNT),
      sum.map((each, index) => each + counts[index]!) as unknown as Counts,
    );
  }
  const weight = (counts: Counts): number => counts[0] + counts[1] + counts[2];
  const top = [...prefixes]
    .filter(([, counts]) => weight(counts) > 0)
    .sort((a, b) => weight(b[1]) - weight(a[1]) || a[0] - b[0])
    .map(([prefix, [added, removed, changed]]) => ({ head: prefix, added, removed, changed }));
  const sum = (index: 0 | 1 | 2): number =>
    [...prefixes.values()].reduce((all, each) => all + each[index], 0);
  const size = (groups: Map<number, Set<string>>): number =>
    [...groups.values()].reduce((all, { size: each }) => all + each, 0);
  return {
    before: size(before),
    after: size(after),
    added: sum(0),
    removed: sum(1),
    changed: sum(2),
    heads: top.slice(0, 20),
  };
}

const isEver = ({ since, until }: Dated): boolean => since === EVER.since && until === EVER.until;

/** The entries of a list by number: either those without dates, or the dated entries of all other numbers. */
function entriesOf(list: PlainList | undefined, dated: boolean): Map<number, Set<string>> {
  const numbers = list?.numbers ?? [];
  const plain = new Set(numbers.filter(isEver).map(({ n }) => n));
  if (!dated) return grouped([...plain].map((n) => [n, 'ever']));
  return grouped(
    numbers
      .filter((entry) => !isEver(entry) && !plain.has(entry.n))
      .map(({ n, since, until }) => [n, `${since}-${until}`]),
  );
}

/** Every number that a range covers. Only for ranges of a few hundred numbers. */
function covered(list: PlainList | undefined): Set<number> {
  return new Set(
    (list?.ranges ?? []).flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index),
    ),
  );
}

const missing = (from: ReadonlySet<number>, others: ReadonlySet<number>): number =>
  [...from].filter((n) => !others.has(n)).length;

/** @param before the old list, undefined if it is new @param after the new list, undefined if it is dropped */
export function expectChange(
  change: ListChange,
  before: PlainList | undefined,
  after: PlainList | undefined,
): void {
  expect(change.numbers).toEqual(churnOf(entriesOf(before, false), entriesOf(after, false)));
  expect(change.dated).toEqual(churnOf(entriesOf(before, true), entriesOf(after, true)));
  const [old, now] = [covered(before), covered(after)];
  expect(change.ranges.numbersAdded).toBe(missing(now, old));
  expect(change.ranges.numbersRemoved).toBe(missing(old, now));
  const sources = (list: PlainList | undefined) =>
    grouped((list?.sources ?? []).map(({ text, since, until }) => [text, `${since}-${until}`]));
  const [sourcesBefore, sourcesAfter] = [sources(before), sources(after)];
  const counts = [...new Set([...sourcesBefore.keys(), ...sourcesAfter.keys()])].map((text) =>
    compared(sourcesBefore.get(text), sourcesAfter.get(text)),
  );
  const sum = (index: 0 | 1 | 2): number => counts.reduce((all, each) => all + each[index], 0);
  const { added, removed, changed } = change.sources;
  expect([added, removed, changed]).toEqual([sum(0), sum(1), sum(2)]);
  for (const { before: was, after: is, added: came, removed: went } of [change.ranges, change.sources])
    expect(was + came - went).toBe(is);
}
