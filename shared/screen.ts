/**
 * The one function all of this is for: may a text or a call pass?
 * Pure: addresses, a snapshot and a client's wishes in, an answer out. It never waits and never
 * guesses: what is not loaded makes the answer `indeterminate`, never `allow`, unless nothing that is missing
 * could take a block back.
 *
 * Precedence, for each thing that is judged (hit.ts): emergency called number > live unblock > allow exact >
 * allow range > live block > block exact > block range > rules.
 * Cost of a number on no list: two reads of the live layer, one permutation, then a probe a list; nothing
 * allocated but the answer.
 */

import type { Answer, Decision } from './decision.ts';
import { type About, type Hit, hit, policyHit, RANK } from './hit.ts';
import { lookUp } from './look-up.ts';
import { toE164 } from './numbers/number.ts';
import type { Party } from './numbers/party.ts';
import { isEmergency, isEmergencyNumber, krClassOf } from './numbers/plan.ts';
import { senderRule } from './numbers/sender-rules.ts';
import { isValidNumber } from './numbers/validity.ts';
import { factsOf } from './policy/facts.ts';
import { rulingOf } from './policy/policy.ts';
import type { Question, Sender } from './question.ts';
import { joined, writtenForms } from './readings.ts';
import type { Snapshot, Wishes } from './snapshot.ts';
import { testAnswer } from './test-numbers.ts';
import type { Reason, Subject, Verdict } from './verdict.ts';
import { SUBJECTS, strength } from './verdict.ts';

/** Nothing was found: the same object for all, since most are that. */
const PASSES: Decision = { verdict: 'allow', subject: null, reasons: [] };

export function screen(question: Question, snapshot: Snapshot, wishes: Wishes): Answer {
  return tell(question, judge(question, snapshot, wishes));
}

/** Put the addresses of a question beside what was decided. */
export function tell(question: Question, judgement: Decision): Answer {
  const { verdict, subject, reasons, action, unenforced, reading = question } = judgement;
  const answer = { verdict, subject, from: written(reading.from), to: written(reading.to), reasons };
  if (question.otherReadings.length === 0) {
    if (action !== undefined) return { ...answer, action };
    return unenforced === undefined ? answer : { ...answer, unenforced };
  }
  const readings = SUBJECTS.flatMap((each) => {
    const forms = writtenForms(question, each);
    return forms === null ? [] : [[each, forms.map(written)] as const];
  });
  return {
    ...answer,
    ...(action !== undefined && { action }),
    ...(unenforced !== undefined && { unenforced }),
    readings: Object.fromEntries(readings),
  };
}

/** The verdict alone, for who has no use for the addresses: a fifth of the time goes into writing them. */
export function judge(question: Question, snapshot: Snapshot, wishes: Wishes): Decision {
  if (question.otherReadings.length === 0) return judgeReading(question, snapshot, wishes);
  const all = [question, ...question.otherReadings].map((reading) => ({
    reading,
    decision: judgeReading(reading, snapshot, wishes),
  }));
  return joined(question, all, wishes);
}

function judgeReading(question: Question, snapshot: Snapshot, wishes: Wishes): Decision {
  const hits: Hit[] = [];
  if (question.to !== null) judgeRecipient(question.to, snapshot, wishes, hits);
  if (question.from !== null) judgeSender(question.from, question, snapshot, wishes, hits);
  if (hits.length === 0) return PASSES;
  // Most of what is hit is hit once: nothing to weigh.
  if (hits.length === 1) return ruled(hits[0]!, [hits[0]!.reason], wishes);
  const emergency = hits.find(({ rank }) => rank === RANK.emergency);
  const effective = emergency === undefined ? hits : [emergency];
  const deciding = decide(effective);
  const rest = hits.filter((hit) => hit !== deciding).sort(byPrecedence);
  const reasons = [deciding, ...rest].filter(isFirstOfItsKind).map(({ reason }) => reason);
  return ruled(deciding, reasons, wishes);
}

/** What the deciding hit comes to, by the client's own wishes. @param reasons the deciding one first */
function ruled({ verdict, reason }: Hit, reasons: readonly Reason[], wishes: Wishes): Decision {
  const base = { subject: reason.subject, reasons };
  if (verdict === 'indeterminate') return { verdict, ...base, action: wishes.failPolicy };
  const enforced = soften(verdict, wishes.mode);
  return enforced === verdict ? { verdict, ...base } : { verdict: enforced, ...base, unenforced: verdict };
}

/** Whether an emergency number is called, also as gateways write it: +82119, 02-119. */
function callsEmergency(party: Party): boolean {
  if (party.kind === 'number') return isEmergencyNumber(party.n);
  return party.kind === 'shortCode' && isEmergency(party.code);
}

/** An address as it is answered: E.164, short code, or the source's own text; null where it was withheld. */
function written(party: Sender | null): string | null {
  if (party === null || party.kind === 'withheld') return null;
  switch (party.kind) {
    case 'number':
      return toE164(party.n);
    case 'shortCode':
      return party.code;
    case 'localNumber':
      return party.digits;
    case 'source':
      return party.text;
  }
}

