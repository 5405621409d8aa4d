/**
 * Registered senders, as the registrar sends and returns them. Sets of values that a newer service may extend (states, reason
 * codes) are open strings. docs/senders.md explains them.
 */

/** A document. The document itself stays with you. */
export interface RegistrationProof {
  /** `serviceUse`, `identityCheck`, `employment`, `powerOfAttorney`, `businessRegistration` or `relation`. */
  readonly kind: string;
  /** Digest of the document, in hex. */
  readonly sha256: string;
  /** Your name for the document. */
  readonly reference?: string | null;
  /** ISO 8601; null if the document does not expire. */
  readonly expires?: string | null;
}

/** The content of a registration. */
export interface RegistrationContent {
  /** A number in any usual form, or a range such as `+82221230000..+82221230099`. E.164 in responses. */
  readonly number: string;
  readonly basis: 'own' | 'staff' | 'delegated';
  readonly holder: { readonly kind: 'person' | 'organisation'; readonly name: string };
  /** Clients of your organisation that may send from the number. */
  readonly clients: readonly string[];
  readonly proofs?: readonly RegistrationProof[];
  /** ISO 8601. */
  readonly expires?: string | null;
  /** Your own name for the registration, unique in your organisation. */
  readonly reference?: string | null;
}

/** What is wrong with a field, and what to do. */
export interface RegistrationReason {
  readonly field: string;
  readonly code: string;
  readonly detail: string;
  readonly help: string;
  /** The live block that has suspended the registration. Absent from all other reasons. */
  readonly operation?: number;
}

/** One version of a registration. */
export interface RegistrationVersion extends RegistrationContent {
  readonly version: number;
  /** The earliest end among the registration and its proofs, ISO 8601. */
  readonly endsAt: string | null;
}

/** A registration. Its own fields are those of the newest version. */
export interface Registration extends RegistrationVersion {
  readonly organisation: string;
  readonly id: string;
  /** `draft`, `submitted`, `inReview`, `needsUpdate`, `approved`, `rejected`, `suspended`, `expired` or `closed`. */
  readonly state: string;
  /** The version in force; null for none. */
  readonly approvedVersion: number | null;
  /** The approved version, if it is not the newest. */
  readonly approved?: RegistrationVersion;
  /** Only for mock clients. */
  readonly mock?: boolean;
  /** Digest of the certificate that the registration rests on, if any. */
  readonly certificate?: string;
  readonly claimedBy: string | null;
  readonly claimedUntil: string | null;
  /** Reasons of the last decision. */
  readonly reasons: readonly RegistrationReason[];
  /** Whether the edge has the last change: `none`, `pending`, `waiting` or `published`. */
  readonly publication: string;
  readonly publishedAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly submittedAt: string | null;
}

/** A decision or a reminder. Read the registration itself for its current state. */
export interface RegistrationEvent {
  readonly id: number;
  /** For example `approved`, `needsUpdate`, `suspended` or `expiring`. */
  readonly type: string;
  readonly at: string;
  /** ID of the registration. */
  readonly registration: string;
  readonly version: number;
  readonly state: string;
  /** Days until the end; only for `expiring`. */
  readonly days?: number;
  readonly mock?: boolean;
}

/** The result of one line of an upload. */
export interface ImportedRow {
  /** Line number in the file; the header is line 1. */
  readonly line: number;
  readonly reference: string | null;
  /** `created`, `updated`, `unchanged` or `rejected`. */
  readonly result: string;
  readonly id: string | null;
  readonly state: string | null;
  readonly reasons: readonly RegistrationReason[];
}
