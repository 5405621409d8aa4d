/**
 * Screens each reading of an ambiguous text and joins the decisions.
 * If all readings have the same verdict, that verdict is returned. Otherwise a gateway check returns the
 * strongest, because traffic does not wait there; a check returns `NUMBER_AMBIGUOUS`, and the client resends
 * the number with `+`.
 */

import type { ScreenRequest } from '../request.ts';
import { type Reason, SUBJECTS, type Subject, strength } from '../verdict.ts';
import type { Decision } from './decision.ts';
import type { ClientSettings } from './snapshot.ts';

/** A reading and its decision. */
export interface ScreenedReading {
  readonly reading: ScreenRequest;
  readonly decision: Decision;
}

/** @param all at least one; `request` is the first of them */
export function joinReadings(
  request: ScreenRequest,
  all: readonly ScreenedReading[],
  { failPolicy }: ClientSettings,
): Decision {
  // An emergency call is never held up, whatever else the text can mean.
  const emergency = all.find(({ decision }) => decision.reasons[0]?.code === 'EMERGENCY_NEVER_BLOCKED');
  if (emergency !== undefined) return { ...emergency.decision, reading: emergency.reading };
  const strongest = all.reduce((best, each) => (strengthOf(each) > strengthOf(best) ? each : best));
  const { verdict } = strongest.decision;
  const agree = all.every(({ decision }) => decision.verdict === verdict);
  if (agree || request.ingress !== null) return { ...strongest.decision, reading: strongest.reading };
  const subjects = SUBJECTS.filter((subject) => distinctParties(request, subject) !== null);
  return {
    verdict: 'indeterminate',
    subject: subjects[0]!,
    reasons: [...subjects.map(ambiguous), ...strongest.decision.reasons],
    // `open` would be a guess if one of the readings is blocked.
    action: verdict === 'block' ? 'closed' : failPolicy,
    reading: {
      ...request,
      from: subjects.includes('from') ? null : request.from,
      to: subjects.includes('to') ? null : request.to,
    },
  };
}

/** Ranks by the verdict before the client's mode is applied. */
function strengthOf({ decision: { verdict, unenforced } }: ScreenedReading): number {
  return strength(unenforced ?? verdict);
}

function ambiguous(subject: Subject): Reason {
  return {
    ...{
      subject,
      code: 'NUMBER_AMBIGUOUS',
      list: 'several-readings',
      match: 'rule',
      effect: 'indeterminate',
    },
    ...{ authority: null, until: null },
    detail: `"${subject}" can mean several numbers: write it with + and its country code`,
  };
}

/** The numbers that a subject can mean; null if there is only one. */
export function distinctParties(
  { otherReadings, ...request }: ScreenRequest,
  subject: Subject,
): NonNullable<ScreenRequest[Subject]>[] | null {
  const parties = [request, ...otherReadings].flatMap((reading) => reading[subject] ?? []);
  const distinct = [...new Set(parties)];
  return distinct.length > 1 ? distinct : null;
}
