/**
 * The counts of one client in one hour, in the form in which they are sent and stored. Pure.
 *
 * Totals count the client's requests. A dimension divides the screened requests by a name, and each name by the
 * verdict that the client received, after its `mode`. Requests without a name in a dimension (a request without a finding
 * has no code) are not stored there: they are the difference to `channel`, which every request has.
 */
import { VERDICTS } from '../verdict.ts';

/**
 * - `requests`: accepted credentials, whatever the answer.
 * - `errors`: requests that were answered 4xx or 5xx.
 * - `quotaRefusals`: errors because the request exceeded the quota.
 * - `numbers`: senders and recipients of screened requests and items.
 * - `invalidItems`: items of a batch and lines of a stream that failed individually.
 * - `unenforced`: screened requests whose verdict the client's `mode` weakened.
 * - `recordBytes`: block records, in bytes before they are sealed.
 * - `recordsDropped`: block records beyond RECORD_BYTES_PER_DAY_MAX.
 * - `lostNumbers`: numbers whose other counts were given up, because they could not be sent.
 * - `uncountedTexts`: texts of mobile numbers that were not counted by number: see mobile-senders.ts.
 */
export const TOTALS = [
  'requests',
  'errors',
  'quotaRefusals',
  'numbers',
  'invalidItems',
  'unenforced',
  'recordBytes',
  'recordsDropped',
  'lostNumbers',
  'uncountedTexts',
] as const;
export type Total = (typeof TOTALS)[number];

/**
 * - `channel`: `sms` or `voice`.
 * - `code`, `list`: of the deciding reason. The list can be a rule, or `live`.
 * - `country`: where the traffic comes from, ISO 3166-1 alpha-2: the ingress country, otherwise the main country of
 *   the sender's calling code (`001` for global codes).
 * - `operator`: MCC and MNC of the ingress.
 */
export const DIMENSIONS = ['channel', 'code', 'list', 'country', 'operator'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Collects the names of a dimension that exceed its bound. No list, code, country or operator has this name. */
export const OTHER = '(other)';

/** A name, and the requests with each verdict, in the order of VERDICTS. */
export type NameCounts = readonly [name: string, ...verdicts: number[]];

export interface UsageCounts {
  readonly totals: Readonly<Partial<Record<Total, number>>>;
  readonly by: Readonly<Partial<Record<Dimension, readonly NameCounts[]>>>;
}

export const NO_COUNTS: UsageCounts = { totals: {}, by: {} };

/**
 * The sum of counts. Names keep the order in which they first came.
 * @param namesMax names of a dimension, OTHER not included
 */
export function sumCounts(all: readonly UsageCounts[], namesMax: number): UsageCounts {
  const totals: Partial<Record<Total, number>> = {};
  for (const total of TOTALS) {
    const sum = all.reduce((before, { totals: each }) => before + (each[total] ?? 0), 0);
    if (sum > 0) totals[total] = sum;
  }
  const by: Partial<Record<Dimension, NameCounts[]>> = {};
  for (const dimension of DIMENSIONS) {
    const names = sumNames(
      all.map((each) => each.by[dimension] ?? []),
      namesMax,
    );
    if (names.length > 0) by[dimension] = names;
  }
  return { totals, by };
}

function sumNames(all: readonly (readonly NameCounts[])[], namesMax: number): NameCounts[] {
  const cells = new Map<string, number[]>();
  for (const [name, ...verdicts] of all.flat()) {
    const isKept = name === OTHER || cells.has(name) || cells.size - Number(cells.has(OTHER)) < namesMax;
    const key = isKept ? name : OTHER;
    const sums = cells.get(key) ?? VERDICTS.map(() => 0);
    cells.set(
      key,
      sums.map((sum, verdict) => sum + (verdicts[verdict] ?? 0)),
    );
  }
  return [...cells].map(([name, verdicts]) => [name, ...verdicts]);
}
