/**
 * Exact monthly counts of reports, for the statistics. They change in the transaction that keeps or withdraws a report, so
 * they always equal the reports. They outlive the reports. A report counts for the month in which the spam was received.
 */
import { INTAKE_MONTHS_KEPT, INTAKE_NAMES_MAX } from '../../shared/limits/statistics.ts';
import type { MonthCount } from '../../shared/statistics/figures.ts';
import { monthOf, shifted } from '../../shared/statistics/month.ts';
import { unpackTraits } from './traits.ts';

type Facet = MonthCount['facet'];

/** The fields of a report that are counted. */
export interface CountedReport {
  readonly traits: number;
  readonly at: number;
  readonly received: number;
  readonly relayCode: string | null;
  readonly operator: string | null;
}

/** The name under which all names beyond INTAKE_NAMES_MAX are counted. */
const FURTHER = '';

interface Key {
  readonly month: string;
  readonly facet: Facet;
  readonly name: string;
}

export class MonthCounts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Counts kept reports. Must run in the transaction that keeps them. */
  add(reports: readonly CountedReport[]): void {
    const rooms = new Map<string, number>();
    for (const [text, count] of tallied(reports)) {
      const { month, facet, name } = JSON.parse(text) as Key;
      const counted = this.#nameFor({ month, facet, name }, rooms);
      this.#sql.exec(
        `INSERT INTO months VALUES (?, ?, ?, ?, 0)
         ON CONFLICT (month, facet, name) DO UPDATE SET acknowledged = acknowledged + excluded.acknowledged`,
        ...[month, facet, counted, count],
      );
    }
  }

  /** Counts withdrawals of kept reports. Must run in the transaction of the withdrawal. */
  withdraw(reports: readonly CountedReport[]): void {
    for (const [text, count] of tallied(reports)) {
      const { month, facet, name } = JSON.parse(text) as Key;
      const update = (counted: string): boolean =>
        this.#sql
          .exec(
            'UPDATE months SET withdrawn = withdrawn + ? WHERE month = ? AND facet = ? AND name = ? RETURNING name',
            ...[count, month, facet, counted],
          )
          .toArray().length > 0;
      // If there was no room for the name, the report was counted under FURTHER.
      if (!update(name)) update(FURTHER);
    }
  }

  of(month: string): MonthCount[] {
    return this.#sql
      .exec<{ facet: string; name: string; acknowledged: number; withdrawn: number }>(
        'SELECT facet, name, acknowledged, withdrawn FROM months WHERE month = ? ORDER BY facet, name',
        month,
      )
      .toArray()
      .map(({ facet, ...count }) => ({ month, facet: facet as Facet, ...count }));
  }

  /** The first month that has counts; null if there is none. */
  get first(): string | null {
    return this.#sql.exec<{ month: string | null }>('SELECT MIN(month) AS month FROM months').one().month;
  }

  /** Removes months that are too old to be corrected. @param now ms since 1970 */
  removeOld(now: number): void {
    this.#sql.exec('DELETE FROM months WHERE month < ?', shifted(monthOf(now), -INTAKE_MONTHS_KEPT));
  }

  /** @param rooms how many further names have room, by month and facet: read once for many names */
  #nameFor({ month, facet, name }: Key, rooms: Map<string, number>): string {
    if (facet === 'traits') return name;
    const isKnown =
      this.#sql
        .exec('SELECT 1 FROM months WHERE month = ? AND facet = ? AND name = ?', month, facet, name)
        .toArray().length > 0;
    if (isKnown) return name;
    const key = `${month} ${facet}`;
    const room = rooms.get(key) ?? INTAKE_NAMES_MAX - this.#namesOf(month, facet);
    rooms.set(key, room - 1);
    return room > 0 ? name : FURTHER;
  }

  #namesOf(month: string, facet: Facet): number {
    return this.#sql
      .exec<{ n: number }>(
        'SELECT COUNT(*) AS n FROM months WHERE month = ? AND facet = ? AND name <> ?',
        ...[month, facet, FURTHER],
      )
      .one().n;
  }
}

/** The number of reports for each key. Keys are JSON. */
function tallied(reports: readonly CountedReport[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const report of reports) {
    for (const key of keysOf(report)) {
      const text = JSON.stringify(key);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
  }
  return counts;
}

function keysOf({ traits, at, received, relayCode, operator }: CountedReport): Key[] {
  // A partner's clock that is ahead must not move a report into the next month.
  const month = monthOf(Math.min(at, received));
  const { channel, spam, origin } = unpackTraits(traits);
  const isTextSpam = channel === 'sms' && spam !== 'notSpam';
  return [
    { month, facet: 'traits', name: String(traits) },
    ...(isTextSpam && relayCode !== null ? [{ month, facet: 'relay', name: relayCode } as const] : []),
    ...(isTextSpam && origin === 'overseas' && operator !== null
      ? [{ month, facet: 'operator', name: operator } as const]
      : []),
  ];
}
