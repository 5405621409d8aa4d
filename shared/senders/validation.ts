/**
 * Validates a registration: what is wrong or missing, by field. `validate` reports the same reasons for which `create`
 * and `submit` refuse.
 */
import { nameOf } from '../fields.ts';
import type { Span } from '../numbers/spans.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { sha256Schema, timeSchema } from '../schemas.ts';
import { validateJson } from '../validate-json.ts';
import { DOCUMENTS, requiredProofs } from './documents.ts';
import type { Proof, RegistrationContent, RegistrationFacts, RegistrationReason } from './registration.ts';
import { formatSenderNumbers, type NumberProblem, parseSenderNumbers } from './sender-numbers.ts';

/** What to do about each problem. `FIELD_…`: a problem with the form of a field. */
const HELP = {
  FIELD_UNKNOWN: 'remove the field',
  FIELD_MISSING: 'add the field',
  FIELD_TYPE: 'send the field in its documented form',
  FIELD_VALUE: 'send a value that is allowed',
  NUMBER_INVALID: 'send one number with its area code, or a range: two numbers with ".." between them',
  NUMBER_AMBIGUOUS: 'write the number with +82',
  NUMBER_EMERGENCY: 'register a number of your own',
  NUMBER_NOT_ALLOCATED: 'check the number with its carrier',
  NUMBER_PROTECTED: 'contact its owner, or the operator of this service',
  NUMBER_NO_SENDER: 'register a number that people can call back',
  RANGE_ORDER: 'swap the two numbers',
  PAIRS_TOO_MANY: 'close registrations that you do not use, or name fewer clients',
  RANGES_TOO_MANY: 'close registrations that you do not use, or name fewer clients',
  RANGE_ACROSS_BLOCKS: 'register each block on its own',
  CLIENT_UNKNOWN: 'name clients of your organisation',
  CLIENT_REPEATED: 'name each client once',
  CLIENT_MOCK: 'register real and mock clients separately',
  HOLDER_KIND: 'correct the basis, or the kind of the holder',
  PROOF_MISSING: 'add the document',
  PROOF_DIGEST: 'send the SHA-256 of the document: 64 hex digits',
  PROOF_EXPIRED: 'send a document that is still valid',
  TIME_INVALID: 'send a time such as 2027-01-31T00:00:00Z',
  CERTIFICATE_FIXED: 'close the registration, and upload a certificate for what you want to register',
  CERTIFICATE_SUSPENDED: 'contact the issuer of the certificate',
  CERTIFICATE_REVOKED: 'close the registration, or upload a new certificate',
  EXPIRES_PAST: 'send a time in the future, or none',
  REFERENCE_TAKEN: 'edit the registration that has it, or choose another reference',
} as const satisfies Record<NumberProblem | string, string>;
export type ReasonCode = keyof typeof HELP;
export const REASON_CODES = Object.keys(HELP) as ReasonCode[];

/** @param detail one sentence without a full number */
export function reasonOf(field: string, code: ReasonCode, detail: string): RegistrationReason {
  return { field, code, detail, help: HELP[code] };
}

/** A registration whose content is valid. */
export interface ValidRegistration {
  /** With numbers in E.164, times in UTC, digests in lower case, clients in order. */
  readonly content: RegistrationContent;
  readonly numbers: Span;
  readonly isMock: boolean;
  /** The earliest end of the registration and its proofs, in ms since 1970; null for none. */
  readonly endsAt: number | null;
  /** What is missing before the registration can be submitted. */
  readonly missing: readonly RegistrationReason[];
}

/** A registration of which nothing can be stored. */
export interface InvalidRegistration extends Failure<'REGISTRATION_INVALID'> {
  /** All that is wrong and all that is missing. */
  readonly reasons: readonly RegistrationReason[];
}

export function invalidRegistration(reasons: readonly RegistrationReason[]): InvalidRegistration {
  const fields = [...new Set(reasons.map(({ field }) => field))].join(', ');
  return {
    ...{ ok: false, code: 'REGISTRATION_INVALID', reasons },
    message: `the registration is not valid: see "reasons" for ${fields}`,
  };
}

