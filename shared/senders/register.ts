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

/** The data of the register, as control reads it from the coordinator. */
export interface RegisterData {
  /** Count of places in the status list, including those of removed organisations. */
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

/** The `uri` of a status list of this service. @param publicUrl without a slash at its end */
export function ownStatusListUri(publicUrl: string, name: OwnStatusList): string {
  return `${publicUrl}/v1/status-lists/${name}`;
}

/** A status of status lists: shared/credentials/status-list.ts. */
type RegisterStatus = 'valid' | 'revoked' | 'suspended' | 'rateReduced';

/** The status for each state. Only a state with a token can be valid. */
const STATUS_OF: Readonly<Record<QualificationState, RegisterStatus>> = {
  pending: 'revoked',
  certified: 'valid',
  rateReduced: 'rateReduced',
  suspended: 'suspended',
  cancelled: 'revoked',
  expired: 'revoked',
};

/** A list has a multiple of this many places, so that its size does not reveal each application. */
const PLACES_STEP = 256;

/**
 * The status of each place at a time. Places of removed organisations, and places that are not in use yet, are
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
 * The organisations that a text names: those with this ID or sender code as written; else the one with this sender code in
 * any case; else all with this display name. IDs have no capital letters and codes no small ones, so a code never hides an
 * ID; digits alone can be both. A part of a name finds nothing, so nobody can list the register by searching.
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

/** Removes spaces, and unifies the Unicode form and the case. */
function normalizeName(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s/gu, '');
}
