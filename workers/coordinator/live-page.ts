/**
 * A page of live entries by ascending `seq`, and its cursor. The cursor appears in URLs, and numbers must not: its
 * suffix is permuted, and it names the key, because LIST_KEY may be rotated between two pages.
 */
import type { EntryPage } from '../../shared/admin/entries.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { ActiveKeys } from './active-keys.ts';
import {
  type AuthoredRow,
  BY_KEY,
  ENTRIES_WITH_AUTHOR,
  type LiveRow,
  NUMBER_KIND,
  toEntryInfo,
} from './live-row.ts';

type Place = readonly [seq: number, kind: number, high: number, low: number];

/**
 * @param after cursor of the previous page, or ''
 * @param upTo last `seq` to return
 */
export function entryPage(
  sql: SqlStorage,
  keys: ActiveKeys,
  { after, upTo, limit }: { after: string; upTo: number; limit: number },
): EntryPage {
  const rows = sql
    .exec<AuthoredRow>(
      `${ENTRIES_WITH_AUTHOR} WHERE seq <= ? AND (seq, kind, high, low) > (?, ?, ?, ?) ${BY_KEY} ORDER BY seq, kind, high, low LIMIT ?`,
      ...[upTo, ...placeOf(after, keys), limit + 1],
    )
    .toArray();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const entries = shown.map(toEntryInfo);
  const isEnd = last === undefined || rows.length <= limit;
  return { upTo, entries, next: isEnd ? null : cursorOf(last, keys) };
}

function cursorOf({ seq, kind, high, low }: LiveRow, { current }: ActiveKeys): string {
  const keyed = kind === NUMBER_KIND ? current.permutation.permute(low) : low;
  return [seq, kind, high, keyed, current.keyId].join('.');
}

function placeOf(cursor: string, { ring, current }: ActiveKeys): Place {
  if (cursor === '') return [-1, 0, 0, 0];
  const [seq = 0, kind = 0, high = 0, keyed = 0] = cursor.split('.', 4).map(Number);
  const keys = ring.of(cursor.split('.')[4] ?? current.keyId);
  if (kind === NUMBER_KIND && keys !== null) {
    return [seq, kind, high, keys.permutation.invert(keyed % SUFFIX_COUNT)];
  }
  // The sources of this change now have another order. Show all of them again, so that none is left out.
  return keys === current ? [seq, kind, high, keyed] : [seq, kind, -1, 0];
}
