/**
 * The object that adds up the figures of objects of which there are many, such as those of clients: so a scrape reads
 * one object, however many there are. Each of them reports its own figures, at most once in FIGURES_REPORT_MS.
 */
import { CHANNELS } from '../../shared/request.ts';
import { VERDICTS } from '../../shared/verdict.ts';

/** The name of the only one. */
export const METRIC_TOTALS_NAME = 'main';

/** The kind of the objects that report these figures, by the names of the figures. */
export const FIGURES = {
  /** Objects of a client. All figures only rise: what the client got since it exists. */
  usage: [
    ...CHANNELS.flatMap((channel) => VERDICTS.map((verdict) => `${channel} ${verdict}`)),
    ...['requests', 'errors', 'quotaRefusals', 'lostNumbers'],
  ],
  /** Intakes of reports. All but `waiting` only rise. */
  reports: ['accepted', 'withdrawn', 'overBudget', 'waiting'],
  /** Stores of registrations: batches that the registry does not have. */
  registrations: ['unsent'],
  /** Stores of notices: see `NoticesStatus`. */
  notices: ['kept', 'pending', 'failed', 'overdue', 'enabled', 'disabled', 'gone'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type FigureKind = keyof typeof FIGURES;

/** By name. A missing one is 0. */
export type Figures = Readonly<Record<string, number>>;

export interface FigureReport {
  readonly kind: FigureKind;
  /** The name of the object, unique within its kind. */
  readonly source: string;
  /** When the figures were read, in ms since 1970: an older report does not replace a newer one. */
  readonly at: number;
  readonly figures: Figures;
  /** Since when the oldest of its work waits, in ms since 1970; null if none waits. */
  readonly waitingSince: number | null;
}

/** The sums over all objects of a kind. */
export interface FigureTotals {
  readonly sums: Figures;
  /** The oldest `waitingSince`. */
  readonly waitingSince: number | null;
  /** The newest report, in ms since 1970; null if there is none. */
  readonly reportedAt: number | null;
}

export interface MetricTotalsObject {
  /** @returns whether it is kept: no if there are FIGURE_SOURCES_MAX other objects already */
  report(report: FigureReport): Promise<boolean>;
  totals(): Promise<Readonly<Record<FigureKind, FigureTotals>>>;
}
