/** Drift in the admin API: the scores of texts by day, client and model. Days are those of Asia/Seoul. */
import type { TextBand } from '../text/analyse-text.ts';

/** Texts of one day and one model. */
export interface DriftDay {
  /** `2026-11-27` */
  readonly day: string;
  /** Name of the model. */
  readonly model: string;
  readonly texts: number;
  /** Texts whose client got a label because of their score. */
  readonly labelled: number;
  readonly bands: Readonly<Record<TextBand, number>>;
  /** Texts by score: 20 equal bins from 0 to 1. */
  readonly histogram: readonly number[];
  /** PSI against the 7 days before, by the same model; null if there are too few texts. */
  readonly psi: number | null;
  /** Texts of these 7 days. */
  readonly baseTexts: number;
}

/** A candidate beside the release in force, on the days of its canary. */
export interface DriftCanary {
  readonly candidate: string;
  readonly current: string;
  readonly since: string;
  /** Clients and texts that can be compared; 0 if there are none. */
  readonly clients: number;
  readonly texts: number;
  /** Shares of suspicious texts: of the candidate, and what the release in force would have had. Null without texts. */
  readonly rate: number | null;
  readonly expectedRate: number | null;
}

export interface DriftReport {
  /** First and last day. */
  readonly from: string;
  readonly to: string;
  /** Null for all clients together. */
  readonly client: string | null;
  readonly days: readonly DriftDay[];
  /** Clients with a PSI above the bound on the last day of the span, with the largest PSI first. */
  readonly drifting: readonly { readonly client: string; readonly model: string; readonly psi: number }[];
  readonly psiMax: number;
  readonly canary: DriftCanary | null;
}
