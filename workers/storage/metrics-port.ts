/**
 * The object that adds up the figures of many other objects, such as those of clients, so that a scrape reads one object.
 * Each of the others reports its own figures, at most once per FIGURES_REPORT_MS.
 */
import { CHANNELS } from '../../shared/request.ts';
import { VERDICTS } from '../../shared/verdict.ts';

/** The name of the only object that adds up figures. */
export const METRIC_TOTALS_NAME = 'main';

/** The names of the figures, by the kind of the objects that report them. */
export const FIGURES = {
  /** Objects of a client. All figures only rise: they count since the object was created. */
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

/** Figures by name. A missing figure is 0. */
export type Figures = Readonly<Record<string, number>>;

export interface FigureReport {
  readonly kind: FigureKind;
  /** The name of the object, unique within its kind. */
  readonly source: string;
  /** When the figures were read, in ms since 1970: an older report does not replace a newer one. */
  readonly at: number;
  readonly figures: Figures;
  /** Since when the oldest work of the object waits, in ms since 1970; null if no work waits. */
  readonly waitingSince: number | null;
}

/** The sums over all objects of a kind. */
export interface FigureTotals {
  readonly sums: Figures;
  /** The oldest `waitingSince`. */
  readonly waitingSince: number | null;
  /** Time of the newest report, in ms since 1970; null if there is none. */
  readonly reportedAt: number | null;
}

export interface MetricTotalsObject {
  /** @returns whether the report is kept: false if there are already FIGURE_SOURCES_MAX other objects */
  report(report: FigureReport): Promise<boolean>;
  totals(): Promise<Readonly<Record<FigureKind, FigureTotals>>>;
}
