/**
 * The result of screening one request.
 */
import type { Question } from './question.ts';
import type { Reason, Subject, Verdict } from './verdict.ts';

/** What is decided of one request, and why. */
export interface Decision {
  readonly verdict: Verdict;
  /** The subject that decided; null if nothing was found. */
  readonly subject: Subject | null;
  /** Every finding, the deciding one first. */
  readonly reasons: readonly Reason[];
  /** What to do on `indeterminate`, by the client's own policy. */
  readonly action?: 'open' | 'closed';
  /** In `label` or `shadow` mode: what the verdict would have been. */
  readonly unenforced?: Verdict;
  /** Of a question with several readings: the one that decided; without the numbers that remain unknown. */
  readonly reading?: Question;
}

/** A decision as it is sent, with the parties as they were read. */
export interface Answer extends Omit<Decision, 'reading'> {
  readonly from: string | null;
  readonly to: string | null;
  /** Every number that a subject can mean, if there are several. */
  readonly readings?: Partial<Record<Subject, readonly (string | null)[]>>;
}
