/**
 * Credentials of senders in the admin API: issuers, certificates, delegations, status lists.
 */
import * as v from 'valibot';
import type { LINES } from '../credentials/claims.ts';
import type { DelegationState } from '../credentials/delegation-states.ts';
import { publicJwkSchema } from '../credentials/keys.ts';
import type { Status } from '../credentials/status-list.ts';
import {
  CERTIFICATE_REFERENCE_CHARS_MAX,
  ISSUER_OPERATORS_MAX,
  ISSUER_RANGES_MAX,
  ISSUER_STATUS_HOSTS_MAX,
} from '../limits/credential-store.ts';
import {
  CREDENTIAL_NUMBERS_MAX,
  ISSUER_KEYS_MAX,
  STATUS_LIST_CHARS_MAX,
  TOKEN_CHARS_MAX,
  URI_CHARS_MAX,
} from '../limits/credentials.ts';
import { REGISTRATION_CLIENTS_MAX } from '../limits/registrations.ts';
import { CHANNELS } from '../request.ts';
import { nameSchema, reasonSchema, timeSchema } from '../schemas.ts';
import { lineSchema, type RegistrationReason } from '../senders/registration.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** A public key. A private key gets its own error message, because its sender must replace it. */
const keySchema = v.pipe(
  v.looseObject({}),
  v.check(
    (jwk) => !PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)),
    'is a private key: send its public members only, and replace the key',
  ),
  publicJwkSchema,
);

const namedKeySchema = v.pipe(
  keySchema,
  v.check(({ kid }) => kid !== undefined, 'must have a "kid"'),
);

/** A number or a range in E.164: `+8215881234`, `+82200000000..+82299999999`. It may be wider than a block. */
export const rangeSchema = v.pipe(
  v.string(),
  v.regex(
    /^\+(?!820)[1-9]\d{2,14}(?:\.\.\+[1-9]\d{2,14})?$/,
    'must be "+82…" without the 0 of its area code, or a range "+82…..+82…"',
  ),
);

/** Issuers certify Korean lines only. Any other range is a configuration mistake. */
const koreanRangeSchema = v.pipe(
  rangeSchema,
  v.check(
    (range) => range.split('..').every((number) => number.startsWith('+82')),
    'must be Korean, "+82…": issuers certify Korean lines only',
  ),
);

const HOST_MESSAGE = 'must be a host in lower case, with a port if it is not 443';

export const hostSchema = v.pipe(
  v.string(),
  v.maxLength(URI_CHARS_MAX),
  v.regex(/^[a-z0-9.-]+(?::\d{1,5})?$/, HOST_MESSAGE),
  // A host in any other spelling would never equal the host of a URL.
  v.check(
    (host) => URL.canParse(`https://${host}`) && new URL(`https://${host}`).host === host,
    HOST_MESSAGE,
  ),
);

export const ISSUER_STATES = ['active', 'suspended'] as const;

/** An issuer: the keys that it signs certificates with, and the numbers that it may certify. */
export const issuerSchema = v.strictObject({
  id: nameSchema,
  organisation: nameSchema,
  /** The value of the claim `iss`. Unique to the issuer. */
  iss: v.pipe(
    v.string(),
    v.maxLength(URI_CHARS_MAX),
    v.regex(/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/, 'must be a URI, such as https://issuer.example'),
  ),
  /** Several keys allow a rotation. A certificate counts as suspended once its key is no longer in this set. */
  keys: v.strictObject({
    keys: v.pipe(v.array(namedKeySchema), v.minLength(1), v.maxLength(ISSUER_KEYS_MAX)),
  }),
  numbers: v.optional(v.pipe(v.array(koreanRangeSchema), v.maxLength(ISSUER_RANGES_MAX)), []),
  /** Mobile operators whose public ranges the issuer may certify, in addition to `numbers`. */
  operators: v.optional(v.pipe(v.array(nameSchema), v.maxLength(ISSUER_OPERATORS_MAX)), []),
  /** Hosts of the issuer's status lists. */
  statusHosts: v.pipe(v.array(hostSchema), v.minLength(1), v.maxLength(ISSUER_STATUS_HOSTS_MAX)),
  /** The certificates of a suspended issuer count as suspended. */
  state: v.optional(v.picklist(ISSUER_STATES), 'active'),
});
export type Issuer = v.InferOutput<typeof issuerSchema>;

/** `PUT /v1/admin/issuers/:id` */
export const putIssuerSchema = v.strictObject({ issuer: issuerSchema, reason: reasonSchema });

/** `GET /v1/admin/issuers/:id` */
export interface IssuerInfo extends Issuer {
  /** Certificates that have not expired. */
  readonly certificates: number;
  /** Those of `certificates` that count as suspended: the issuer is suspended, or no longer has their key or numbers. */
  readonly held: number;
}

const jwsSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(TOKEN_CHARS_MAX));
const reason = v.optional(reasonSchema);

