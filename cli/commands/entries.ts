/**
 * `lists block`, `unblock`, `clear`, `entries`: the live layer. A change is visible within seconds.
 */
import type { EntriesDone, EntryChange, EntryInfo, EntryItem, EntryPage } from '../../shared/admin.ts';
import { BULK_ENTRIES_MAX, PAGE_MAX } from '../../shared/limits.ts';
import { parseAddress } from '../../shared/numbers/parse.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { startProgress } from '../progress.ts';
import { readRows } from '../rows.ts';

/** What is to be done with each item. */
export type EntryWish = Pick<EntryChange, 'op' | 'reason'> &
  Partial<Omit<EntryChange, 'op' | 'reason' | 'items'>>;

/** An item as it is written: with letters it is a source, anything else has to be a number. */
export function itemOf(text: string): EntryItem {
  return parseAddress(text).kind === 'source' ? { source: text.trim() } : { number: text.trim() };
}

/** The numbers and sources of a file: CSV, NDJSON, or one a line. */
export async function itemsOfFile(path: string): Promise<EntryItem[]> {
  const items: EntryItem[] = [];
  await readRows({ path }, ({ line, number, reason, since, until, authority, damage }) => {
    if (damage !== null) throw new CommandFailure(`${path}, line ${line}: ${damage}`);
    if ([reason, since, until, authority].some((field) => field !== '')) {
      throw new CommandFailure(
        `${path}, line ${line}: only the number of a line is read here; --code, --until and --reason say the rest`,
      );
    }
    items.push(itemOf(number));
  });
  return items;
}

/**
 * Change entries, in several operations where there are many: each is made whole or not at all.
 * @throws CommandFailure that says how many were changed before
 */
export async function changeEntries(
  admin: Admin,
  items: readonly EntryItem[],
  wish: EntryWish,
): Promise<EntriesDone> {
  if (items.length === 0) throw new CommandFailure('name a number or a source, or a --file of them', 2);
  const progress = startProgress(wish.op);
  let done: EntriesDone = { changed: 0, seq: 0 };
  try {
    for (let first = 0; first < items.length; first += BULK_ENTRIES_MAX) {
      const some = items.slice(first, first + BULK_ENTRIES_MAX);
      const { seq, changed } = await admin
        .change<EntriesDone>('POST', 'entries', { ...wish, items: some })
        .catch((error: unknown) => {
          throw first === 0 ? error : partly(error, done);
        });
      done = { seq, changed: done.changed + changed };
      progress.update((first + some.length) / items.length, `${done.changed}`);
    }
  } finally {
    progress.stop();
  }
  return done;
}

function partly(error: unknown, { changed, seq }: EntriesDone): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const before = `the first ${changed} were changed (seq ${seq}); those behind them were not:`;
  return new CommandFailure(`${before}\n${error.message}`, error.exitCode);
}

/** All entries up to one change, by rising seq. */
export async function allEntries(admin: Admin): Promise<{ entries: EntryInfo[]; upTo: number }> {
  const entries: EntryInfo[] = [];
  let upTo: number | null = null;
  let after: string | null = null;
  do {
    const page: EntryPage = await admin.get('entries', { after, upTo, limit: PAGE_MAX });
    entries.push(...page.entries);
    upTo = page.upTo;
    after = page.next;
  } while (after !== null);
  return { entries, upTo };
}

/** What is in force for one number or source, the newest first. */
export async function findEntries(admin: Admin, text: string): Promise<EntryInfo[]> {
  const { entries } = await admin.find<{ entries: EntryInfo[] }>('entries/find', itemOf(text));
  return entries;
}
