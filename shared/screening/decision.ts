/**
 * The result of screening one request: everything that the formatters of responses need, so that none of them
 * evaluates anything again.
 */

import type { IdentityResult } from '../credentials/identity.ts';
import type { Facts } from '../policy/facts.ts';
import type { Rule } from '../policy/policy.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import type { Subject, Verdict } from '../verdict.ts';
import type { FoundReason } from './finding.ts';
import type { ScreenedText } from './screened-text.ts';

/** The decision on one request, with its reasons. */
export interface Decision {
  readonly verdict: Verdict;
  /** The subject that decided; null if nothing was found. */
  readonly subject: Subject | null;
  /** All findings, the deciding one first. */
  readonly reasons: readonly FoundReason[];
  /** What to do on `indeterminate`, by the client's `failPolicy`. */
  readonly action?: 'open' | 'closed';
  /** In `label` or `shadow` mode: the verdict without that mode. */
  readonly unenforced?: Verdict;
  /**
   * For a request with several readings: the deciding one. With NUMBER_AMBIGUOUS, none decides: each subject
   * that can mean several numbers is null.
   */
  readonly reading?: ScreenRequest;
  /** For a request with several readings: every number that a subject can mean, if there are several. */
  readonly readings?: Partial<Record<Subject, readonly Sender[]>>;
  /** For a sender at a gateway: what the policy decided, for the deciding reading. */
  readonly policy?: PolicyDecision;
  /** For traffic with PASSporTs at a gateway: whether they vouch for it. */
  readonly identity?: IdentityResult;
  /** For a request with a text: what was found in it. It holds nothing of the text. */
  readonly text?: ScreenedText;
}

export interface PolicyDecision {
  readonly version: number;
  readonly facts: Facts;
  /** The first matching rule that is not a shadow rule; null if none matches. */
  readonly rule: Rule | null;
  /** Whether that rule is a finding, and no allow entry vouches for the sender. */
  readonly applies: boolean;
  /** Whether the traffic passes with the label: by its verdict, or undecided under a rule against it. */
  readonly isLabelled: boolean;
}
