/**
 * Registrations: some clients of an organisation may use a number as their sender. The schemas check only the form of
 * the input; `validation.ts` checks its content, and `registration-states.ts` has the states.
 */
import * as v from 'valibot';
import {
  HOLDER_CHARS_MAX,
  NUMBER_TEXT_CHARS_MAX,
  REASON_TEXT_CHARS_MAX,
  REASONS_MAX,
  REFERENCE_CHARS_MAX,
  REGISTRATION_CLIENTS_MAX,
  REGISTRATION_PROOFS_MAX,
} from '../limits/registrations.ts';
import { nameSchema, reasonSchema } from '../schemas.ts';

/** Why the organisation may use the number: its own, that of a member of its staff, or delegated by its holder. */
export const BASES = ['own', 'staff', 'delegated'] as const;
export type Basis = (typeof BASES)[number];

export const HOLDER_KINDS = ['person', 'organisation'] as const;
export type HolderKind = (typeof HOLDER_KINDS)[number];

/** Kinds of proof. `documents.ts` says which basis needs which kinds. */
export const PROOF_KINDS = [
  'serviceUse',
  'identityCheck',
  'employment',
  'powerOfAttorney',
  'businessRegistration',
  'relation',
] as const;
export type ProofKind = (typeof PROOF_KINDS)[number];

/** Text for people, on one line. */
export function lineSchema(charsMax: number) {
  const message = `must be one line of 1 to ${charsMax} characters`;
  return v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^\P{C}*$/u, message),
    v.minLength(1, message),
    v.maxLength(charsMax, message),
  );
}

/** A document. It stays with the sender: only its digest is here, and the name under which the sender finds it. */
const proofSchema = v.strictObject({
  kind: v.picklist(PROOF_KINDS),
  /** SHA-256 of the document in hex; `validation.ts` checks it. */
  sha256: v.pipe(v.string(), v.maxLength(REFERENCE_CHARS_MAX)),
  reference: v.optional(v.nullable(lineSchema(REFERENCE_CHARS_MAX)), null),
  /** RFC 3339; null if the document does not end. */
  expires: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(REFERENCE_CHARS_MAX))), null),
});
export type Proof = v.InferOutput<typeof proofSchema>;

/** The fields that a sender writes. */
const contentEntries = {
  /** One number in any usual form, or a range of E.164 numbers: `+82221230000..+82221230099`. */
  number: v.pipe(v.string(), v.maxLength(NUMBER_TEXT_CHARS_MAX)),
  basis: v.picklist(BASES),
  holder: v.strictObject({ kind: v.picklist(HOLDER_KINDS), name: lineSchema(HOLDER_CHARS_MAX) }),
  /** Clients of the organisation that may use the number. */
  clients: v.pipe(v.array(nameSchema), v.minLength(1), v.maxLength(REGISTRATION_CLIENTS_MAX)),
  proofs: v.optional(v.pipe(v.array(proofSchema), v.maxLength(REGISTRATION_PROOFS_MAX)), []),
  /** When the registration is to end, RFC 3339. It ends earlier if one of its proofs does. */
  expires: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(REFERENCE_CHARS_MAX))), null),
  /** The sender's own name for the registration, unique in its organisation. Bulk uploads find it by this name. */
  reference: v.optional(v.nullable(lineSchema(REFERENCE_CHARS_MAX)), null),
};
export const contentSchema = v.strictObject(contentEntries);
export type RegistrationContent = v.InferOutput<typeof contentSchema>;

/** `POST …/registrations` */
export const createRegistrationSchema = v.strictObject({
  registration: contentSchema,
  /** Whether to submit the registration at once. */
  submit: v.optional(v.boolean(), false),
  reason: v.optional(reasonSchema),
});

/** `POST …/registrations/validate` */
export const validateRegistrationSchema = v.strictObject({ registration: contentSchema });

/** `PATCH …/registrations/:id`: the fields to change. */
export const editRegistrationSchema = v.strictObject({
  registration: v.strictObject({
    number: v.exactOptional(contentEntries.number),
    basis: v.exactOptional(contentEntries.basis),
    holder: v.exactOptional(contentEntries.holder),
    clients: v.exactOptional(contentEntries.clients),
    proofs: v.exactOptional(contentEntries.proofs),
    expires: v.exactOptional(contentEntries.expires),
    reference: v.exactOptional(contentEntries.reference),
  }),
  reason: v.optional(reasonSchema),
});

/** `POST …/registrations/find` */
export const findRegistrationsSchema = v.strictObject({ number: contentEntries.number });

const reasonText = lineSchema(REASON_TEXT_CHARS_MAX);

/** What is wrong with a field, or what a reviewer wants changed. */
export interface RegistrationReason {
  /** Such as `number` or `proofs.0.sha256`. */
  readonly field: string;
  /** Stable name: one of `REASON_CODES` of `validation.ts`, or a code of the reviewer. */
  readonly code: string;
  /** One sentence, without a full number. */
  readonly detail: string;
  /** What to do. */
  readonly help: string;
  /** The live block that has suspended the registration. */
  readonly operation?: number;
}

