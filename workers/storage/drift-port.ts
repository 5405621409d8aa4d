/**
 * The object that adds up the scores of texts over all clients (workers/drift/text-drift.ts), and what it needs from the
 * text store.
 */
import type { DriftReport } from '../../shared/admin/text-drift.ts';
import type { TextCounts } from '../../shared/usage/text-counts.ts';

/** The name of the only object that adds up scores. */
export const DRIFT_NAME = 'main';

/** All counts of one object of a client on one day so far. */
export interface DayScores {
  /** Days since 1970, in Korea. */
  readonly day: number;
  readonly scores: readonly TextCounts[];
}

/** Days since 1970, in Korea; both inclusive. */
export interface DaySpan {
  readonly from: number;
  readonly to: number;
}

/** Figures for metrics, as of the last check. */
export interface DriftStatus {
  /** PSI of all texts of the day, by model. Models with too few texts are missing. */
  readonly psi: readonly { readonly model: string; readonly psi: number }[];
  /** Clients above the bound on that day. */
  readonly driftingClients: number;
  /** Candidates that were withdrawn because of their rate, since the object was created. */
  readonly withdrawn: number;
  /** Texts of the day. */
  readonly texts: number;
  /** Rows for which there was no room, since the object was created. */
  readonly refused: number;
}

export interface DriftObject {
  /**
   * Receives the counts of one object of a client. The counts are totals, which only rise: a repeat changes nothing, and
   * the order does not matter.
   * @param source name of the object (usageObjectName)
   */
  report(source: string, days: readonly DayScores[]): Promise<void>;
  /** @param client null for all */
  read(span: DaySpan, client: string | null): Promise<DriftReport>;
  status(): Promise<DriftStatus>;
}

/** A canary of a text release. */
export interface TextCanaryState {
  /** The release in force; null if there is none. */
  readonly current: string | null;
  readonly candidate: string;
  /** When the canary began, in ms since 1970. */
  readonly since: number;
}

/** What the text store offers for canaries. */
export interface TextCanary {
  /** Null if there is no canary now. */
  canary(): Promise<TextCanaryState | null>;
  /**
   * Withdraws the candidate in the name of the service. The audit log gets this reason.
   * @returns whether it was still the candidate
   */
  withdrawCandidate(release: string, reason: string): Promise<boolean>;
}
