/**
 * Checks of changed organisations and clients, and of whether a change of an organisation needs a second person.
 */
import type { Client } from '../../shared/clients.ts';
import type { Organisation } from '../../shared/organisations.ts';
import { ok } from '../../shared/result.ts';
import { type CheckResult, type Refusal, refuse, refuseField } from './change-request.ts';

/** Refuses an authority or a sender code that another organisation has. @param all organisations after the change */
export function checkUnique(
  { id, authority, senderCode }: Organisation,
  all: readonly Organisation[],
): CheckResult {
  const others = all.filter((other) => other.id !== id);
  const authorityOwner =
    authority === null ? undefined : others.find((other) => other.authority === authority);
  if (authorityOwner !== undefined) {
    const message = `the authority "${authority}" belongs to the organisation "${authorityOwner.id}"`;
    return refuse(
      'AUTHORITY_TAKEN',
      `${message}: choose another name, or remove it from that organisation first`,
    );
  }
  const codeOwner = senderCode === null ? undefined : others.find((other) => other.senderCode === senderCode);
  if (codeOwner === undefined) return ok(undefined);
  const message = `the sender code "${senderCode}" belongs to the organisation "${codeOwner.id}"`;
  return refuse(
    'SENDER_CODE_TAKEN',
    `${message}: choose another code, or remove it from that organisation first`,
  );
}

/** Refuses a client of an unknown organisation, and the right `report` for a client of an organisation that is no partner. */
export function checkClient(
  { organisation: id, rights }: Client,
  organisations: { get(id: string): Organisation | null },
): CheckResult {
  const organisation = organisations.get(id);
  if (organisation === null) return refuseField('client.organisation', unknownOrganisation(id));
  if (!rights.includes('report') || (organisation.partner ?? null) !== null) return ok(undefined);
  const remedy = `make it one with npx numgate organisations set ${id} --partner-kind <kind>`;
  return refuseField('client.rights', `must not have "report": "${id}" is not a partner; ${remedy}`);
}

/**
 * Refuses the right `feed` without an encryption, and a key ID that `issueFeedKey` did not set. With the ID of an earlier
 * secret, anyone who holds that secret could read on.
 */
export function checkFeedAccess({ rights, feed = null }: Client, before: Client | null): CheckResult {
  if (feed === null) {
    if (!rights.includes('feed')) return ok(undefined);
    return refuseField(
      'client.feed',
      'is missing: a client with the right "feed" needs an encryption, or "none"',
    );
  }
  const keyIdOf = (access: Client['feed'] | undefined): string | null =>
    access?.encryption === 'dir' ? access.keyId : null;
  const keyId = keyIdOf(feed);
  if (keyId === null || keyId === keyIdOf(before?.feed)) return ok(undefined);
  const remedy = 'send the current ID or null, and get another key with clients feed-key';
  return refuseField('client.feed.keyId', `must not be changed: ${remedy}`);
}

/** Refuses to remove a partner, or to change `slices`, which divide its reports, or `mock`, which bars real numbers. */
export function checkPartner(before: Organisation | null, { partner }: Organisation): CheckResult {
  // Organisations stored by older versions lack this field.
  const known = before?.partner ?? null;
  if (known === null) return ok(undefined);
  if (partner === null) {
    const remedy = 'suspend the organisation, or take the right "report" from its clients';
    return refuseField('organisation.partner', `cannot be removed, because its reports are kept: ${remedy}`);
  }
  const field = partner.slices !== known.slices ? 'slices' : partner.mock !== known.mock ? 'mock' : null;
  if (field === null) return ok(undefined);
  return refuseField(`organisation.partner.${field}`, 'cannot be changed: add another organisation');
}

/**
 * Whether a change of an organisation lets its tokens do more than before. Suspending or removing an organisation never
 * waits, like removing a token. Otherwise, a stolen token would keep working until a second person decides.
 */
export function decidesOnTokens(before: Organisation | null, after: Organisation | null): boolean {
  if (after === null) return false;
  const { roles = [], authority = null, state = 'active' } = before ?? {};
  const isActive = after.state === 'active';
  return (
    (isActive && state !== 'active') ||
    authority !== after.authority ||
    after.roles.some((role) => !roles.includes(role))
  );
}

/**
 * Whether a change of an organisation lets its reports decide on blocks, or weigh more than before. Like a change of a
 * rule, it changes what becomes a block. Reports of a mock partner block nothing.
 */
export function decidesOnReports(before: Organisation | null, after: Organisation | null): boolean {
  const [known, partner] = [before?.partner ?? null, after?.partner ?? null];
  if (partner === null || partner.mock) return false;
  return known === null || known.kind !== partner.kind || known.weight < partner.weight;
}

export function unknownOrganisation(id: string): string {
  return `names an unknown organisation: add it with npx numgate organisations add ${id}`;
}

export function noOrganisation(): Refusal {
  return refuse('ORGANISATION_UNKNOWN', 'there is no organisation with this id');
}
