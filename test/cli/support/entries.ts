/** Rows for the entry reader and their results, with a catalogue that has every kind of list. */
import type { CatalogueList } from '../../../cli/import/catalogue.ts';
import { EntryReader, type EntryResult } from '../../../cli/import/entry.ts';
import type { Row } from '../../../cli/import/rows.ts';

/** 2026-11-24T03:00:00Z: noon in Korea. */
export const NOW = Date.UTC(2026, 10, 24, 3) / 1000;

function list(
  name: string,
  reason: CatalogueList['reason'],
  authority: string,
  sources = false,
): CatalogueList {
  return { name, reason, authority, effect: 'block', subjects: ['from', 'to'], asOf: undefined, sources };
}

export const LISTS = [
  list('suspended', 'NUMBER_SUSPENDED', 'ktoa'),
  list('suspended-too', 'NUMBER_SUSPENDED', 'kisa'),
  list('terminated', 'NUMBER_TERMINATED', 'ktoa'),
  list('overseas', 'OVERSEAS_SOURCE_LISTED', 'kisa', true),
];

export function read(row: Partial<Row>, defaultList: string | null = 'suspended'): EntryResult {
  const empty = { line: 1, number: '', reason: '', since: '', until: '', authority: '', damage: null };
  return new EntryReader(LISTS, NOW).read({ ...empty, ...row }, defaultList);
}

/** Reads a number with these dates. */
export function dated(since: string, until: string): EntryResult {
  return read({ number: '010-2345-6789', since, until });
}

/** The code of a reject, or the list of an entry. */
export function resultOf(entry: EntryResult): string {
  return entry.ok ? LISTS[entry.list]!.name : entry.code;
}
