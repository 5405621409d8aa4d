/**
 * Message tokens in a check before sending: the sender's number must be covered by a chain of credentials that is valid
 * now. The signature of the token was verified before (`Snapshot.tokens`).
 */
import { type Client, registrantOf } from '../clients.ts';
import { checkToken } from '../credentials/chain.ts';
import type { TokenProblem } from '../credentials/sender-token.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import { verdictOf } from '../test-numbers.ts';
import { testTokenCode } from '../test-tokens.ts';
import type { Code, Effect } from '../verdict.ts';
import { type Finding, ruleFinding } from './finding.ts';
import { EFFECTS, unavailable } from './registration.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/** Name of the rule in reasons. */
const RULE = 'sender-token';

/** Whether the sender has a token that permits it; `unknown` if missing data decides. */
export type TokenStatus = 'none' | 'permits' | 'refused' | 'unknown';

/** Adds a finding if the token of a request is invalid, or if it is missing and the client requires one. */
export function screenToken(
  party: Sender,
  request: ScreenRequest,
  snapshot: Snapshot,
  settings: ClientSettings,
  findings: Finding[],
): TokenStatus {
  const { senderToken: text } = request;
  const effect = effectOf(settings.requireToken);
  const testCode = text === undefined ? null : testTokenCode(text);
  if (testCode !== null) addTestFinding(testCode, effect, findings);
  if (text === undefined || testCode !== null) {
    const isOwn = party.kind === 'shortCode' && settings.shortCodes.includes(party.code);
    if (settings.requireToken !== 'off' && !isOwn) findings.push(found(effect, 'TOKEN_MISSING'));
    return 'none';
  }
  const verification = snapshot.tokens.get(text);
  if (verification?.kind === 'refused') return refuse(verification, effect, findings);
  if (verification?.kind !== 'verified') return unknown('LIST_UNAVAILABLE', effect, findings);
  const nowS = Math.floor(snapshot.now / 1000);
  const result = checkToken(verification.token, verification.links, {
    nowS,
    number: party.kind === 'number' ? party.n : null,
    channel: request.channel,
    audiences: [settings.organisation, registrantOf(settings)],
    statusOf: (link) => snapshot.credentials.statusOf(link, nowS),
    senderCodeOf: (organisation) => snapshot.organisations.get(organisation)?.senderCode ?? null,
  });
  switch (result.kind) {
    case 'permits':
      if (result.isRateReduced) findings.push(found(labelOf(effect), 'SENDER_RATE_REDUCED'));
      return 'permits';
    case 'refused':
      return refuse(result, effect, findings);
    case 'unknown':
      return unknown(result.code, effect, findings);
  }
}

/** A presented token must be valid, even if the client requires none. */
function effectOf(requireToken: Client['requireToken']): Effect {
  return requireToken === 'off' ? 'block' : EFFECTS[requireToken];
}

function refuse({ code, detail }: TokenProblem, effect: Effect, findings: Finding[]): TokenStatus {
  const finding = found(effect, code);
  findings.push({ ...finding, reason: { ...finding.reason, detail: `"senderToken" ${detail}` } });
  return 'refused';
}

/** If a refused token would decide nothing, missing data decides nothing either. */
function unknown(code: 'LIST_STALE' | 'LIST_UNAVAILABLE', effect: Effect, findings: Finding[]): TokenStatus {
  if (effect !== 'shadow') findings.push(unavailable('registration', code));
  return 'unknown';
}

/** Adds the finding of a real token with this result. */
function addTestFinding(code: Code, effect: Effect, findings: Finding[]): void {
  const own: Finding[] = [];
  if (code === 'LIST_STALE' || code === 'LIST_UNAVAILABLE') unknown(code, effect, own);
  else own.push(found(verdictOf(code) === 'label' ? labelOf(effect) : effect, code));
  findings.push(...own.map((hit) => ({ ...hit, reason: { ...hit.reason, match: 'test' as const } })));
}

/** The effect of a label, given the effect of a refusal. */
function labelOf(effect: Effect): Effect {
  return effect === 'shadow' ? 'shadow' : 'label';
}

function found(effect: Effect, code: Code): Finding {
  return ruleFinding(effect, code, RULE, 'registration');
}
