/**
 * Applies the guards that bound what may be blocked to blocks of rules. The hourly limits for people do not bind rules,
 * which have their own room. A block that hits a guard is left out, and nobody can override the guard for a rule. The
 * other blocks of the batch are made.
 */

import { BLOCK_FILLED_MIN, BLOCK_NUMBERS, countWholeBlocks } from '../../shared/numbers/blocks.ts';
import { KR_OPERATOR_RANGES } from '../../shared/numbers/operator-ranges.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { GuardSettings, LiveGuard } from '../../shared/release/guard-settings.ts';
import { exceedsShare } from '../../shared/release/live-guards.ts';
import type { EntryGuards } from './entry-guards.ts';

type RuleGuard = Extract<LiveGuard, 'protected-number' | 'whole-block' | 'operator-share'>;

/** The guards of one batch. The blocks of the batch are written after all of them are checked. */
export class RuleGuards {
  readonly #counts: EntryGuards;
  readonly #protected: ReadonlySet<number>;
  /** The ranges of each operator, and how many numbers they contain. */
  readonly #operators: readonly { readonly spans: readonly Span[]; readonly numbers: number }[];
  readonly #share: number;
  readonly #live: number;
  readonly #now: number;
  /** Numbers that the batch newly blocks. */
  readonly #added: number[] = [];
  /** Counts of blocked numbers in the tables, by span. */
  readonly #stored = new Map<string, number>();

  /** @param live number of rows of the live layer, an upper bound on the blocked numbers @param now seconds since 1970 */
  constructor(counts: EntryGuards, settings: GuardSettings, live: number, now: number) {
    const { protectedNumbers, operatorRanges, operatorShare } = settings;
    this.#counts = counts;
    this.#protected = new Set(protectedNumbers);
    const byOperator = Map.groupBy(operatorRanges ?? KR_OPERATOR_RANGES, ({ operator }) => operator);
    this.#operators = [...byOperator.values()].map((spans) => ({
      spans,
      numbers: spans.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    }));
    this.#share = operatorShare;
    this.#live = live;
    this.#now = now;
  }

  /** The guard that a block of this number hits. If it hits none, returns null and counts the number as blocked. */
  add(n: number): RuleGuard | null {
    if (this.#protected.has(n)) return 'protected-number';
    if (this.#counts.isBlocked(n, this.#now)) return null;
    // Below this count, no block of numbers and no operator can have enough blocked numbers to hit a guard.
    const most = this.#live + this.#added.length + 1;
    const from = n - (n % BLOCK_NUMBERS);
    const block = { from, to: from + BLOCK_NUMBERS - 1 };
    const fills = most >= BLOCK_FILLED_MIN && countWholeBlocks(block.from, block.to) > 0;
    if (fills && this.#blockedIn([block]) + 1 >= BLOCK_FILLED_MIN) return 'whole-block';
    for (const { spans, numbers } of this.#operators) {
      if (!isIn(n, spans) || !exceedsShare(most, numbers, this.#share)) continue;
      if (exceedsShare(this.#blockedIn(spans) + 1, numbers, this.#share)) return 'operator-share';
    }
    this.#added.push(n);
    return null;
  }

  #blockedIn(spans: readonly Span[]): number {
    const stored = spans.reduce((sum, span) => sum + this.#storedIn(span), 0);
    return stored + this.#added.filter((n) => isIn(n, spans)).length;
  }

  #storedIn(span: Span): number {
    const name = `${span.from} ${span.to}`;
    const count = this.#stored.get(name) ?? this.#counts.countBlocked(span, this.#now);
    this.#stored.set(name, count);
    return count;
  }
}

function isIn(n: number, spans: readonly Span[]): boolean {
  return spans.some(({ from, to }) => n >= from && n <= to);
}
