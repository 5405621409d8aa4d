/**
 * The claims of credentials. Other claims are ignored, as RFC 7519 requires.
 */
import * as v from 'valibot';
import {
  CHAIN_LINKS_MAX,
  CLAIM_CHARS_MAX,
  CREDENTIAL_NUMBERS_MAX,
  STATUS_ENTRIES_MAX,
  URI_CHARS_MAX,
} from '../limits/credentials.ts';
import { CHANNELS } from '../request.ts';
import { NAME_PATTERN, nameSchema } from '../schemas.ts';

export const CERTIFICATE_TYPE = 'sender-certificate+jwt';
export const DELEGATION_TYPE = 'sender-delegation+jwt';
export const TOKEN_TYPE = 'sender-token+jwt';
export const PROOF_TYPE = 'sender-proof+jwt';
export const STATUS_LIST_TYPE = 'statuslist+jwt';

/** `vct` of a certificate, which defines the meaning of its claims. */
export const CERTIFICATE_VCT = 'https://numgate.kr/vct/sender-certificate/1';

/** Kinds of line that a certificate is for: fixed, mobile, Internet telephony (070), representative (15xx). */
export const LINES = ['fixed', 'mobile', 'voip', 'representative'] as const;
/** Seconds since 1970, up to 2106, so that the time fits into a row of the credential table. */
const time = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xfffffffe));
/** One line, because registrations copy the text: a terminal or an export must not read it as several lines. */
const text = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(CLAIM_CHARS_MAX),
  v.regex(/^(?!\s)\P{C}*(?<!\s)$/u, 'must be one line without control characters'),
);
const uri = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(URI_CHARS_MAX),
  v.regex(/^[\x21-\x7e]*$/, 'must be a URI'),
);
/** SHA-256 in base64url. */
const digest = v.pipe(v.string(), v.regex(/^[\w-]{43}$/, 'must be a SHA-256 in base64url'));
const numbers = v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(CREDENTIAL_NUMBERS_MAX));
const confirmation = v.object({ jkt: digest });

export const statusSchema = v.object({
  status_list: v.object({
    idx: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(STATUS_ENTRIES_MAX - 1)),
    uri,
  }),
});

export const certificateClaimsSchema = v.object({
  vct: v.literal(CERTIFICATE_VCT, `must be ${CERTIFICATE_VCT}`),
  iss: uri,
  sub: text,
  iat: time,
  nbf: time,
  exp: time,
  jti: text,
  nums: numbers,
  line: v.picklist(LINES),
  cnf: confirmation,
  status: statusSchema,
});
export type CertificateClaims = v.InferOutput<typeof certificateClaimsSchema>;

export const delegationClaimsSchema = v.object({
  /** The organisation of the principal. */
  iss: nameSchema,
  /** The organisation of the agent. */
  sub: nameSchema,
  iat: time,
  nbf: time,
  exp: time,
  /** The ID of the proposal. */
  jti: text,
  nums: numbers,
  /** What the agent may send. */
  scope: v.pipe(v.array(v.picklist(CHANNELS)), v.minLength(1), v.maxLength(CHANNELS.length)),
  /** Digest of the principal's own link. */
  prn: digest,
  /** The agent's key. */
  cnf: confirmation,
  status: statusSchema,
});
export type DelegationClaims = v.InferOutput<typeof delegationClaimsSchema>;

const AUDIENCE = new RegExp(`^${NAME_PATTERN.source.slice(1, -1)}(?:/${NAME_PATTERN.source.slice(1, -1)})?$`);

export const tokenClaimsSchema = v.object({
  /** An organisation, or one client: `<organisation>/<client>`. */
  aud: v.pipe(v.string(), v.regex(AUDIENCE, 'must be an organisation, or <organisation>/<client>')),
  iat: time,
  nbf: v.optional(time),
  exp: time,
  /** Digits without a plus, as in a PASSporT. */
  orig: v.object({
    tn: v.pipe(v.string(), v.regex(/^[1-9]\d{2,14}$/, 'must be E.164 digits without a plus')),
  }),
  /** The code of the original sender. */
  osc: v.optional(text),
  /** Digests of the links, from the owner's link on. */
  chain: v.pipe(v.array(digest), v.minLength(1), v.maxLength(CHAIN_LINKS_MAX)),
});
export type TokenClaims = v.InferOutput<typeof tokenClaimsSchema>;

export const proofClaimsSchema = v.object({
  /** The organisation that registers the certificate. */
  aud: nameSchema,
  iat: time,
  /** Digest of the certificate. */
  crt: digest,
});

export const statusListClaimsSchema = v.object({
  /** The URI of the list. */
  sub: uri,
  iat: time,
  /** The draft only recommends it. Without it, anyone who suppresses a new list keeps a credential valid forever. */
  exp: time,
  /** Seconds until a new version may be available. */
  ttl: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  status_list: v.object({ bits: v.picklist([1, 2]), lst: v.string() }),
});
export type StatusListClaims = v.InferOutput<typeof statusListClaimsSchema>;
