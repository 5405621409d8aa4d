/**
 * PASSporTs at a gateway: whether the PASSporTs of a call or a text vouch for it. Their signatures were verified
 * before (`Snapshot.passports`).
 */
import { checkIdentity, type IdentityResult } from '../credentials/identity.ts';
import type { Ingress, ScreenRequest, Sender } from '../request.ts';
import { formatParty } from './check-response.ts';
import { type Finding, ruleFinding } from './finding.ts';
import { EFFECTS } from './registration.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/** Name of the rule in reasons. */
export const IDENTITY_RULE = 'identity';

/** The result for a request at a gateway; null without a PASSporT of a known kind. A PASSporT vouches for one reading. */
export function identityOf(request: ScreenRequest, { passports, now }: Snapshot): IdentityResult | null {
  const { channel, ingress, otherReadings } = request;
  if (ingress === null || ingress.identity.length === 0) return null;
  const readings = [request, ...otherReadings];
  const found = ingress.identity.map((text) => passports.get(text));
  return checkIdentity(
    // A request is never screened if its quota did not allow the verification.
    found.map((each) => each ?? { kind: 'refused', detail: 'was not verified' }),
    {
      nowS: Math.floor(now / 1000),
      channel,
      callers: textsOf(readings.map(({ from }) => from)),
      recipients: textsOf(readings.map(({ to }) => to)),
    },
  );
}

/** These parties as PASSporTs write them; null if one of them is missing or withheld, and so is not compared. */
function textsOf(parties: readonly (Sender | null)[]): string[] | null {
  const texts = parties.map((party) => party && textOf(party));
  return texts.includes(null) ? null : texts.filter((each) => each !== null);
}

/** A party as PASSporTs write it: numbers without a plus. Null if withheld. */
function textOf(party: Sender): string | null {
  return party.kind === 'number' ? String(party.n) : formatParty(party);
}

/** The attestation: of the PASSporT that vouches, or else as the gateway says, unless the PASSporT is wrong. */
export function attested({ attestation }: Ingress, identity: IdentityResult | null): Ingress['attestation'] {
  if (identity === null) return attestation;
  if (identity.vouches) return identity.level;
  return identity.isUnknown ? attestation : null;
}

/**
 * Adds a finding if the PASSporTs of a request are invalid, or if they are missing and the client requires one. A request
 * without `to` only checks a number, and needs no PASSporT.
 */
export function screenIdentity(
  { to }: ScreenRequest,
  identity: IdentityResult | null,
  { requireIdentity }: ClientSettings,
  findings: Finding[],
): void {
  if (identity === null) {
    if (requireIdentity === 'off' || to === null) return;
    findings.push(ruleFinding(EFFECTS[requireIdentity], 'TOKEN_MISSING', IDENTITY_RULE, 'identity'));
  } else if (!identity.vouches) {
    // A presented PASSporT must be valid even if the client requires none, unless its validity is unknown here.
    const otherwise = identity.isUnknown ? 'shadow' : 'block';
    const effect = requireIdentity === 'off' ? otherwise : EFFECTS[requireIdentity];
    const found = ruleFinding(effect, identity.code, IDENTITY_RULE, 'identity');
    findings.push({ ...found, reason: { ...found.reason, detail: `"identity" ${identity.detail}` } });
  }
}
