/**
 * Screens each reading of an ambiguous text and joins the decisions.
 * If all readings have the same verdict, that verdict is returned. Otherwise a gateway check returns the
 * strongest, because traffic does not wait there; a check returns `NUMBER_AMBIGUOUS`, and the client resends
 * the number with `+`.
 */

import type { ScreenRequest, Sender } from '../request.ts';
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
  const readings = distinctParties(all);
  // An emergency call is never held up, whatever else the text can mean.
  const emergency = all.find(({ decision }) => decision.reasons[0]?.code === 'EMERGENCY_NEVER_BLOCKED');
  const strongest = all.reduce((best, each) => (strengthOf(each) > strengthOf(best) ? each : best));
  const { verdict, reasons } = strongest.decision;
  const agree = all.every(({ decision }) => decision.verdict === verdict);
  if (emergency !== undefined || agree || request.ingress !== null) {
    const { decision, reading } = emergency ?? strongest;
    return { ...decision, reading, readings };
  }
  const subjects = SUBJECTS.filter((subject) => readings[subject] !== undefined);
  return {
    verdict: 'indeterminate',
    subject: subjects[0]!,
    reasons: [...subjects.map(ambiguous), ...reasons],
    // `open` would be a guess if one of the readings is blocked.
    action: verdict === 'block' ? 'closed' : failPolicy,
    reading: {
      ...request,
      from: readings.from === undefined ? request.from : null,
      to: readings.to === undefined ? request.to : null,
    },
    readings,
  };
}

/** Ranks by the verdict before the client's mode is applied. */
function strengthOf({ decision: { verdict, unenforced } }: ScreenedReading): number {
  return strength(unenforced ?? verdict);
}

function ambiguous(subject: Subject): Reason {
  return {
    subject,
    code: 'NUMBER_AMBIGUOUS',
    list: 'several-readings',
    match: 'rule',
    effect: 'indeterminate',
    authority: null,
    until: null,
    detail: `"${subject}" can mean several numbers: write it with + and its country code`,
  };
}

/** The numbers that each subject can mean, if there are several. */
function distinctParties(all: readonly ScreenedReading[]): NonNullable<Decision['readings']> {
  const distinct: Partial<Record<Subject, Sender[]>> = {};
  for (const subject of SUBJECTS) {
    const parties = new Set(all.flatMap(({ reading }) => reading[subject] ?? []));
    if (parties.size > 1) distinct[subject] = [...parties];
  }
  return distinct;
}
