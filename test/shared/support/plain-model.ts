/**
 * Expected results of a release, from plain objects. Each list is a few arrays with linear search. The builder
 * gets the same lists.
 */
import { ListEntries } from '../../../shared/build/list-entries.ts';
import type { ListSource } from '../../../shared/build/release.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import { fingerprintsOf, formFor, parseSource } from '../../../shared/sources/source.ts';

export interface Dated {
  readonly since: number;
  readonly until: number;
}
export const EVER: Dated = { since: 0, until: 0xffffffff };

export interface PlainList {
  readonly info: ListSource['info'];
  readonly numbers: readonly (Dated & { readonly n: number })[];
  readonly ranges: readonly (Dated & { readonly from: number; readonly to: number })[];
  readonly sources: readonly (Dated & { readonly text: string })[];
}

/** A list without entries. */
export function plainList(name: string, content: Partial<PlainList> = {}): PlainList {
  const info: ListSource['info'] = {
    name,
    reason: 'NUMBER_SUSPENDED',
    effect: 'block',
    subjects: ['from', 'to'],
    authority: 'test',
    asOf: '2026-11-24T00:00:00.000Z',
  };
  return { info, numbers: [], ranges: [], sources: [], ...content };
}

/** The latest end among the entries in force; -1 without any. */
function latest(entries: readonly Dated[], now: number): number {
  let end = -1;
  for (const { since, until } of entries) if (since <= now && now < until) end = Math.max(end, until);
  return end;
}

/** A model for many lookups. It indexes numbers by value, so that only ranges are searched linearly. */
export class PlainModel {
  readonly #numbers: ReadonlyMap<number, Dated[]>;
  readonly #list: PlainList;

  constructor(list: PlainList) {
    this.#list = list;
    this.#numbers = Map.groupBy(list.numbers, ({ n }) => n);
  }

  exact(n: number, now: number): number {
    return latest(this.#numbers.get(n) ?? [], now);
  }

  range(n: number, now: number): number {
    return latest(
      this.#list.ranges.filter(({ from, to }) => from <= n && n <= to),
      now,
    );
  }

  source(text: string, now: number): number {
    return latest(
      this.#list.sources.filter((source) => source.text === text),
      now,
    );
  }
}

/** The list as input of the builder. */
export function listSource(list: PlainList, keys: ListKeys): ListSource {
  const entries = new ListEntries(keys.permutation);
  for (const { n, since, until } of list.numbers) entries.addNumber(n, { since, until });
  entries.ranges.push(...list.ranges);
  for (const { text, since, until } of list.sources) {
    const parsed = parseSource(text);
    if (!parsed.ok) throw new Error(`${text} ${parsed.message}`);
    const fingerprint = formFor(fingerprintsOf(parsed.value, keys.sourceSeed), list.info.effect);
    entries.sources.push({ fingerprint, since, until });
  }
  return { info: list.info, content: entries.finish() };
}
