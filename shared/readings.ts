/**
 * One decision for a text that can mean several numbers: each reading is screened, and the decisions are joined.
 * If all readings come to the same verdict, that is the answer. If not, a gateway takes the strongest, since traffic
 * does not wait there; a check answers `NUMBER_AMBIGUOUS`, and the client resends the number with `+`.
 */

import type { Decision } from './decision.ts';
import type { Question } from './question.ts';
import type { Wishes } from './snapshot.ts';
import { type Reason, SUBJECTS, type Subject, strength } from './verdict.ts';

/** A reading and what was decided of it. */
export interface Read {
  readonly reading: Question;
  readonly decision: Decision;
}

/** @param all at least one; `question` is the first of them */
export function joined(question: Question, all: readonly Read[], { failPolicy }: Wishes): Decision {
  // An emergency call is never held up, whatever else the text can mean.
  const emergency = all.find(({ decision }) => decision.reasons[0]?.code === 'EMERGENCY_NEVER_BLOCKED');
  if (emergency !== undefined) return { ...emergency.decision, reading: emergency.reading };
  const strongest = all.reduce((best, each) => (strengthOf(each) > strengthOf(best) ? each : best));
  const { verdict } = strongest.decision;
  const agree = all.every(({ decision }) => decision.verdict === verdict);
  if (agree || question.ingress !== null) return { ...strongest.decision, reading: strongest.reading };
  const subjects = SUBJECTS.filter((subject) => writtenForms(question, subject) !== null);
  return {
    verdict: 'indeterminate',
    subject: subjects[0]!,
    reasons: [...subjects.map(ambiguous), ...strongest.decision.reasons],
    // To open for a number that may be a blocked one would be a guess.
    action: verdict === 'block' ? 'closed' : failPolicy,
    reading: {
      ...question,
      from: subjects.includes('from') ? null : question.from,
      to: subjects.includes('to') ? null : question.to,
    },
  };
}

/** By what would have been decided, were it enforced. */
function strengthOf({ decision: { verdict, unenforced } }: Read): number {
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

/** The numbers that a subject can mean, null if there is only one. */
export function writtenForms(
  { otherReadings, ...question }: Question,
  subject: Subject,
): NonNullable<Question[Subject]>[] | null {
  const parties = [question, ...otherReadings].flatMap((reading) => reading[subject] ?? []);
  const distinct = [...new Set(parties)];
  return distinct.length > 1 ? distinct : null;
}
