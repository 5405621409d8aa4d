/**
 * The secrets of feed consumers with the encryption `dir`. Each secret derives from a SHARING_KEY and the secret's name, so
 * none is stored. The ID of a secret names its SHARING_KEY, which can therefore be rotated while secrets are in use.
 */
import { toHex } from '../bytes.ts';
import type { SharingKey } from '../sharing-keys.ts';
import { feedKeyName, SHARING_KEY_ID_CHARS } from './access.ts';
import { FEED_KEY_BYTES } from './jwe.ts';

const RANDOM_BYTES = 8;

/** A secret as a JWK (RFC 7517). It has no `alg`: Debian's jose refuses `dir` there, and others refuse `A256GCM`. */
export interface FeedSecretJwk {
  readonly kty: 'oct';
  /** FEED_KEY_BYTES in base64url. */
  readonly k: string;
  readonly kid: string;
  readonly use: 'enc';
}

async function idOf(key: SharingKey): Promise<string> {
  return toHex(await key.derive('key id', '', SHARING_KEY_ID_CHARS / 2));
}

/** Makes the ID of a new secret, which will derive from the first key. @param keys at least one */
export async function newFeedKeyId(keys: readonly SharingKey[]): Promise<string> {
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return `${await idOf(keys[0]!)}${toHex(random)}`;
}

/** Derives the secret of a client. @param client ID @returns null if `keys` no longer has the secret's SHARING_KEY */
export async function feedSecretOf(
  keys: readonly SharingKey[],
  client: string,
  keyId: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  for (const key of keys) {
    if (!keyId.startsWith(await idOf(key))) continue;
    return key.derive('feed consumer', feedKeyName(client, keyId), FEED_KEY_BYTES);
  }
  return null;
}
