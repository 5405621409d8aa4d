/**
 * What PASSporTs are verified with, in the admin API: roots, and the certificates of signers.
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

/** A certification authority that signs the certificates of networks. */
export const passportRootSchema = v.strictObject({
  id: nameSchema,
  /** In PEM. */
  certificate: v.pipe(v.string(), v.minLength(1), v.maxLength(PASSPORT_CHAIN_CHARS_MAX)),
  /** Where chains that end at this root may be fetched. */
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

/** Only on this machine, `http:` is also possible: control checks that (workers/credentials/fetch-text.ts). */
function isCertificateUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || /\s/.test(text)) return false;
  return url.username === '' && url.password === '' && url.hash === '';
}

/** A certificate that PASSporTs name by its URL. */
export const passportCertificateSchema = v.strictObject({
  id: nameSchema,
  /** As `x5u` of the PASSporTs has it. No two certificates have the same. */
  url: urlSchema,
  /** Numbers that its service provider codes stand for. A code names a network, and numbers can be ported to it. */
  numbers: v.optional(v.pipe(v.array(rangeSchema), v.maxLength(PASSPORT_NUMBERS_MAX)), []),
  /** Nothing is verified with a suspended one. */
  state: v.optional(v.picklist(PASSPORT_CERTIFICATE_STATES), 'active'),
});
export type PassportCertificate = v.InferOutput<typeof passportCertificateSchema>;

/** `PUT /v1/admin/passport/certificates/:id` */
export const putPassportCertificateSchema = v.strictObject({
  certificate: passportCertificateSchema,
  reason: reasonSchema,
});

/** `waiting`: not fetched yet. `failed`: there is no chain that is valid now. */
export const PASSPORT_CERTIFICATE_STATUSES = ['waiting', 'valid', 'failed', 'suspended'] as const;

/** `GET /v1/admin/passport/certificates/:id`. Times are null until the chain was verified. */
export interface PassportCertificateInfo extends PassportCertificate {
  /** SHA-256 of the URL, base64url: how logs name it. */
  readonly x5u: string;
  readonly status: (typeof PASSPORT_CERTIFICATE_STATUSES)[number];
  /** Why the last fetch or verification failed; null if it did not. An earlier chain serves until it ends. */
  readonly problem: string | null;
  /** Service provider codes of the certificate. */
  readonly providers: readonly string[];
  /** Numbers that it may sign for. */
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
