/**
 * The public register of qualified senders: look-up by code, ID or name, and the values of its status list.
 */
import {
  maySend,
  type Qualification,
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

/** Values of the status list, draft-ietf-oauth-status-list section 7.1; 3 is for applications: a reduced rate. */
const STATUS = { valid: 0, invalid: 1, suspended: 2, rateReduced: 3 } as const;

/** The value of each place at a time: organisations that were removed, and places that nobody has, are invalid. */
export function statusesOf({ size, organisations }: RegisterData, now: number): Uint8Array {
  const statuses = new Uint8Array(size).fill(STATUS.invalid);
  for (const each of organisations) statuses[each.index] = statusOf(each, now);
  return statuses;
}

function statusOf(qualification: Qualification, now: number): number {
  switch (qualificationState(qualification, now)) {
    case 'certified':
      return STATUS.valid;
    case 'rateReduced':
      return STATUS.rateReduced;
    case 'suspended':
      return STATUS.suspended;
    case 'pending':
    case 'cancelled':
    case 'expired':
      return STATUS.invalid;
  }
}

/** @param now ms since 1970 */
export function registerEntry(
  { name, senderCode, ...qualification }: RegisteredOrganisation,
  now: number,
): RegisterEntry {
  const { organisation: id, ...info } = qualificationInfo(qualification, now);
  return { id, name, senderCode, ...info };
}

/**
 * The organisations that a text names: exactly one by its sender code or ID, otherwise all with this display name. No
 * part of a name finds anything, so nobody lists the register with it.
 */
export function findRegistered(
  { organisations }: RegisterData,
  text: string,
): readonly RegisteredOrganisation[] {
  const exact =
    organisations.find(({ senderCode }) => senderCode !== null && senderCode === text.toUpperCase()) ??
    organisations.find(({ organisation }) => organisation === text);
  if (exact !== undefined) return [exact];
  const wanted = normalizeName(text);
  return organisations.filter(({ name }) => normalizeName(name) === wanted);
}

/** Without spaces, in one Unicode form and one case. */
function normalizeName(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s/gu, '');
}

/** Whether a signed token says that it may send. */
export function hasToken(qualification: Qualification, now: number): boolean {
  return maySend(qualificationState(qualification, now));
}
