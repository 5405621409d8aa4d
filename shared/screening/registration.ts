/**
 * Registered senders in a check: a client that requires registration may send only from numbers that are registered for
 * it, and an identity opt-out does not bind the owner of the number.
 */
import { type Client, registrantOf } from '../clients.ts';
import type { LiveLayer } from '../live/live-layer.ts';
import type { Release } from '../release/release.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import { registrationOf } from '../senders/registered.ts';
import type { Effect } from '../verdict.ts';
import { type Finding, finding, PRECEDENCE, ruleFinding } from './finding.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/** The effect of an unmet requirement, by the client's setting (`requireRegistration` and the like). */
export const EFFECTS: Readonly<Record<Exclude<Client['requireRegistration'], 'off'>, Effect>> = {
  enforce: 'block',
  label: 'label',
  shadow: 'shadow',
};

/** Whether a check needs to know if the sender is registered: the client requires it, or an opt-out may be lifted. */
export function needsRegistrations(
  { ingress }: ScreenRequest,
  { listsBySubject }: Release,
  live: LiveLayer,
  { requireRegistration }: ClientSettings,
): boolean {
  if (ingress !== null) return false;
  return (
    requireRegistration !== 'off' ||
    listsBySubject.from.some(({ info }) => info.reason === 'SENDER_IDENTITY_OPTOUT') ||
    live.hasCode('SENDER_IDENTITY_OPTOUT')
  );
}

/**
 * Adds a finding if the client requires registration and the sender is not registered. Only for checks before sending.
 * @param isUnknown whether data that could permit the sender is missing
 */
export function screenRegistration(
  party: Sender,
  snapshot: Snapshot,
  settings: ClientSettings,
  findings: Finding[],
  isUnknown = false,
): void {
  const { requireRegistration, shortCodes } = settings;
  if (requireRegistration === 'off') return;
  if (party.kind === 'shortCode' && shortCodes.includes(party.code)) return;
  const found =
    party.kind === 'number' ? registrationOf(party.n, registrantOf(settings), snapshot, false) : 'none';
  if (found === 'registered' || found === 'own') return;
  const effect = EFFECTS[requireRegistration];
  if (found === 'none' && !isUnknown) {
    findings.push(ruleFinding(effect, 'SENDER_NOT_REGISTERED', 'registration', 'registration'));
  } else if (effect !== 'shadow') {
    findings.push(unavailable('registration'));
  }
}

/**
 * Lifts identity opt-outs of a sender whose number the client's organisation has registered as its own. The reason
 * stays, with the effect `shadow`. If the registration is unavailable, the opt-out becomes missing data.
 */
export function liftOptOuts(
  party: Sender,
  snapshot: Snapshot,
  settings: ClientSettings,
  findings: Finding[],
): void {
  if (party.kind !== 'number' || !findings.some(isOptOut)) return;
  const found = registrationOf(party.n, registrantOf(settings), snapshot);
  if (found !== 'own' && found !== 'unavailable') return;
  for (const [index, hit] of findings.entries()) {
    if (isOptOut(hit))
      findings[index] = { ...hit, verdict: 'allow', reason: { ...hit.reason, effect: 'shadow' } };
  }
  if (found === 'unavailable') findings.push(unavailable('party'));
}

function isOptOut({ reason, verdict }: Finding): boolean {
  return reason.code === 'SENDER_IDENTITY_OPTOUT' && reason.subject === 'from' && verdict !== 'allow';
}

/** The finding for missing data that could decide. */
export function unavailable(
  aspect: 'party' | 'registration',
  code: 'LIST_STALE' | 'LIST_UNAVAILABLE' = 'LIST_UNAVAILABLE',
): Finding {
  return finding(PRECEDENCE.incomplete, 'indeterminate', 'from', code, 'data', null, aspect);
}
