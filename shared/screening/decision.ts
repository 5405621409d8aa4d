/**
 * The result of screening one request.
 */
import type { ScreenRequest } from '../request.ts';
import type { Reason, Subject, Verdict } from '../verdict.ts';

/** The decision on one request, with its reasons. */
export interface Decision {
  readonly verdict: Verdict;
  /** The subject that decided; null if nothing was found. */
  readonly subject: Subject | null;
  /** All findings, the deciding one first. */
  readonly reasons: readonly Reason[];
  /** What to do on `indeterminate`, by the client's `failPolicy`. */
  readonly action?: 'open' | 'closed';
  /** In `label` or `shadow` mode: the verdict without that mode. */
  readonly unenforced?: Verdict;
  /** For a request with several readings: the deciding one, without the numbers that remain unknown. */
  readonly reading?: ScreenRequest;
}

/** A decision as it is sent, with the parsed parties. */
export interface CheckResponse extends Omit<Decision, 'reading'> {
  readonly from: string | null;
  readonly to: string | null;
  /** Every number that a subject can mean, if there are several. */
  readonly readings?: Partial<Record<Subject, readonly (string | null)[]>>;
}
