/**
 * The core function: `screen` decides whether a text or a call may pass.
 * It is pure: it maps a request, a snapshot and client settings to a decision. It never waits and never
 * guesses. If data is not loaded, the verdict is `indeterminate`, never `allow`, unless none of the missing
 * data could override a block.
 *
 * Precedence within each aspect (finding.ts): emergency called number > live unblock > allow exact > allow
 * range > live block > block exact > block range > rules.
 * A number on no list costs two reads of the live layer, one permutation, and one probe per list. Only the
 * response is allocated.
 */

import { toE164 } from '../numbers/number.ts';
import type { Party } from '../numbers/party.ts';
import { isEmergency, isEmergencyNumber, krClassOf } from '../numbers/plan.ts';
import { senderRule } from '../numbers/sender-rules.ts';
import { isValidNumber } from '../numbers/validity.ts';
import { factsOf } from '../policy/facts.ts';
import { matchPolicy } from '../policy/policy.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import { findTestNumber } from '../test-numbers.ts';
import type { Reason, Subject, Verdict } from '../verdict.ts';
import { SUBJECTS, strength } from '../verdict.ts';
import type { CheckResponse, Decision } from './decision.ts';
import { type Aspect, type Finding, finding, PRECEDENCE, policyFinding } from './finding.ts';
import { lookUp } from './look-up.ts';
import { distinctParties, joinReadings } from './readings.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/** No findings. Shared by all such requests, since they are the majority. */
const PASSES: Decision = { verdict: 'allow', subject: null, reasons: [] };

export function screenAndFormat(
  request: ScreenRequest,
  snapshot: Snapshot,
  settings: ClientSettings,
): CheckResponse {
  return formatDecision(request, screen(request, snapshot, settings));
}

/** Combines a decision with the parties of its request. */
export function formatDecision(request: ScreenRequest, decision: Decision): CheckResponse {
  const { verdict, subject, reasons, action, unenforced, reading = request } = decision;
  const answer = { verdict, subject, from: formatParty(reading.from), to: formatParty(reading.to), reasons };
  if (request.otherReadings.length === 0) {
    if (action !== undefined) return { ...answer, action };
    return unenforced === undefined ? answer : { ...answer, unenforced };
  }
  const readings = SUBJECTS.flatMap((each) => {
    const forms = distinctParties(request, each);
    return forms === null ? [] : [[each, forms.map(formatParty)] as const];
  });
  return {
    ...answer,
    ...(action !== undefined && { action }),
    ...(unenforced !== undefined && { unenforced }),
    readings: Object.fromEntries(readings),
  };
}

/** The decision without the formatted parties: formatting them takes a fifth of the time. */
export function screen(request: ScreenRequest, snapshot: Snapshot, settings: ClientSettings): Decision {
  if (request.otherReadings.length === 0) return screenReading(request, snapshot, settings);
  const all = [request, ...request.otherReadings].map((reading) => ({
    reading,
    decision: screenReading(reading, snapshot, settings),
  }));
  return joinReadings(request, all, settings);
}

function screenReading(request: ScreenRequest, snapshot: Snapshot, settings: ClientSettings): Decision {
  const findings: Finding[] = [];
  if (request.to !== null) screenRecipient(request.to, snapshot, settings, findings);
  if (request.from !== null) screenSender(request.from, request, snapshot, settings, findings);
  if (findings.length === 0) return PASSES;
  // Most requests with findings have exactly one, so there is nothing to rank.
  if (findings.length === 1) return toDecision(findings[0]!, [findings[0]!.reason], settings);
  const emergency = findings.find(({ precedence: rank }) => rank === PRECEDENCE.emergency);
  const effective = emergency === undefined ? findings : [emergency];
  const deciding = findDeciding(effective);
  const rest = findings.filter((hit) => hit !== deciding).sort(byPrecedence);
  const reasons = [deciding, ...rest].filter(isFirstOfItsKind).map(({ reason }) => reason);
  return toDecision(deciding, reasons, settings);
}

/** Applies the client settings to the deciding finding. @param reasons the deciding one first */
function toDecision(
  { verdict, reason }: Finding,
  reasons: readonly Reason[],
  settings: ClientSettings,
): Decision {
  const base = { subject: reason.subject, reasons };
  if (verdict === 'indeterminate') return { verdict, ...base, action: settings.failPolicy };
  const enforced = soften(verdict, settings.mode);
  return enforced === verdict ? { verdict, ...base } : { verdict: enforced, ...base, unenforced: verdict };
}

/** Whether the party is an emergency number, also as gateways write it: +82119, 02-119. */
function callsEmergency(party: Party): boolean {
  if (party.kind === 'number') return isEmergencyNumber(party.n);
  return party.kind === 'shortCode' && isEmergency(party.code);
}

