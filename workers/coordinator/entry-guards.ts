/**
 * Counts the figures that the guards of live changes compare (shared/release/live-guards.ts). Everything runs in the
 * transaction of the change, so a refused change or a dry run is rolled back and does not count.
 */
import type { EntryChange } from '../../shared/admin/entries.ts';
import { numberKey } from '../../shared/live/entry.ts';
import { BLOCK_FILLED_MIN, BLOCK_NUMBERS, countWholeBlocks } from '../../shared/numbers/blocks.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { KR_OPERATOR_RANGES, type OperatorRange } from '../../shared/numbers/operator-ranges.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { GuardHit, GuardSettings } from '../../shared/release/guard-settings.ts';
import { checkLiveGuards, type LiveFigures, OPERATOR_NUMBERS_MIN } from '../../shared/release/live-guards.ts';
import { HOUR_MS } from '../../shared/time.ts';
import { NUMBER_KIND, type Target } from './live-row.ts';

type Counter = 'items' | 'unblocks';

/** The live blocks of numbers in force. A block counts even if a shorter unblock covers it. */
const BLOCKED = `FROM live CROSS JOIN live_changes USING (seq)
  WHERE kind = ${NUMBER_KIND} AND (high, low) BETWEEN (?, ?) AND (?, ?) AND op = 'block' AND until > ?`;

export class EntryGuards {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * The guards that a change would hit.
   * @param authority authority of the author
   * @param live number of rows of the live layer, an upper bound on the blocked numbers
   * @param now ms since 1970
   */
  check(
    { op, items }: EntryChange,
    targets: readonly Target[],
    settings: GuardSettings,
    { authority, live, now }: { authority: string; live: number; now: number },
  ): GuardHit[] {
    const hour = {
      items: this.#used(authority, 'items', now),
      unblocks: this.#used(authority, 'unblocks', now),
    };
    const figures = { lifts: op !== 'block', items: items.length, hour };
    const blocks = op === 'block' ? this.#blocks(targets, settings, live, Math.floor(now / 1000)) : NO_BLOCKS;
    return checkLiveGuards({ ...figures, ...blocks }, settings);
  }

  /** Counts a change that was made. An hour begins with the first change in it. */
  count({ op, items }: EntryChange, authority: string, now: number): void {
    this.#sql.exec('DELETE FROM guard_hours WHERE ends <= ?', now);
    const counters: Counter[] = op === 'block' ? ['items'] : ['items', 'unblocks'];
    for (const counter of counters) {
      this.#sql.exec(
        `INSERT INTO guard_hours VALUES (?, ?, ?, ?)
         ON CONFLICT (authority, counter) DO UPDATE SET used = used + excluded.used`,
        ...[authority, counter, items.length, now + HOUR_MS],
      );
    }
  }

  #used(authority: string, counter: Counter, now: number): number {
    const query = 'SELECT used FROM guard_hours WHERE authority = ? AND counter = ? AND ends > ?';
    return this.#sql.exec<{ used: number }>(query, authority, counter, now).toArray()[0]?.used ?? 0;
  }

  #blocks(
    targets: readonly Target[],
    { protectedNumbers, operatorRanges }: GuardSettings,
    live: number,
    now: number,
  ): Pick<LiveFigures, 'guarded' | 'wholeBlocks' | 'operators'> {
    const known = new Set(protectedNumbers);
    const numbers = targets.filter(({ kind }) => kind === 'number');
    const guarded = numbers.filter((target) => known.has(numberOf(target)));
    // Below these counts, no block of numbers and no operator can have enough blocked numbers to hit a guard.
    const most = live + numbers.length;
    const added =
      most < OPERATOR_NUMBERS_MIN ? [] : numbers.map(numberOf).filter((n) => !this.isBlocked(n, now));
    return {
      guarded: { numbers: guarded.length, first: guarded[0]?.item ?? 0 },
      wholeBlocks: most < BLOCK_FILLED_MIN ? 0 : this.#wholeBlocks(added, now),
      operators:
        most < OPERATOR_NUMBERS_MIN ? [] : this.#operators(added, operatorRanges ?? KR_OPERATOR_RANGES, now),
    };
  }

  isBlocked(n: number, now: number): boolean {
    return (
      this.#sql.exec(`SELECT 1 ${BLOCKED} LIMIT 1`, ...edges({ from: n, to: n }), now).toArray().length > 0
    );
  }

  countBlocked(span: Span, now: number): number {
    const query = `SELECT COUNT(*) AS numbers FROM (SELECT DISTINCT high, low ${BLOCKED})`;
    return this.#sql.exec<{ numbers: number }>(query, ...edges(span), now).one().numbers;
  }

  #wholeBlocks(added: readonly number[], now: number): number {
    const byBlock = new Map<number, number>();
    for (const n of added) {
      const from = n - (n % BLOCK_NUMBERS);
      byBlock.set(from, (byBlock.get(from) ?? 0) + 1);
    }
    return [...byBlock].filter(([from, count]) => {
      const span = { from, to: from + BLOCK_NUMBERS - 1 };
      return (
        countWholeBlocks(span.from, span.to) > 0 && this.countBlocked(span, now) + count >= BLOCK_FILLED_MIN
      );
    }).length;
  }

  #operators(
    added: readonly number[],
    ranges: readonly OperatorRange[],
    now: number,
  ): LiveFigures['operators'] {
    const byOperator = Map.groupBy(ranges, ({ operator }) => operator);
    return [...byOperator].flatMap(([operator, spans]) => {
      const more = added.filter((n) => spans.some(({ from, to }) => n >= from && n <= to)).length;
      if (more === 0) return [];
      const blocked = spans.reduce((sum, span) => sum + this.countBlocked(span, now), more);
      return { operator, blocked, numbers: spans.reduce((sum, { from, to }) => sum + to - from + 1, 0) };
    });
  }
}

const NO_BLOCKS = { guarded: { numbers: 0, first: 0 }, wholeBlocks: 0, operators: [] };

function numberOf({ high, low }: Target): number {
  return high * SUFFIX_COUNT + low;
}

/** The keys of both ends of a span. */
function edges({ from, to }: Span): [number, number, number, number] {
  const [first, last] = [numberKey(from), numberKey(to)];
  return [first.high, first.low, last.high, last.low];
}
