/**
 * The usage of clients as the admin API returns it, shared with the CLI. Times are UTC.
 */
import { USAGE_STORED_NAMES_MAX } from '../limits/control.ts';
import { HOUR_MS } from '../time.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import {
  type Dimension,
  type NameCounts,
  sumCounts,
  TOTALS,
  type Total,
  type UsageCounts,
} from './counts.ts';
import type { PeriodCounts } from './flush.ts';

/** The name of requests without a name in a dimension. No list, code, country or operator has it. */
export const NONE = '(none)';

export type VerdictCounts = Readonly<Record<Verdict, number>>;

/** Totals of a period, and the requests with each verdict. */
export type UsageFigures = Readonly<Record<Total, number>> & { readonly verdicts: VerdictCounts };

export interface ClientReport extends UsageFigures {
  readonly client: string;
  readonly organisation: string;
  /** Start of the last hour with a request, RFC 3339; null if there is none. */
  readonly lastUsedAt: string | null;
  /** Names of the dimension that was chosen, with the most requests first. Null if none was chosen. */
  readonly names: readonly (VerdictCounts & { readonly name: string })[] | null;
  /** Hours with at least one count; days for old periods. Only for a single client. */
  readonly periods?: readonly (UsageFigures & { readonly at: string; readonly hours: number })[];
}

export interface UsageReport {
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  readonly by: Dimension | null;
  readonly clients: readonly ClientReport[];
  /** `after` of the next page; null on the last page. */
  readonly next: string | null;
}

/** RFC 3339 time of an hour since 1970. */
export function formatHour(hour: number): string {
  return new Date(hour * HOUR_MS).toISOString();
}

export function figuresOf(counts: UsageCounts): UsageFigures {
  const totals = Object.fromEntries(TOTALS.map((total) => [total, counts.totals[total] ?? 0]));
  const verdicts = verdictsOf(sumOf(counts.by.channel ?? []));
  return { ...(totals as Record<Total, number>), verdicts };
}

/** Names of a dimension and the rest, with the most requests first. */
export function namesOf({ by }: UsageCounts, dimension: Dimension): (VerdictCounts & { name: string })[] {
  const names = by[dimension] ?? [];
  const named = sumOf(names);
  const rest = sumOf(by.channel ?? []).map((sum, verdict) => sum - named[verdict]!);
  const all: NameCounts[] = rest.some((count) => count > 0) ? [...names, [NONE, ...rest]] : [...names];
  const size = ([, ...verdicts]: NameCounts): number => verdicts.reduce((sum, count) => sum + count, 0);
  return all
    .toSorted((a, b) => size(b) - size(a))
    .map(([name, ...verdicts]) => ({ name, ...verdictsOf(verdicts) }));
}

/** Periods of several objects of one client, summed by their time, oldest first. */
export function joinPeriods(periods: readonly PeriodCounts[]): PeriodCounts[] {
  const same = Map.groupBy(periods, ({ hour, hours }) => `${hour} ${hours}`).values();
  return [...same]
    .map((each) => ({ ...each[0]!, counts: totalOf(each) }))
    .toSorted((a, b) => a.hour - b.hour || a.hours - b.hours);
}

export function totalOf(periods: readonly PeriodCounts[]): UsageCounts {
  return sumCounts(
    periods.map(({ counts }) => counts),
    USAGE_STORED_NAMES_MAX,
  );
}

function sumOf(names: readonly NameCounts[]): number[] {
  return VERDICTS.map((_, verdict) => names.reduce((sum, name) => sum + Number(name[verdict + 1]), 0));
}

function verdictsOf(counts: readonly number[]): VerdictCounts {
  const [allow = 0, label = 0, indeterminate = 0, block = 0] = counts;
  return { allow, label, indeterminate, block };
}
