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

import type { IdentityResult } from '../credentials/identity.ts';
import type { Party } from '../numbers/party.ts';
import { isEmergency, isEmergencyNumber, krClassOf } from '../numbers/plan.ts';
import { senderRule } from '../numbers/sender-rules.ts';
import { isValidNumber } from '../numbers/validity.ts';
import { type Facts, factsOf } from '../policy/facts.ts';
import { matchPolicy, type Rule, type VersionedPolicy } from '../policy/policy.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import { findTestNumber } from '../test-numbers.ts';
import { type Reason, type Subject, strength, type Verdict } from '../verdict.ts';
import type { Decision, PolicyDecision } from './decision.ts';
import { type Aspect, type Finding, finding, PRECEDENCE, policyFinding } from './finding.ts';
import { attested, identityOf, screenIdentity } from './identity.ts';
import { lookUp } from './look-up.ts';
import { screenQualifications } from './qualification.ts';
import { joinReadings } from './readings.ts';
import { liftOptOuts, screenRegistration } from './registration.ts';
import type { ScreenedText } from './screened-text.ts';
import { screenToken } from './sender-token.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';
import { addTextFindings, textOf } from './text.ts';

/** The decision of a check without findings. Shared, because most checks have none. */
const PASSES: Decision = { verdict: 'allow', subject: null, reasons: [] };

/** Decides on one request. check-response.ts and gateway-response.ts format the decision. */
export function screen(request: ScreenRequest, snapshot: Snapshot, settings: ClientSettings): Decision {
  const identity = request.ingress === null ? null : identityOf(request, snapshot);
  if (request.text === undefined) return screenAll(request, identity, null, snapshot, settings);
  const text = textOf(request.text, snapshot);
  return { ...screenAll(request, identity, text, snapshot, settings), text };
}

/** Screens each reading. The PASSporTs and the text are evaluated once for all readings. */
function screenAll(
  request: ScreenRequest,
  identity: IdentityResult | null,
  text: ScreenedText | null,
  snapshot: Snapshot,
  settings: ClientSettings,
): Decision {
  if (request.otherReadings.length === 0) return screenReading(request, identity, text, snapshot, settings);
  const all = [request, ...request.otherReadings].map((reading) => ({
    reading,
    decision: screenReading(reading, identity, text, snapshot, settings),
  }));
  return joinReadings(request, all, settings);
}

function screenReading(
  request: ScreenRequest,
  identity: IdentityResult | null,
  text: ScreenedText | null,
  snapshot: Snapshot,
  settings: ClientSettings,
): Decision {
  const { from, to, channel, ingress } = request;
  const findings: Finding[] = [];
  if (text !== null) addTextFindings(request, text, snapshot.now, settings, findings);
  if (to !== null) screenRecipient(to, snapshot, settings, findings);
  if (from === null) {
    if (ingress === null) screenOrganisations(request, snapshot, settings, findings);
    return decide(findings, settings);
  }
  const facts = ingress === null ? null : factsOf(from, channel, ingress, attested(ingress, identity));
  const isTest = addTestFinding('from', from, findings);
  if (!isTest) screenSender(from, request, facts, snapshot, settings, findings);
  if (facts === null) return decide(findings, settings);
  if (!isTest) screenIdentity(request, identity, settings, findings);
  const { rule, shadows } = matchPolicy(snapshot.policy.policy, facts);
  const rules = rule === null ? shadows : [rule, ...shadows];
  for (const each of isTest ? [] : rules) {
    const found = policyFinding(each);
    if (found !== null) findings.push(found);
  }
  const decision = decide(findings, settings);
  const policy = policyDecision(snapshot.policy, facts, rule, findings, decision, settings);
  return identity === null ? { ...decision, policy } : { ...decision, policy, identity };
}

