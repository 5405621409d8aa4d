/**
 * Encryption of the feed for one consumer: the field `feed` of a client with the right `feed`. The edge never sees it.
 *
 * `dir`: with a secret that the service derives and shows once. `ECDH-ES`: with a public key of the consumer, so that the
 * service keeps no key that decrypts. `none`: for systems that cannot decrypt, such as CrowdSec.
 */
import * as v from 'valibot';
import { sha256Hex, toBase64Url } from '../bytes.ts';

/** How the data of each event is encrypted: the `alg` of JWE (RFC 7518, 4.1), or not at all. */
export const FEED_ENCRYPTIONS = ['dir', 'ECDH-ES', 'none'] as const;
export type FeedEncryption = (typeof FEED_ENCRYPTIONS)[number];

const coordinate = v.pipe(v.string(), v.regex(/^[\w-]{43}$/, 'must be 32 bytes in base64url'));
const names = {
  alg: v.optional(v.picklist(['ECDH-ES'])),
  use: v.optional(v.picklist(['enc'])),
  kid: v.optional(
    v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,64}$/, 'must have 1 to 64 visible ASCII characters')),
  ),
};

/** A public JWK (RFC 7517) to encrypt to. A private member is refused as an unknown field. */
export const encryptionJwkSchema = v.variant('kty', [
  v.strictObject({
    kty: v.literal('EC'),
    crv: v.picklist(['P-256']),
    x: coordinate,
    y: coordinate,
    ...names,
  }),
  v.strictObject({
    kty: v.literal('OKP'),
    crv: v.picklist(['X25519']),
    x: coordinate,
    ...names,
  }),
]);
export type EncryptionJwk = v.InferOutput<typeof encryptionJwkSchema>;

/** ID of a secret for `dir`: 8 hex digits that name the SHARING_KEY it derives from, then 16 random hex digits. */
export const feedKeyIdSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{24}$/, 'must be the ID of a key'));

export const feedAccessSchema = v.variant('encryption', [
  v.strictObject({
    encryption: v.literal('dir'),
    /** ID of the secret in use; null before the first one. Only `POST /v1/admin/clients/{id}/feed-key` sets it. */
    keyId: v.optional(v.nullable(feedKeyIdSchema), null),
  }),
  v.strictObject({ encryption: v.literal('ECDH-ES'), key: encryptionJwkSchema }),
  v.strictObject({ encryption: v.literal('none') }),
]);
export type FeedAccess = v.InferOutput<typeof feedAccessSchema>;

/** Hex digits of a key ID that name the SHARING_KEY. */
export const SHARING_KEY_ID_CHARS = 8;

/** Returns the name of a secret: its `kid`, and the input of its derivation. @param client ID */
export function feedKeyName(client: string, keyId: string): string {
  return `${client}#${keyId}`;
}

/** Returns the `kid` of a public key, or its thumbprint (RFC 7638) if it has no `kid`. */
export async function encryptionKeyName(key: EncryptionJwk): Promise<string> {
  if (key.kid !== undefined) return key.kid;
  // The members that RFC 7638 names, in the order that it prescribes.
  const members =
    key.kty === 'EC'
      ? { crv: key.crv, kty: key.kty, x: key.x, y: key.y }
      : { crv: key.crv, kty: key.kty, x: key.x };
  const digest = await sha256Hex(JSON.stringify(members));
  return toBase64Url(Uint8Array.from(digest.match(/../g)!, (byte) => Number.parseInt(byte, 16)));
}
