/**
 * Reports the text scores of one counter to the object that adds them up, at most once per DRIFT_REPORT_MS. A report
 * repeats the totals of all kept days, so a lost or repeated report makes no difference. A new object reports once,
 * because it does not know whether its last report arrived.
 */
import { DRIFT_REPORT_MS, DRIFT_WAIT_MS } from '../../shared/limits/drift.ts';
import { koreanDayOf } from '../../shared/time.ts';
import { warnFailed } from '../log.ts';
import type { DriftObject } from '../storage/drift-port.ts';
import { within } from '../storage/single-flight.ts';
import type { DayScoreRows } from './day-scores.ts';

export class DriftReporter {
  readonly #rows: DayScoreRows;
  readonly #drift: () => Pick<DriftObject, 'report'>;
  #isDue = true;
  #changedAt = Date.now();
  /** Time of the last attempt, in ms since 1970. */
  #reportedAt = 0;

  constructor(rows: DayScoreRows, drift: () => Pick<DriftObject, 'report'>) {
    this.#rows = rows;
    this.#drift = drift;
  }

  /** Makes a report due, because scores were counted. */
  changed(): void {
    this.#isDue = true;
    this.#changedAt = Date.now();
  }

  /** When an alarm must call `run`, unless it is called earlier, in ms since 1970; null if there is nothing new. */
  get alarmAt(): number | null {
    return this.#isDue ? Math.max(this.#reportedAt, this.#changedAt) + DRIFT_REPORT_MS : null;
  }

  /** Reports if a report is due. Never throws: after a failure, the next attempt follows an interval later. */
  async run(): Promise<void> {
    const now = Date.now();
    if (!this.#isDue || this.#reportedAt + DRIFT_REPORT_MS > now) return;
    this.#isDue = false;
    const all = this.#rows.all();
    if (all === null) return;
    this.#reportedAt = now;
    try {
      await within(this.#drift().report(all.source, all.days), DRIFT_WAIT_MS);
      this.#rows.forgetReported(koreanDayOf(now));
    } catch (error) {
      this.#isDue = true;
      warnFailed('scoresNotReported', error);
    }
  }
}
