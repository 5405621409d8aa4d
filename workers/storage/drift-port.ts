/**
 * The object that adds up the scores of texts over all clients (workers/drift/text-drift.ts), and what it needs from the
 * text store.
 */
import type { TextCounts } from '../../shared/usage/text-counts.ts';

/** The name of the only one. */
export const DRIFT_NAME = 'main';

/** All counts of one object of a client on one day so far: a later report replaces an earlier one. */
export interface DayScores {
  /** Days since 1970, in Korea. */
  readonly day: number;
  readonly scores: readonly TextCounts[];
}

export interface DriftObject {
  /**
   * Takes what an object of a client has counted. Idempotent: the counts are totals, which only rise.
   * @param source name of the object (usageObjectName)
   */
  report(client: string, source: string, days: readonly DayScores[]): Promise<void>;
}

/** What the text store offers for canaries. */
export interface TextCanary {
  /** The text release in force, and its candidate; null if there is no canary now. */
  canary(): Promise<{
    readonly current: string | null;
    readonly candidate: string;
    /** When the canary began, in ms since 1970. */
    readonly since: number;
  } | null>;
  /**
   * Takes back the candidate, as the service itself: in the audit log with this reason.
   * @returns whether it was still the candidate
   */
  withdrawCandidate(release: string, reason: string): Promise<boolean>;
}