/** Body of an action: `submit`, `claim`, `approve` and so on. */
export const actionSchema = v.strictObject({
  reason: v.optional(reasonSchema),
  /** Reasons by field, for `reject`, `requestUpdate` and `suspend`. */
  reasons: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          field: v.pipe(v.string(), v.regex(/^[a-z][a-zA-Z0-9.]{0,62}$/, 'must be the name of a field')),
          code: v.pipe(
            v.string(),
            v.regex(/^[A-Z][A-Z0-9_]{0,62}$/, 'must be in upper case, such as PROOF_UNREADABLE'),
          ),
          detail: reasonText,
          help: reasonText,
        }),
      ),
      v.maxLength(REASONS_MAX),
    ),
    [],
  ),
});
export type ActionBody = v.InferOutput<typeof actionSchema>;

export const STATES = [
  'draft',
  'submitted',
  'inReview',
  'needsUpdate',
  'approved',
  'rejected',
  'suspended',
  'expired',
  'closed',
] as const;
export type RegistrationState = (typeof STATES)[number];

/** What a person can do with a registration, as the last part of the path. An edit is a PATCH. */
export const ACTIONS = [
  'submit',
  'claim',
  'release',
  'approve',
  'reject',
  'requestUpdate',
  'suspend',
  'resume',
  'close',
] as const;
export type RegistrationAction = (typeof ACTIONS)[number];

/**
 * Whether the edge knows the decision: `pending` until the registry has it, `waiting` while the registry has no room.
 * `none` if there is nothing to publish.
 */
export const PUBLICATIONS = ['none', 'pending', 'waiting', 'published'] as const;
export type Publication = (typeof PUBLICATIONS)[number];

/** One version of a registration, as a response shows it. `number` is in E.164. */
export interface RegistrationVersion extends RegistrationContent {
  readonly version: number;
  /** The earliest end of the registration and of its proofs, RFC 3339; null for none. */
  readonly endsAt: string | null;
}

/** A registration in a response. Its own fields have the values of the newest version. */
export interface Registration extends RegistrationVersion {
  readonly organisation: string;
  readonly id: string;
  readonly state: RegistrationState;
  /** The version that is in force, or was when the registration was suspended; null for none. */
  readonly approvedVersion: number | null;
  /** The approved version, if it is not the newest. */
  readonly approved?: RegistrationVersion;
  /** Only of registrations for mock clients, which never touch real traffic. */
  readonly mock?: true;
  /** Digest of the certificate that the registration rests on. It is suspended with the certificate. */
  readonly certificate?: string;
  /** The reviewer, such as `token:kisa`, and the end of the claim; null if nobody has claimed the registration. */
  readonly claimedBy: string | null;
  readonly claimedUntil: string | null;
  /** Reasons of the last decision. */
  readonly reasons: readonly RegistrationReason[];
  readonly publication: Publication;
  /** When the registry acknowledged the last change of what is in force. */
  readonly publishedAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly submittedAt: string | null;
  /**
   * Other registrations of the same numbers, if a reviewer reads a single registration. Null if they could not be read,
   * so that there may be some.
   */
  readonly others?: readonly OtherRegistration[] | null;
}

/** Another registration of the same numbers that is in force, suspended, or waits for a review. */
export interface OtherRegistration {
  readonly organisation: string;
  readonly id: string;
  readonly number: string;
  readonly basis: Basis;
  readonly holder: RegistrationContent['holder'];
  readonly state: RegistrationState;
  readonly inForce: boolean;
}

/** `GET …/registrations` */
export interface RegistrationPage {
  readonly registrations: readonly Registration[];
  readonly next: string | null;
}

/** `GET /v1/admin/registrations/queue`: the registrations that wait for a reviewer, in the order of submission. */
export interface ReviewQueue {
  readonly registrations: readonly {
    readonly organisation: string;
    readonly id: string;
    readonly state: string;
    readonly basis: string;
    readonly submittedAt: string;
    readonly claimedBy: string | null;
  }[];
  readonly next: string | null;
}

/** What can happen to a registration without an action of its sender. */
export const EVENT_TYPES = [
  'approved',
  'rejected',
  'needsUpdate',
  'suspended',
  'resumed',
  'expiring',
  'expired',
  'numberTerminated',
  'numberPorted',
] as const;
export type RegistrationEventType = (typeof EVENT_TYPES)[number];

/** An event reports a past change. Only the registration itself shows the current state. */
export interface RegistrationEvent {
  /** Rises with each event of the organisation. */
  readonly id: number;
  readonly type: RegistrationEventType;
  readonly at: string;
  readonly registration: string;
  readonly version: number;
  readonly state: RegistrationState;
  /** Days until the end, for `expiring`. */
  readonly days?: number;
  readonly mock?: true;
}

/** What validation needs to know besides the registration. */
export interface RegistrationFacts {
  readonly organisation: string;
  /** ms since 1970. */
  readonly now: number;
  /** The clients of the organisation, and whether each is a mock client. */
  readonly clients: readonly { readonly id: string; readonly mock: boolean }[];
  /** From the guard settings. */
  readonly protectedNumbers: readonly number[];
}
