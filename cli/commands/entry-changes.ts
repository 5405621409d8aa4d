/** Changes many entries in several operations, and reports what is known if an operation fails. */
import type { EntriesDone, EntriesDryRun, EntryChange } from '../../shared/admin/entries.ts';
import type { ProblemExtras } from '../../shared/admin/problems.ts';
import { BULK_ENTRIES_MAX } from '../../shared/limits/control.ts';
import type { GuardHit } from '../../shared/release/guard-settings.ts';
import { type Admin, Unreachable } from '../admin.ts';
import { CommandFailure, hasCode } from '../failure.ts';
import { invalidItems, sourceProblem, type WrittenItem } from '../import/items.ts';
import { count } from '../terminal/figures.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { startProgress } from '../terminal/progress.ts';
import { visible } from '../terminal/visible.ts';
import { identityOf } from './ownership.ts';

/** The operation to apply to each item. */
type EntryOperation = Pick<EntryChange, 'op' | 'reason'> &
  Partial<Omit<EntryChange, 'op' | 'reason' | 'items'>>;

/** The result of all operations together, with the number of each operation for `undo`. */
export interface EntriesMade extends EntriesDone {
  readonly operations?: readonly number[];
}

/**
 * Changes entries. Many items are split into several operations, each of which is atomic.
 * @param command the command line to repeat, or null if it must not be shown
 * @throws CommandFailure that says how many items were changed before the failure, and how many may have been
 */
export async function changeEntries(
  admin: Admin,
  items: readonly WrittenItem[],
  operation: EntryOperation,
  command: string | null,
): Promise<EntriesMade> {
  if (items.length === 0) throw new CommandFailure('give a number or a source, or a file with --file', 2);
  const operations = [...operationsOf(items)];
  // The service changes nothing if an item of an operation is invalid, so a single operation needs no check here.
  if (operations.length > 1) checkSources(items);
  const progress = startProgress(operation.op);
  let known: Known = { items, confirmed: 0, unknown: 0, seq: 0, command };
  let changed = 0;
  const operationsMade: number[] = [];
  const dryRuns: EntriesDryRun[] = [];
  const stopNotice = onInterrupt(() => formatKnown(known));
  try {
    for (const sent of operations) {
      known = { ...known, unknown: sent.length };
      const done = await admin
        .change<EntriesDone>('POST', 'entries', { ...operation, items: sent.map(({ item }) => item) })
        .catch(async (error: unknown) => {
          const placed = await withGuardHint(withPlaces(error, sent, known.confirmed === 0), admin);
          throw withKnown(placed, known);
        });
      changed += done.changed;
      if (typeof done.operation === 'number') operationsMade.push(done.operation);
      if (done.dryRun !== undefined)
        dryRuns.push({ ...done.dryRun, guards: placedGuards(done.dryRun.guards, sent) });
      known = { ...known, confirmed: known.confirmed + sent.length, unknown: 0, seq: done.seq };
      progress.update(known.confirmed / items.length, count(known.confirmed));
    }
  } finally {
    stopNotice();
    progress.stop();
  }
  return {
    ...{ changed, seq: known.seq },
    ...(operationsMade.length === 0 ? {} : { operations: operationsMade }),
    ...(dryRuns.length === 0 ? {} : { dryRun: sumOf(dryRuns) }),
  };
}

/** Sums the dry runs of all operations. Each operation is tried as if it were the only one. */
function sumOf(dryRuns: readonly EntriesDryRun[]): EntriesDryRun {
  return {
    entries: dryRuns.reduce((sum, { entries }) => sum + entries, 0),
    replaced: dryRuns.reduce((sum, { replaced }) => sum + replaced, 0),
    guards: dryRuns.flatMap(({ guards }) => guards),
  };
}

/** What is known about a change that did not complete. */
interface Known {
  readonly items: readonly WrittenItem[];
  /** Number of items in the operations that the service has confirmed. They may make more entries than that. */
  readonly confirmed: number;
  /** Number of items after the confirmed ones that were sent, but not confirmed. */
  readonly unknown: number;
  /** The last confirmed change. */
  readonly seq: number;
  readonly command: string | null;
}

function formatKnown({ items, confirmed, unknown, seq, command }: Known): string {
  const placeOf = (index: number): string => items[index]!.place;
  const rest = items.length - confirmed - unknown;
  const parts = [
    confirmed === 0
      ? `none of ${count(items.length)} is confirmed`
      : `the first ${count(confirmed)} of ${count(items.length)} are confirmed (seq ${seq}), up to ${placeOf(confirmed - 1)}`,
    ...(unknown === 0
      ? []
      : [
          `the ${confirmed === 0 ? 'first' : 'next'} ${count(unknown)} may have been changed, up to ${placeOf(confirmed + unknown - 1)}`,
        ]),
    ...(rest === 0 ? [] : [`${unknown === 0 ? 'the others' : `the last ${count(rest)}`} were not changed`]),
  ];
  return `items: ${parts.join('; ')}\nIt is safe to repeat the change: ${
    command === null ? 'run the same command again' : `run\n  ${command}`
  }`;
}

