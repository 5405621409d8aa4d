/**
 * Roots and certificates of signers, which verify PASSporTs, in the admin API.
 */
import * as v from 'valibot';
import {
  PASSPORT_CHAIN_CHARS_MAX,
  PASSPORT_HOSTS_MAX,
  PASSPORT_NUMBERS_MAX,
  PASSPORT_URL_CHARS_MAX,
} from '../limits/passport.ts';
import { nameSchema, reasonSchema } from '../schemas.ts';
import { hostSchema, rangeSchema } from './credentials.ts';

/** A trusted certification authority, which signs the certificates of networks. */
export const passportRootSchema = v.strictObject({
  id: nameSchema,
  /** In PEM. */
  certificate: v.pipe(v.string(), v.minLength(1), v.maxLength(PASSPORT_CHAIN_CHARS_MAX)),
  /** Hosts from which chains that end at this root may be fetched. */
  hosts: v.pipe(v.array(hostSchema), v.minLength(1), v.maxLength(PASSPORT_HOSTS_MAX)),
});
export type PassportRoot = v.InferOutput<typeof passportRootSchema>;

/** `PUT /v1/admin/passport/roots/:id` */
export const putPassportRootSchema = v.strictObject({ root: passportRootSchema, reason: reasonSchema });

export const PASSPORT_CERTIFICATE_STATES = ['active', 'suspended'] as const;

const urlSchema = v.pipe(
  v.string(),
  v.maxLength(PASSPORT_URL_CHARS_MAX),
  v.check((text) => isCertificateUrl(text), 'must be an https URL without user name and fragment'),
);

/** Also accepts `http:`, which control allows only for hosts of this machine (workers/credentials/fetch-text.ts). */
function isCertificateUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || /\s/.test(text)) return false;
  return url.username === '' && url.password === '' && url.hash === '';
}

/** A signer's certificate. PASSporTs name it by its URL. */
export const passportCertificateSchema = v.strictObject({
  id: nameSchema,
  /** The value of `x5u` in PASSporTs. Unique to the certificate. */
  url: urlSchema,
  /** Numbers of its service provider codes: a code names only a network, and numbers can be ported to a network. */
  numbers: v.optional(v.pipe(v.array(rangeSchema), v.maxLength(PASSPORT_NUMBERS_MAX)), []),
  /** A suspended certificate verifies nothing. */
  state: v.optional(v.picklist(PASSPORT_CERTIFICATE_STATES), 'active'),
});
export type PassportCertificate = v.InferOutput<typeof passportCertificateSchema>;

/** `PUT /v1/admin/passport/certificates/:id` */
export const putPassportCertificateSchema = v.strictObject({
  certificate: passportCertificateSchema,
  reason: reasonSchema,
});

/** `waiting`: the chain was not fetched yet. `failed`: no chain is valid now. */
export const PASSPORT_CERTIFICATE_STATUSES = ['waiting', 'valid', 'failed', 'suspended'] as const;

/** `GET /v1/admin/passport/certificates/:id`. Times are null until the chain has been verified. */
export interface PassportCertificateInfo extends PassportCertificate {
  /** SHA-256 of the URL in base64url. Logs contain it in place of the URL. */
  readonly x5u: string;
  readonly status: (typeof PASSPORT_CERTIFICATE_STATUSES)[number];
  /** Why the last fetch or verification failed; null if it succeeded. An earlier chain stays in use until it expires. */
  readonly problem: string | null;
  /** Service provider codes of the certificate. */
  readonly providers: readonly string[];
  /** Numbers that the certificate may sign for. */
  readonly authorized: readonly string[];
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  readonly fetchedAt: string | null;
  readonly nextFetchAt: string | null;
}

/** `GET /v1/admin/passport/roots/:id` */
export interface PassportRootInfo extends PassportRoot {
  readonly notBefore: string;
  readonly notAfter: string;
}