/** `POST …/certificates` */
export const addCertificateSchema = v.strictObject({
  certificate: jwsSchema,
  /** The holder's public key, whose thumbprint is `cnf.jkt` of the certificate. */
  key: keySchema,
  /** The holder's request that this organisation register the certificate, signed with `key`. */
  proof: jwsSchema,
  /** Clients that may send from the numbers of the certificate. */
  clients: v.pipe(v.array(nameSchema), v.minLength(1), v.maxLength(REGISTRATION_CLIENTS_MAX)),
  /** Reference of the registrations. From the second number on, the suffix `-2`, `-3` and so on is added. */
  reference: v.optional(v.nullable(lineSchema(CERTIFICATE_REFERENCE_CHARS_MAX)), null),
  reason,
});
export type AddCertificate = v.InferOutput<typeof addCertificateSchema>;

/** Current state of a certificate. */
export const CERTIFICATE_STATES = ['valid', 'rateReduced', 'suspended', 'revoked', 'expired'] as const;
export type CertificateState = (typeof CERTIFICATE_STATES)[number];

export interface CertificateInfo {
  /** SHA-256 of the certificate in base64url. The claim `chain` of message tokens contains it. */
  readonly digest: string;
  readonly organisation: string;
  /** ID of the issuer. */
  readonly issuer: string;
  readonly state: CertificateState;
  /** Present only if the issuer is suspended, or may no longer sign this certificate. */
  readonly held?: true;
  readonly sub: string;
  readonly numbers: readonly string[];
  readonly line: (typeof LINES)[number];
  readonly notBefore: string;
  readonly expires: string;
  /** Thumbprint of the holder's key (RFC 7638). */
  readonly key: string;
  /** Status in the status list, one of STATUSES. */
  readonly status: Status;
  readonly statusList: { readonly uri: string; readonly index: number };
  readonly clients: readonly string[];
  /** IDs of the registrations that rest on the certificate. Empty until they exist. */
  readonly registrations: readonly string[];
  /** Why there are no registrations: the organisation changed after the upload. */
  readonly reasons?: readonly RegistrationReason[];
  readonly certificate: string;
  readonly createdAt: string;
}

/** `POST …/delegations` */
export const proposeDelegationSchema = v.strictObject({
  delegation: v.strictObject({
    /** The organisation that may send for this one. */
    agent: nameSchema,
    /** Digest of the principal's own certificate or active delegation. */
    link: v.pipe(v.string(), v.regex(/^[\w-]{43}$/, 'must be a SHA-256 in base64url')),
    numbers: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(CREDENTIAL_NUMBERS_MAX)),
    scope: v.pipe(v.array(v.picklist(CHANNELS)), v.minLength(1), v.maxLength(CHANNELS.length)),
    /** RFC 3339. Defaults to now. */
    notBefore: v.optional(timeSchema),
    expires: timeSchema,
  }),
  reason,
});
export type ProposedDelegation = v.InferOutput<typeof proposeDelegationSchema>['delegation'];

/** `POST …/delegations/:id/accept`: `key` is the agent's key, which signs its tokens and delegations. */
export const acceptDelegationSchema = v.strictObject({ key: keySchema, reason });
/** `POST …/delegations/:id/confirm`: `delegation` is the claims, signed with the key of the principal's link. */
export const confirmDelegationSchema = v.strictObject({ delegation: jwsSchema, reason });
/** All other actions on a delegation. */
export const moveDelegationSchema = v.strictObject({ reason });

export interface DelegationInfo {
  readonly id: string;
  readonly state: DelegationState;
  readonly principal: string;
  readonly agent: string;
  /** Digest of the principal's link. */
  readonly link: string;
  readonly numbers: readonly string[];
  readonly scope: readonly (typeof CHANNELS)[number][];
  readonly notBefore: string;
  readonly expires: string;
  /** Organisations from the owner of the numbers to the agent. */
  readonly chain: readonly string[];
  /** Thumbprint of the agent's key; null until the agent has accepted. */
  readonly key: string | null;
  /** The header and claims that the principal must sign. Present only in the state `accepted`. */
  readonly toSign?: {
    /** `kid`: thumbprint of the principal's key; null if the principal's own link is not in force. */
    readonly header: { readonly typ: string; readonly alg: string | null; readonly kid: string | null };
    readonly claims: object;
  };
  /** `digest` and `delegation` are null until the principal has confirmed the delegation. */
  readonly digest: string | null;
  readonly delegation: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `POST /v1/admin/status-lists` as JSON. */
export const pushStatusListSchema = v.strictObject({
  statusList: v.pipe(v.string(), v.minLength(1), v.maxLength(STATUS_LIST_CHARS_MAX)),
  reason,
});

/** `GET /v1/admin/status-lists` */
export interface StatusListInfo {
  readonly uri: string;
  /** ID of the issuer. */
  readonly issuer: string;
  readonly issuedAt: string;
  /** From this time on, the status of every credential in the list is indeterminate. */
  readonly expires: string;
  readonly entries: number;
  readonly bits: 1 | 2;
  /** Certificates of this list that have not expired. */
  readonly certificates: number;
  /** Time of the next pull. */
  readonly pullAt: string;
  /** Problem of the last pull, such as `HTTP_404` or STATUS_LIST_OLD; null if the pull succeeded. */
  readonly problem: string | null;
}

/** The response to an accepted status list. */
export interface StatusListDone {
  readonly uri: string;
  /** Version of the credentials in the head. Readers at this version or a later one have the list. */
  readonly version: number;
  /** Certificates whose status the list changed. */
  readonly changed: number;
}