/** Adds what is known about all items to the failure of an operation. */
function withKnown(error: unknown, known: Known): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const isUnknown = error instanceof Unreachable ? error.mayBeApplied : isBroken(error);
  const settled = isUnknown ? known : { ...known, unknown: 0 };
  if (settled.confirmed + settled.unknown === 0) return error;
  const why = error instanceof Unreachable ? error.why : error.message;
  const { confirmed: changed, unknown, seq, command } = settled;
  const extras = { ...error.details, changed, unknown, seq, ...(command === null ? {} : { command }) };
  return new CommandFailure(`${why}\n${formatKnown(settled)}`, error.exitCode, extras);
}

/** Whether the response leaves open if the change was applied. Without a status, the command sent nothing. */
function isBroken(error: CommandFailure): boolean {
  const { status } = error.extras as { status?: number };
  if (status === undefined || hasCode(error, 'NOT_CONFIGURED')) return false;
  // 507 is a definite answer: the storage is full.
  return status < 300 || (status >= 500 && status !== 507);
}

/** Splits the items into operations. A sender ID may make two entries. */
function* operationsOf(items: readonly WrittenItem[]): Generator<readonly WrittenItem[]> {
  let some: WrittenItem[] = [];
  let entries = 0;
  for (const each of items) {
    const own = 'source' in each.item ? 2 : 1;
    if (entries + own > BULK_ENTRIES_MAX) {
      yield some;
      some = [];
      entries = 0;
    }
    some.push(each);
    entries += own;
  }
  yield some;
}

function placedGuards<Name extends string>(
  guards: readonly GuardHit<Name>[],
  sent: readonly WrittenItem[],
): GuardHit<Name>[] {
  return guards.map((hit) => ({ ...hit, message: withPlace(hit.message, sent) }));
}

/** The message of a guard, with the place of an item instead of its index in one operation. */
function withPlace(message: string, sent: readonly WrittenItem[]): string {
  return message.replace(/"items\[(\d+)\]"/g, (whole, index) => sent[Number(index)]?.place ?? whole);
}

/** Adds who can override the guards, if the token may not. If the lookup fails, the error stays as it is. */
async function withGuardHint(error: unknown, admin: Admin): Promise<unknown> {
  if (!hasCode(error, 'GUARD_HIT')) return error;
  const me = await identityOf(admin).catch(() => null);
  if (me === null || me.scopes.includes('guards')) return error;
  const hint = `${me.name} may not override guards: a token with the scope "guards", or root, can`;
  return new CommandFailure(`${error.message}\n${hint}`, error.exitCode, error.extras);
}

/** Finds errors before anything is changed, even in items after the first operation. */
function checkSources(items: readonly WrittenItem[]): void {
  const invalid = items.flatMap(({ item, place }) => {
    const message = sourceProblem(item);
    return message === null ? [] : [{ place, code: 'ENTRY_INVALID', message }];
  });
  if (invalid.length > 0) throw invalidItems(invalid, { isUnchanged: true, isPartial: true });
}

/**
 * Maps the service's errors to where the items were written. The service knows only their index in one
 * operation.
 */
function withPlaces(error: unknown, sent: readonly WrittenItem[], isUnchanged: boolean): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const { items, guards, authorities = [] } = error.extras as ProblemExtras;
  if (guards !== undefined) {
    const extras = { ...error.extras, guards: placedGuards(guards, sent) };
    return new CommandFailure(withPlace(error.message, sent), error.exitCode, extras);
  }
  if (items === undefined) return error;
  const invalid = items.map(({ index, code: each, message }) => {
    const { place, item } = sent[index] ?? { place: `item ${index + 1}`, item: null };
    // The service's message names fields of the request, which the admin did not write.
    const isForeign = each === 'AUTHORITY_FOREIGN';
    const ownWords = item === null || isForeign ? null : sourceProblem(item);
    return { place, code: each, message: ownWords ?? message };
  });
  const code = String(error.details.code);
  const settings = { code, exitCode: error.exitCode, isUnchanged, isPartial: false };
  const { message, exitCode, details } = invalidItems(invalid, settings);
  const hints = authorities.map((name) => `\nto act for it: --override-authority ${visible(name)}`);
  const extras = { ...details, ...(authorities.length === 0 ? {} : { authorities }) };
  return new CommandFailure(message + hints.join(''), exitCode, extras);
}
