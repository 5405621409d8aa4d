/**
 * Reports the figures of an object to the totals of all, at most once in FIGURES_REPORT_MS. An alarm must call `run` when
 * `dueAt` has come. A new object reports once, because it does not know whether its last figures arrived.
 */
import { FIGURES_REPORT_MS } from '../../shared/limits/metrics.ts';
import { warnFailed } from '../log.ts';
import type { FigureReport, MetricTotalsObject } from './metrics-port.ts';

export interface OwnFigures extends Omit<FigureReport, 'at'> {
  /** When they change although nothing happens, in ms since 1970; null or absent for never. */
  readonly changesAt?: number | null;
}

export class FigureReporter {
  readonly #read: () => OwnFigures | null;
  readonly #totals: () => Pick<MetricTotalsObject, 'report'>;
  #isDue = true;
  /** Of the last attempt, in ms since 1970. */
  #reportedAt = 0;
  /** What arrived last, as JSON. */
  #reported = '';
  #changesAt: number | null = null;

  /** @param read null as long as the object has nothing */
  constructor(read: () => OwnFigures | null, totals: () => Pick<MetricTotalsObject, 'report'>) {
    this.#read = read;
    this.#totals = totals;
  }

  /** A figure may have changed: if so, a report is due. */
  changed(): void {
    this.#isDue ||= JSON.stringify(this.#read()) !== this.#reported;
  }

  /** When the figures must be reported, in ms since 1970; null if they are. */
  get dueAt(): number | null {
    const next = this.#reportedAt + FIGURES_REPORT_MS;
    if (this.#isDue) return next;
    return this.#changesAt === null ? null : Math.max(this.#changesAt, next);
  }

  /** Reports the figures if that is due. Never throws: the next time is an interval later. */
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
