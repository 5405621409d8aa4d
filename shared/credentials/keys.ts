/**
 * Public keys of credentials: ES256 on P-256, which every signer supports, or EdDSA on Ed25519. A key has one algorithm.
 */
import * as v from 'valibot';
import { fromBase64Url, toBase64Url, utf8 } from '../bytes.ts';
import { CREDENTIAL_KEY_BYTES } from '../set/layout.ts';

/** Rows of the credential table store the index, so never reorder them. */
export const KEY_ALGORITHMS = ['ES256', 'EdDSA'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export interface CredentialKey {
  readonly alg: KeyAlgorithm;
  /** ES256: x and y, 32 bytes each. EdDSA: 32 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes of a P-256 coordinate, and of an Ed25519 key. */
const COORDINATE_BYTES = 32;

const coordinate = v.pipe(v.string(), v.regex(/^[\w-]{43}$/, 'must be 32 bytes in base64url'));
const names = {
  kid: v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,64}$/))),
  use: v.optional(v.literal('sig')),
};

/** A public JWK. A private member is refused as an unknown field. */
export const publicJwkSchema = v.variant('kty', [
  v.strictObject({
    kty: v.literal('EC'),
    crv: v.literal('P-256'),
    x: coordinate,
    y: coordinate,
    alg: v.optional(v.literal('ES256')),
    ...names,
  }),
  v.strictObject({
    kty: v.literal('OKP'),
    crv: v.literal('Ed25519'),
    x: coordinate,
    alg: v.optional(v.literal('EdDSA')),
    ...names,
  }),
]);
export type PublicJwk = v.InferOutput<typeof publicJwkSchema>;

/** Returns a JWK's key, or null if a member is not 32 bytes in base64url. Only `importKey` checks that it is on its curve. */
export function keyOfJwk(jwk: PublicJwk): CredentialKey | null {
  const x = fromBase64Url(jwk.x);
  if (x?.length !== COORDINATE_BYTES) return null;
  if (jwk.kty === 'OKP') return { alg: 'EdDSA', bytes: x };
  const y = fromBase64Url(jwk.y);
  if (y?.length !== COORDINATE_BYTES) return null;
  const bytes = new Uint8Array(CREDENTIAL_KEY_BYTES);
  bytes.set(x);
  bytes.set(y, COORDINATE_BYTES);
  return { alg: 'ES256', bytes };
}

/**
 * Caches of imported keys and thumbprints. A P-256 import takes half as long as a verification. The caches hold results,
 * not promises, because no request may await what another request started.
 */
const imported = new WeakMap<CredentialKey, CryptoKey>();
const thumbprints = new WeakMap<CredentialKey, string>();

/** Imports a key for verifying, once for each object. Returns null if the key is not on its curve. */
export async function importKey(key: CredentialKey): Promise<CryptoKey | null> {
  const known = imported.get(key);
  if (known !== undefined) return known;
  const { alg, bytes } = key;
  // An uncompressed point begins with 4 (SEC 1, 2.3.3).
  const raw = alg === 'ES256' ? Uint8Array.from([4, ...bytes]) : bytes;
  const algorithm = alg === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : 'Ed25519';
  const made = await crypto.subtle.importKey('raw', raw, algorithm, false, ['verify']).catch(() => null);
  if (made !== null) imported.set(key, made);
  return made;
}

/** Returns the thumbprint of a key (RFC 7638) in base64url: `cnf.jkt`, and the `kid` of a message token. */
export async function thumbprintOf(key: CredentialKey): Promise<string> {
  const known = thumbprints.get(key);
  if (known !== undefined) return known;
  const x = toBase64Url(key.bytes.subarray(0, COORDINATE_BYTES));
  // The members that RFC 7638 names, in the order that it prescribes.
  const members =
    key.alg === 'ES256'
      ? { crv: 'P-256', kty: 'EC', x, y: toBase64Url(key.bytes.subarray(COORDINATE_BYTES)) }
      : { crv: 'Ed25519', kty: 'OKP', x };
  const thumbprint = await digestOf(JSON.stringify(members));
  thumbprints.set(key, thumbprint);
  return thumbprint;
}

/** Returns the SHA-256 of a text in base64url. The digest of a compact JWS names the credential. */
export async function digestOf(text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))));
}
