/**
 * The secrets of a list admin: from the environment, else from the file that `npm start` created. In
 * production they come from the environment.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fromBase64, sha256Hex } from '../shared/bytes.ts';
import { openPublicKeys, PUBLIC_KEY_BYTES, type ReleaseKey } from '../shared/release/signed.ts';
import { type KeyRing, openKeyRing } from '../shared/set/key-ring.ts';
import type { ListKeys } from '../shared/set/keys.ts';
import { deriveFingerprintKey, TEXT_KEY_BYTES } from '../shared/text/fingerprint.ts';
import { CommandFailure } from './failure.ts';
import { SECRETS_FILE } from './paths.ts';

export const SECRET_NAMES = [
  'LIST_KEY',
  'RELEASE_SIGNING_KEY',
  'RELEASE_PUBLIC_KEYS',
  'CHECKPOINT_KEY',
  'CREDENTIAL_KEY',
  'SHARING_KEY',
  'TEXT_KEY',
  'ADMIN_TOKEN',
  'DEMO_CLIENT_KEY',
  'DEMO_PARTNER_KEY',
  'DEMO_FEED_KEY',
] as const;
type SecretName = (typeof SECRET_NAMES)[number];
export type LocalSecrets = Record<SecretName, string>;

/** The secrets in the file, or none if there is no file. */
export function readSecretsFile(): Partial<LocalSecrets> {
  if (!existsSync(SECRETS_FILE)) return {};
  try {
    return JSON.parse(readFileSync(SECRETS_FILE, 'utf8')) as Partial<LocalSecrets>;
  } catch {
    throw new CommandFailure(`${SECRETS_FILE} is damaged: restore it, or delete it and run npm start`);
  }
}

/** @param variable name of the environment variable for error messages */
function secret(name: SecretName, variable: string = name): string {
  const value = process.env[name] ?? readSecretsFile()[name];
  if (value === undefined || value === '') {
    throw new CommandFailure(
      `${variable} is not set: set it in the environment, or run npm start once to create local secrets`,
    );
  }
  return value;
}

function bytesOf(name: SecretName): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(secret(name));
  if (bytes === null) throw new CommandFailure(`${name} must be base64`);
  return bytes;
}

/** LIST_KEY as written: one key, or two while it is rotated. */
export function listKeyText(): string {
  return secret('LIST_KEY');
}

export async function listKeyRing(): Promise<KeyRing> {
  const ring = await openKeyRing(listKeyText());
  if (!ring.ok) throw new CommandFailure(`LIST_KEY ${ring.message}`);
  return ring.value;
}

/** ID of TEXT_KEY. Null if there is none, because pulling a feed does not require it. */
export async function ownTextKeyId(): Promise<string | null> {
  const text = process.env.TEXT_KEY ?? readSecretsFile().TEXT_KEY ?? '';
  if (text === '') return null;
  const bytes = fromBase64(text);
  if (bytes === null || bytes.length !== TEXT_KEY_BYTES)
    throw new CommandFailure(`TEXT_KEY must be ${TEXT_KEY_BYTES} bytes in base64`);
  return (await deriveFingerprintKey(bytes)).id;
}

/** The keys that new releases are built with. */
export async function listKeys(): Promise<ListKeys> {
  return (await listKeyRing()).writer;
}

/** @param keyId of a manifest or a record that was opened with this ring */
export function keysOf({ keyId }: { readonly keyId: string }, ring: KeyRing): ListKeys {
  const keys = ring.of(keyId);
  if (keys !== null) return keys;
  throw new CommandFailure(`this was made with LIST_KEY ${keyId}, but LIST_KEY is ${ring.ids.join(', ')}`);
}

/** Ed25519, PKCS #8 in base64. */
export async function signingKey(): Promise<CryptoKey> {
  const bytes = bytesOf('RELEASE_SIGNING_KEY');
  return crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', false, ['sign']).catch(() => {
    throw new CommandFailure('RELEASE_SIGNING_KEY must be an Ed25519 key (PKCS #8 in base64)');
  });
}

export async function publicKeys(): Promise<ReleaseKey[]> {
  const keys = await openPublicKeys(secret('RELEASE_PUBLIC_KEYS'));
  if (keys !== null && keys.length > 0) return keys;
  throw new CommandFailure(
    `RELEASE_PUBLIC_KEYS must be Ed25519 keys of ${PUBLIC_KEY_BYTES} bytes in base64, each once, separated by commas`,
  );
}

/** The admin token of the local installation. Only its own service may receive it (adminOfEnvironment). */
export function localToken(): string {
  return secret('ADMIN_TOKEN', 'NUMGATE_TOKEN');
}

/** A new key `<id>.<secret>` of a client or a token: the key for its holder and the digest to store. */
export async function newKey(id: string): Promise<{ key: string; secretSha256: string }> {
  const key = `${id}.${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`;
  return { key, secretSha256: await secretDigest(key) };
}

/** SHA-256 (hex) of the secret of a key. Only this digest is stored. */
export function secretDigest(key: string): Promise<string> {
  return sha256Hex(key.slice(key.indexOf('.') + 1));
}