export function validateRegistration(
  content: RegistrationContent,
  facts: RegistrationFacts,
): Result<ValidRegistration, InvalidRegistration> {
  const reasons: RegistrationReason[] = [];
  const add = (field: string, code: ReasonCode, detail: string): void => {
    reasons.push(reasonOf(field, code, `"${field}" ${detail}`));
  };
  const isMock = checkClients(content, facts, add);
  const numbers = parseSenderNumbers(content.number, facts.protectedNumbers, isMock);
  if (!numbers.ok) add('number', numbers.code, numbers.message);
  const expires = timeOf('expires', content.expires, 'EXPIRES_PAST', facts.now, add);
  const proofs = content.proofs.map((proof, index) => checkProof(proof, `proofs.${index}`, facts.now, add));
  const missing = missingProofs(content, numbers.ok ? numbers.value : null);
  if (missing === null) {
    add('holder.kind', 'HOLDER_KIND', `cannot be "${content.holder.kind}" with the basis "${content.basis}"`);
  }
  if (reasons.length > 0 || !numbers.ok || missing === null) {
    return invalidRegistration([...reasons, ...(missing ?? [])]);
  }
  const ends = [expires, ...proofs.map(({ expires: end }) => end)].filter((end) => end !== null);
  const valid: RegistrationContent = {
    ...{ number: formatSenderNumbers(numbers.value), basis: content.basis, holder: content.holder },
    clients: [...content.clients].sort(),
    proofs: proofs.map((proof) => ({ ...proof, expires: formatTime(proof.expires) })),
    ...{ expires: formatTime(expires), reference: content.reference },
  };
  const endsAt = ends.length === 0 ? null : Math.min(...ends);
  return ok({ content: valid, numbers: numbers.value, isMock, endsAt, missing });
}

type Add = (field: string, code: ReasonCode, detail: string) => void;

type Clients = RegistrationFacts['clients'];
/** Whether each client is a mock client. Cached, because the rows of an upload share their facts. */
const kinds = new WeakMap<Clients, ReadonlyMap<string, boolean>>();

function kindsOf(clients: Clients): ReadonlyMap<string, boolean> {
  const known = kinds.get(clients) ?? new Map(clients.map(({ id, mock }) => [id, mock]));
  kinds.set(clients, known);
  return known;
}

/** @returns whether they are mock clients */
function checkClients({ clients }: RegistrationContent, facts: RegistrationFacts, add: Add): boolean {
  const known = kindsOf(facts.clients);
  clients.forEach((id, index) => {
    const field = `clients.${index}`;
    const name = `names "${nameOf(id)}", which is`;
    if (!known.has(id)) add(field, 'CLIENT_UNKNOWN', `${name} not a client of the organisation`);
    if (clients.indexOf(id) < index) add(field, 'CLIENT_REPEATED', `${name} in the list already`);
  });
  const mocks = clients.filter((id) => known.get(id) === true).length;
  if (mocks > 0 && mocks < clients.length) {
    add('clients', 'CLIENT_MOCK', 'must be all mock clients, or all real ones');
  }
  return mocks > 0;
}

function checkProof(
  proof: Proof,
  field: string,
  now: number,
  add: Add,
): Omit<Proof, 'expires'> & { expires: number | null } {
  const sha256 = proof.sha256.toLowerCase();
  if (!validateJson(sha256Schema, sha256).ok) {
    add(`${field}.sha256`, 'PROOF_DIGEST', 'must be the SHA-256 of the document in hex');
  }
  const expires = timeOf(`${field}.expires`, proof.expires, 'PROOF_EXPIRED', now, add);
  return { kind: proof.kind, sha256, reference: proof.reference, expires };
}

/** The missing proofs; null if the basis does not fit the holder. */
function missingProofs(
  { basis, holder, proofs }: RegistrationContent,
  numbers: Span | null,
): RegistrationReason[] | null {
  const required = requiredProofs(basis, holder.kind, numbers?.from ?? 0);
  if (required === null) return null;
  return required
    .filter((kind) => !proofs.some((proof) => proof.kind === kind))
    .map((kind) =>
      reasonOf('proofs', 'PROOF_MISSING', `"proofs" must have "${kind}": the ${DOCUMENTS[kind].name}`),
    );
}

/** @returns ms since 1970, or null */
function timeOf(
  field: string,
  text: string | null,
  pastCode: 'EXPIRES_PAST' | 'PROOF_EXPIRED',
  now: number,
  add: Add,
): number | null {
  if (text === null) return null;
  if (!validateJson(timeSchema, text).ok) {
    add(field, 'TIME_INVALID', 'must be a time such as 2027-01-31T00:00:00Z');
    return null;
  }
  const ms = Date.parse(text);
  if (ms <= now) add(field, pastCode, 'is in the past');
  return ms;
}

function formatTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
