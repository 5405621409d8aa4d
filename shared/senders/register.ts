/**
 * The public register of qualified senders: look-up by code, ID or name, and the values of its status list.
 */
import {
  inspectionDay,
  type Qualification,
  type QualificationState,
  qualificationInfo,
  qualificationState,
  type RegisterEntry,
} from './qualification.ts';

/** What the register is made of, as control reads it from the coordinator. */
export interface RegisterData {
  /** Places in the status list, with those of organisations that were removed. */
  readonly size: number;
  readonly organisations: readonly RegisteredOrganisation[];
}

export interface RegisteredOrganisation extends Qualification {
  readonly name: string;
  readonly senderCode: string | null;
}

/** The status lists of this service itself. */
export const OWN_STATUS_LISTS = ['qualifications', 'delegations'] as const;
export type OwnStatusList = (typeof OWN_STATUS_LISTS)[number];

/** The `uri` of one. @param publicUrl without a slash at its end */
export function ownStatusListUri(publicUrl: string, name: OwnStatusList): string {
  return `${publicUrl}/v1/status-lists/${name}`;
}

/** As status lists have it: shared/credentials/status-list.ts. */
type RegisterStatus = 'valid' | 'revoked' | 'suspended' | 'rateReduced';

/** By state. Only a state with a token can be valid. */
const STATUS_OF: Readonly<Record<QualificationState, RegisterStatus>> = {
  pending: 'revoked',
  certified: 'valid',
  rateReduced: 'rateReduced',
  suspended: 'suspended',
  cancelled: 'revoked',
  expired: 'revoked',
};

/** Places that a list is filled up to, so that its size does not show each application. */
const PLACES_STEP = 256;

/**
 * The status of each place at a time. Places of organisations that were removed, and those that nobody has yet, are
 * revoked.
 */
export function qualificationStatuses(
  { size, organisations }: RegisterData,
  now: number,
): ReadonlyMap<number, RegisterStatus> {
  const places = Math.max(1, Math.ceil(size / PLACES_STEP)) * PLACES_STEP;
  const statuses = new Map<number, RegisterStatus>();
  for (let index = 0; index < places; index++) statuses.set(index, 'revoked');
  for (const each of organisations) statuses.set(each.index, STATUS_OF[qualificationState(each, now)]);
  return statuses;
}

/** @param now ms since 1970 */
export function registerEntry(
  { name, senderCode, ...qualification }: RegisteredOrganisation,
  now: number,
): RegisterEntry {
  const { organisation: id, inspectedAt, nextInspectionBy, ...info } = qualificationInfo(qualification, now);
  const inspections = {
    inspectedAt: inspectionDay(inspectedAt),
    nextInspectionBy: inspectionDay(nextInspectionBy),
  };
  return { id, name, senderCode, ...info, ...inspections };
}

/**
 * The organisations that a text names: that with this ID or sender code as written, then that with this sender code in any
 * case, then all with this display name. IDs have no capital letters and codes no small ones, so a code never hides an ID;
 * digits alone can be both. No part of a name finds anything, so nobody lists the register with it.
 */
export function findRegistered(
  { organisations }: RegisterData,
  text: string,
): readonly RegisteredOrganisation[] {
  const exact = organisations.filter(
    ({ organisation, senderCode }) => organisation === text || senderCode === text,
  );
  if (exact.length > 0) return exact;
  const code = organisations.find(
    ({ senderCode }) => senderCode !== null && senderCode === text.toUpperCase(),
  );
  if (code !== undefined) return [code];
  const wanted = normalizeName(text);
  return organisations.filter(({ name }) => normalizeName(name) === wanted);
}

/** Without spaces, in one Unicode form and one case. */
function normalizeName(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s/gu, '');
}