/** That data is missing is told once a subject, of however many things. */
function isFirstOfItsKind(hit: Hit, index: number, all: readonly Hit[]): boolean {
  if (!isMissingData(hit)) return true;
  const { subject } = hit.reason;
  return index === all.findIndex((other) => isMissingData(other) && other.reason.subject === subject);
}

function isMissingData({ rank }: Hit): boolean {
  return rank === RANK.unavailable || rank === RANK.incomplete;
}

function byPrecedence(a: Hit, b: Hit): number {
  return strength(b.verdict) - strength(a.verdict) || a.rank - b.rank;
}

/** The strongest of what is decided about each thing of each subject. */
function decide(hits: readonly Hit[]): Hit {
  let deciding: Hit | null = null;
  for (const subject of ['to', 'from'] as const) {
    const own = hits.filter(({ reason }) => reason.subject === subject);
    for (const things of apart(own)) {
      const decided = decideOne(things);
      if (deciding === null || strength(decided.verdict) > strength(deciding.verdict)) deciding = decided;
    }
  }
  return deciding!;
}

/** What was found of one subject, by what it is about. That the data is old goes with each of them. */
function apart(own: readonly Hit[]): (readonly Hit[])[] {
  const abouts = new Set<About>(own.map(({ about }) => about));
  if (abouts.size > 1) abouts.delete('data');
  if (abouts.size === 1) return [own];
  const letsThrough = ({ about, rank }: Hit): boolean =>
    about !== 'policy' && rank >= RANK.liveUnblock && rank <= RANK.allowRange;
  // The policy is on traffic of which nothing is known.
  if (own.some(letsThrough)) abouts.delete('policy');
  // An allow entry that is missing could let the policy go.
  const bearsOn = (hit: Hit, about: About): boolean =>
    hit.about === about || hit.about === 'data' || (about === 'policy' && hit.rank === RANK.unavailable);
  return [...abouts].map((about) => own.filter((hit) => bearsOn(hit, about)));
}

/** The strongest hit, unless one overrides the weaker places. @param hits of one thing, at least one */
function decideOne(hits: readonly Hit[]): Hit {
  const own = hits.toSorted(byPrecedence);
  const first = own.toSorted((a, b) => a.rank - b.rank)[0]!;
  if (first.rank > RANK.unavailable) return own[0]!;
  const stale = own.find(({ rank }) => rank === RANK.stale);
  // An allow entry of data that is too old may have been taken back since.
  return first.rank >= RANK.liveUnblock && stale !== undefined ? stale : first;
}

function soften(verdict: Verdict, mode: Wishes['mode']): Verdict {
  if (mode === 'label' && verdict === 'block') return 'label';
  return mode === 'shadow' && (verdict === 'block' || verdict === 'label') ? 'allow' : verdict;
}

/** @returns whether it is a test number, whose answer is fixed */
function isTest(subject: Subject, party: Sender, hits: Hit[]): boolean {
  const test = party.kind === 'number' ? testAnswer(party.n) : null;
  if (test !== null) hits.push(hit(RANK.test, test.verdict, subject, test.code, 'test'));
  return test !== null;
}

function judgeForm(subject: Subject, party: Party, hits: Hit[]): void {
  if (party.kind === 'localNumber' || (party.kind === 'number' && !isValidNumber(party.n))) {
    hits.push(hit(RANK.rule, 'block', subject, 'NUMBER_FORMAT_INVALID', 'rule', 'numbering-plan'));
  }
}

function judgeRecipient(party: Party, snapshot: Snapshot, wishes: Wishes, hits: Hit[]): void {
  if (isTest('to', party, hits)) return;
  judgeForm('to', party, hits);
  if (callsEmergency(party)) {
    hits.push(hit(RANK.emergency, 'allow', 'to', 'EMERGENCY_NEVER_BLOCKED', 'rule', 'emergency'));
  }
  lookUp('to', party, null, snapshot, wishes, hits);
}

/** Whether Korea's sender rules apply: to texts that are sent from Korea to a number in Korea. */
function hasSenderRules({ to, channel, ingress }: Question, { senderRules }: Wishes): boolean {
  const isAbroad = to?.kind === 'number' && krClassOf(to.n) === null;
  return senderRules === 'kr' && channel === 'sms' && ingress === null && !isAbroad;
}

function judgeSender(
  party: Sender,
  question: Question,
  snapshot: Snapshot,
  wishes: Wishes,
  hits: Hit[],
): void {
  if (isTest('from', party, hits)) return;
  const { channel, ingress } = question;
  const facts = ingress === null ? null : factsOf(party, channel, ingress);
  // What a sender from abroad may look like is for the policy to say.
  if (party.kind !== 'withheld' && facts?.origin !== 'abroad') {
    const rule = hasSenderRules(question, wishes) ? senderRule(party, wishes.shortCodes) : null;
    if (rule !== null) hits.push(hit(RANK.rule, 'block', 'from', 'SENDER_FORMAT_RULE', 'rule', rule));
    judgeForm('from', party, hits);
  }
  lookUp('from', party, ingress, snapshot, wishes, hits);
  if (facts === null) return;
  const { rule, shadows } = rulingOf(snapshot.policy.policy, facts);
  for (const each of rule === null ? shadows : [rule, ...shadows]) {
    const found = policyHit(each);
    if (found !== null) hits.push(found);
  }
}
