/**
 * Reports the figures of an object to the object that adds them up, at most once per FIGURES_REPORT_MS. An alarm must
 * call `run` at `dueAt`. A new object reports once, because it does not know whether its last figures arrived.
 */
import { FIGURES_REPORT_MS } from '../../shared/limits/metrics.ts';
import { warnFailed } from '../log.ts';
import type { FigureReport, MetricTotalsObject } from './metrics-port.ts';

export interface OwnFigures extends Omit<FigureReport, 'at'> {
  /** When the figures change although nothing happens, in ms since 1970; null or absent for never. */
  readonly changesAt?: number | null;
}

export class FigureReporter {
  readonly #read: () => OwnFigures | null;
  readonly #totals: () => Pick<MetricTotalsObject, 'report'>;
  #isDue = true;
  /** Time of the last attempt, in ms since 1970. */
  #reportedAt = 0;
  /** The figures that arrived last, as JSON. */
  #reported = '';
  #changesAt: number | null = null;

  /** @param read returns null as long as the object has no figures */
  constructor(read: () => OwnFigures | null, totals: () => Pick<MetricTotalsObject, 'report'>) {
    this.#read = read;
    this.#totals = totals;
  }

  /** Makes a report due if a figure has changed. */
  changed(): void {
    this.#isDue ||= JSON.stringify(this.#read()) !== this.#reported;
  }

  /** When the figures must be reported, in ms since 1970; null if they are reported. */
  get dueAt(): number | null {
    const next = this.#reportedAt + FIGURES_REPORT_MS;
    if (this.#isDue) return next;
    return this.#changesAt === null ? null : Math.max(this.#changesAt, next);
  }

  /** Reports the figures if that is due. Never throws: after a failure, the next attempt follows an interval later. */
  async run(): Promise<void> {
    const now = Date.now();
    if (this.dueAt === null || this.dueAt > now) return;
    this.#isDue = false;
    this.#reportedAt = now;
    try {
      const own = this.#read();
      this.#changesAt = own?.changesAt ?? null;
      if (own !== null) {
        const { kind, source, figures, waitingSince } = own;
        await this.#totals().report({ kind, source, at: now, figures, waitingSince });
      }
      this.#reported = JSON.stringify(own);
    } catch (error) {
      this.#isDue = true;
      warnFailed('figuresNotReported', error);
    }
  }
}