/** The verdict of these findings, by their precedence and the client settings. */
function decide(findings: readonly Finding[], settings: ClientSettings): Decision {
  if (findings.length === 0) return PASSES;
  // Most requests with findings have exactly one, so there is nothing to rank.
  if (findings.length === 1) return toDecision(findings[0]!, [findings[0]!.reason], settings);
  const emergency = findings.find(({ precedence }) => precedence === PRECEDENCE.emergency);
  const deciding = emergency ?? findDeciding(findings);
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

/** Whether the request is for an emergency number in any of its readings. */
export function isForEmergency({ to, otherReadings }: ScreenRequest): boolean {
  return (to !== null && callsEmergency(to)) || otherReadings.some(isForEmergency);
}

/** Whether the party is an emergency number, also as gateways write it: +82119, 02-119. */
function callsEmergency(party: Party): boolean {
  if (party.kind === 'number') return isEmergencyNumber(party.n);
  return party.kind === 'shortCode' && isEmergency(party.code);
}

/** Missing data is reported once per subject, however many values are missing. */
function isFirstOfItsKind(hit: Finding, index: number, all: readonly Finding[]): boolean {
  if (!isMissingData(hit)) return true;
  const { subject } = hit.reason;
  return index === all.findIndex((other) => isMissingData(other) && other.reason.subject === subject);
}

function isMissingData({ precedence }: Finding): boolean {
  return precedence === PRECEDENCE.unavailable || precedence === PRECEDENCE.incomplete;
}

function byPrecedence(a: Finding, b: Finding): number {
  return strength(b.verdict) - strength(a.verdict) || a.precedence - b.precedence;
}

/** Each aspect of each subject has a deciding finding. Returns the strongest of them. */
function findDeciding(findings: readonly Finding[]): Finding {
  const own = (subject: Subject): Finding[] => findings.filter(({ reason }) => reason.subject === subject);
  const deciding = [...groupByAspect(own('to')), ...groupByAspect(own('from'))].map(strongestOf);
  return deciding.reduce((best, each) => (strength(each.verdict) > strength(best.verdict) ? each : best));
}

/** Groups the findings of one subject by aspect. Findings about stale data count for every aspect. */
function groupByAspect(own: readonly Finding[]): (readonly Finding[])[] {
  const aspects = new Set<Aspect>(own.map(({ aspect }) => aspect));
  if (aspects.size > 1) aspects.delete('data');
  if (aspects.size === 1) return [own];
  if (own.some(vouches)) aspects.delete('policy');
  // A missing allow entry could override the policy.
  const bearsOn = (hit: Finding, aspect: Aspect): boolean =>
    hit.aspect === aspect ||
    hit.aspect === 'data' ||
    (aspect === 'policy' && hit.precedence === PRECEDENCE.unavailable);
  return [...aspects].map((aspect) => own.filter((hit) => bearsOn(hit, aspect)));
}

/** Whether the finding lets its subject through. The policy applies only to senders without such a finding. */
function vouches({ precedence }: Finding): boolean {
  return precedence >= PRECEDENCE.liveUnblock && precedence <= PRECEDENCE.allowRange;
}

/**
 * The finding with the strongest verdict, unless one overrides it by its precedence (finding.ts).
 * @param findings of one aspect, at least one
 */
export function strongestOf(findings: readonly Finding[]): Finding {
  const own = findings.toSorted(byPrecedence);
  const first = own.toSorted((a, b) => a.precedence - b.precedence)[0]!;
  if (first.precedence > PRECEDENCE.unavailable) return own[0]!;
  const stale = own.find(({ precedence }) => precedence === PRECEDENCE.stale);
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
  facts: Facts | null,
  snapshot: Snapshot,
  settings: ClientSettings,
  findings: Finding[],
): void {
  // The policy decides which senders are acceptable from abroad.
  if (party.kind !== 'withheld' && facts?.origin !== 'abroad') {
    const rule = hasSenderRules(request, settings) ? senderRule(party, settings.shortCodes) : null;
    if (rule !== null)
      findings.push(finding(PRECEDENCE.rule, 'block', 'from', 'SENDER_FORMAT_RULE', 'rule', rule));
    checkForm('from', party, findings);
  }
  lookUp('from', party, request.ingress, snapshot, settings, findings);
  // At a gateway, the client is not the sender.
  if (request.ingress !== null) return;
  if (findings.length > 0) liftOptOuts(party, snapshot, settings, findings);
  const { requireRegistration, requireToken } = settings;
  const token =
    request.senderToken === undefined && requireToken === 'off'
      ? 'none'
      : screenToken(party, request, snapshot, settings, findings);
  // A token that permits the sender is as good as a registration.
  if (requireRegistration !== 'off' && token !== 'permits')
    screenRegistration(party, snapshot, settings, findings, token === 'unknown');
  screenOrganisations(request, snapshot, settings, findings);
}

/** Screens the organisations that send, even if the request does not name a sender. */
function screenOrganisations(
  request: ScreenRequest,
  snapshot: Snapshot,
  settings: ClientSettings,
  findings: Finding[],
): void {
  if (snapshot.organisations.size > 0 || settings.requireQualification !== 'off')
    screenQualifications(request, snapshot, settings, findings);
}

function policyDecision(
  { version }: VersionedPolicy,
  facts: Facts,
  rule: Rule | null,
  findings: readonly Finding[],
  { verdict, action }: Decision,
  { mode }: ClientSettings,
): PolicyDecision {
  const isVouchedFor = findings.some((hit) => hit.reason.subject === 'from' && vouches(hit));
  const isFinding = findings.some(({ aspect, reason }) => aspect === 'policy' && reason.list === rule?.id);
  const passesUndecided = verdict === 'indeterminate' && action === 'open' && mode !== 'shadow';
  const isLabelled = verdict === 'label' || (passesUndecided && rule !== null && rule.effect !== 'allow');
  return { version, facts, rule, applies: isFinding && !isVouchedFor, isLabelled };
}
