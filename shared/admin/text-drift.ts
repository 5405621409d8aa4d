/** Drift in the admin API: the scores of texts by day, client and model. Days are those of Asia/Seoul. */
import type { TextBand } from '../text/analyse-text.ts';

/** Texts of one day and one model. */
export interface DriftDay {
  /** `2026-11-27` */
  readonly day: string;
  /** Name of the model. */
  readonly model: string;
  readonly texts: number;
  /** Texts that were labelled because of their score. */
  readonly labelled: number;
  readonly bands: Readonly<Record<TextBand, number>>;
  /** Texts by score: 20 equal bins from 0 to 1. */
  readonly histogram: readonly number[];
  /** PSI against the 7 days before, for the same model; null if there are too few texts. */
  readonly psi: number | null;
  /** Texts in the 7 days before. */
  readonly baseTexts: number;
}

/** Compares a candidate with the release in force, over the days of its canary. */
export interface DriftCanary {
  readonly candidate: string;
  readonly current: string;
  readonly since: string;
  /** Clients and texts that can be compared; possibly 0. */
  readonly clients: number;
  readonly texts: number;
  /** Share of suspicious texts: the candidate's, and that expected of the release in force. Null without texts. */
  readonly rate: number | null;
  readonly expectedRate: number | null;
}

export interface DriftReport {
  /** First and last day of the report. */
  readonly from: string;
  readonly to: string;
  /** The client; null for all clients together. */
  readonly client: string | null;
  readonly days: readonly DriftDay[];
  /** Clients whose PSI exceeds `psiMax` on the last day of the report, largest PSI first. */
  readonly drifting: readonly { readonly client: string; readonly model: string; readonly psi: number }[];
  readonly psiMax: number;
  readonly canary: DriftCanary | null;
}
