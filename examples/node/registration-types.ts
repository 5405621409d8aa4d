/**
 * Registered senders, as the registrar sends and returns them. Values that a newer service may extend (states, reason
 * codes) are open strings. docs/senders.md says what they mean.
 */

/** A document, which stays with you. */
export interface RegistrationProof {
  /** `serviceUse`, `identityCheck`, `employment`, `powerOfAttorney`, `businessRegistration` or `relation`. */
  readonly kind: string;
  /** In hex. */
  readonly sha256: string;
  /** Your name for the document. */
  readonly reference?: string | null;
  /** ISO 8601; null if it does not end. */
  readonly expires?: string | null;
}

/** What you register. */
export interface RegistrationContent {
  /** A number in any usual form, or a range such as `+82221230000..+82221230099`. In responses E.164. */
  readonly number: string;
  readonly basis: 'own' | 'staff' | 'delegated';
  readonly holder: { readonly kind: 'person' | 'organisation'; readonly name: string };
  /** Clients of your organisation that may send from the number. */
  readonly clients: readonly string[];
  readonly proofs?: readonly RegistrationProof[];
  /** ISO 8601. */
  readonly expires?: string | null;
  /** Your own name for it, unique in your organisation. */
  readonly reference?: string | null;
}

/** What is wrong with a field, and what to do. */
export interface RegistrationReason {
  readonly field: string;
  readonly code: string;
  readonly detail: string;
  readonly help: string;
  /** The live block that has suspended the registration. Absent for all other reasons. */
  readonly operation?: number;
}

/** One version of a registration. */
export interface RegistrationVersion extends RegistrationContent {
  readonly version: number;
  /** The earliest end of the registration and its proofs, ISO 8601. */
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
  /** That version, if it is not the newest. */
  readonly approved?: RegistrationVersion;
  /** Only of mock clients. */
  readonly mock?: boolean;
  /** Digest of the certificate that it rests on, if it does. */
  readonly certificate?: string;
  readonly claimedBy: string | null;
  readonly claimedUntil: string | null;
  /** Of the last decision. */
  readonly reasons: readonly RegistrationReason[];
  /** Whether the edge has the last change: `none`, `pending`, `waiting` or `published`. */
  readonly publication: string;
  readonly publishedAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly submittedAt: string | null;
}

/** A decision or a reminder. Read the registration for what is true now. */
export interface RegistrationEvent {
  readonly id: number;
  /** Such as `approved`, `needsUpdate`, `suspended` or `expiring`. */
  readonly type: string;
  readonly at: string;
  /** ID of the registration. */
  readonly registration: string;
  readonly version: number;
  readonly state: string;
  /** Until the end, for `expiring`. */
  readonly days?: number;
  readonly mock?: boolean;
}

/** What became of a line of an upload. */
export interface ImportedRow {
  /** Of the file; the header is line 1. */
  readonly line: number;
  readonly reference: string | null;
  /** `created`, `updated`, `unchanged` or `rejected`. */
  readonly result: string;
  readonly id: string | null;
  readonly state: string | null;
  readonly reasons: readonly RegistrationReason[];
}