/** A party as it is sent: E.164, short code, or the text of the source; null if withheld. */
function formatParty(party: Sender | null): string | null {
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

/** Missing data is reported once per subject, however many values are missing. */
function isFirstOfItsKind(hit: Finding, index: number, all: readonly Finding[]): boolean {
  if (!isMissingData(hit)) return true;
  const { subject } = hit.reason;
  return index === all.findIndex((other) => isMissingData(other) && other.reason.subject === subject);
}

function isMissingData({ precedence: rank }: Finding): boolean {
  return rank === PRECEDENCE.unavailable || rank === PRECEDENCE.incomplete;
}

function byPrecedence(a: Finding, b: Finding): number {
  return strength(b.verdict) - strength(a.verdict) || a.precedence - b.precedence;
}

/** The strongest of the deciding findings, over each aspect of each subject. */
function findDeciding(findings: readonly Finding[]): Finding {
  let deciding: Finding | null = null;
  for (const subject of ['to', 'from'] as const) {
    const own = findings.filter(({ reason }) => reason.subject === subject);
    for (const things of groupByAspect(own)) {
      const decided = strongestOf(things);
      if (deciding === null || strength(decided.verdict) > strength(deciding.verdict)) deciding = decided;
    }
  }
  return deciding!;
}

/** Groups the findings of one subject by aspect. Findings about stale data count for every aspect. */
function groupByAspect(own: readonly Finding[]): (readonly Finding[])[] {
  const aspects = new Set<Aspect>(own.map(({ aspect }) => aspect));
  if (aspects.size > 1) aspects.delete('data');
  if (aspects.size === 1) return [own];
  const letsThrough = ({ aspect, precedence: rank }: Finding): boolean =>
    aspect !== 'policy' && rank >= PRECEDENCE.liveUnblock && rank <= PRECEDENCE.allowRange;
  // The policy applies only to traffic that nothing else vouches for.
  if (own.some(letsThrough)) aspects.delete('policy');
  // A missing allow entry could override the policy.
  const bearsOn = (hit: Finding, aspect: Aspect): boolean =>
    hit.aspect === aspect ||
    hit.aspect === 'data' ||
    (aspect === 'policy' && hit.precedence === PRECEDENCE.unavailable);
  return [...aspects].map((aspect) => own.filter((hit) => bearsOn(hit, aspect)));
}

/** The strongest finding, unless one overrides weaker places. @param findings of one aspect, at least one */
function strongestOf(findings: readonly Finding[]): Finding {
  const own = findings.toSorted(byPrecedence);
  const first = own.toSorted((a, b) => a.precedence - b.precedence)[0]!;
  if (first.precedence > PRECEDENCE.unavailable) return own[0]!;
  const stale = own.find(({ precedence: rank }) => rank === PRECEDENCE.stale);
  // An allow entry of stale data may have been removed since.
  return first.precedence >= PRECEDENCE.liveUnblock && stale !== undefined ? stale : first;
}

function soften(verdict: Verdict, mode: ClientSettings['mode']): Verdict {
  if (mode === 'label' && verdict === 'block') return 'label';
  return mode === 'shadow' && (verdict === 'block' || verdict === 'label') ? 'allow' : verdict;
}

/** @returns whether the party is a test number, whose decision is fixed */
function addTestFinding(subject: Subject, party: Sender, findings: Finding[]): boolean {
  const test = party.kind === 'number' ? findTestNumber(party.n) : null;
  if (test !== null) findings.push(finding(PRECEDENCE.test, test.verdict, subject, test.code, 'test'));
  return test !== null;
}

function checkForm(subject: Subject, party: Party, findings: Finding[]): void {
  if (party.kind === 'localNumber' || (party.kind === 'number' && !isValidNumber(party.n))) {
    findings.push(
      finding(PRECEDENCE.rule, 'block', subject, 'NUMBER_FORMAT_INVALID', 'rule', 'numbering-plan'),
    );
  }
}

function screenRecipient(
  party: Party,
  snapshot: Snapshot,
  settings: ClientSettings,
  findings: Finding[],
): void {
  if (addTestFinding('to', party, findings)) return;
  checkForm('to', party, findings);
  if (callsEmergency(party)) {
    findings.push(
      finding(PRECEDENCE.emergency, 'allow', 'to', 'EMERGENCY_NEVER_BLOCKED', 'rule', 'emergency'),
    );
  }
  lookUp('to', party, null, snapshot, settings, findings);
}

/** Whether Korea's sender rules apply: to texts sent from Korea to a number in Korea. */
function hasSenderRules({ to, channel, ingress }: ScreenRequest, { senderRules }: ClientSettings): boolean {
  const isAbroad = to?.kind === 'number' && krClassOf(to.n) === null;
  return senderRules === 'kr' && channel === 'sms' && ingress === null && !isAbroad;
}

function screenSender(
  party: Sender,
  request: ScreenRequest,
  snapshot: Snapshot,
  settings: ClientSettings,
  findings: Finding[],
): void {
  if (addTestFinding('from', party, findings)) return;
  const { channel, ingress } = request;
  const facts = ingress === null ? null : factsOf(party, channel, ingress);
  // The policy decides which senders are acceptable from abroad.
  if (party.kind !== 'withheld' && facts?.origin !== 'abroad') {
    const rule = hasSenderRules(request, settings) ? senderRule(party, settings.shortCodes) : null;
    if (rule !== null)
      findings.push(finding(PRECEDENCE.rule, 'block', 'from', 'SENDER_FORMAT_RULE', 'rule', rule));
    checkForm('from', party, findings);
  }
  lookUp('from', party, ingress, snapshot, settings, findings);
  if (facts === null) return;
  const { rule, shadows } = matchPolicy(snapshot.policy.policy, facts);
  for (const each of rule === null ? shadows : [rule, ...shadows]) {
    const found = policyFinding(each);
    if (found !== null) findings.push(found);
  }
}
