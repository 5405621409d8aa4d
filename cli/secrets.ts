/**
 * The secrets of a list admin: from the environment, else from the file that `npm start` made. In production
 * they come from the environment. The Worker receives its share through `wrangler secret put`.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromBase64, sha256Hex, toBase64 } from '../shared/bytes.ts';
import { openPublicKeys, PUBLIC_KEY_BYTES } from '../shared/release/signed.ts';
import { deriveListKeys, LIST_KEY_BYTES, type ListKeys } from '../shared/set/keys.ts';
import { CommandFailure } from './failure.ts';
import { DEV_VARS_FILE, SECRETS_FILE } from './paths.ts';

const NAMES = [
  'LIST_KEY',
  'RELEASE_SIGNING_KEY',
  'RELEASE_PUBLIC_KEYS',
  'ADMIN_TOKEN',
  'DEMO_CLIENT_KEY',
] as const;
type SecretName = (typeof NAMES)[number];
export type LocalSecrets = Record<SecretName, string>;

function readFile(): Partial<LocalSecrets> {
  if (!existsSync(SECRETS_FILE)) return {};
  try {
    return JSON.parse(readFileSync(SECRETS_FILE, 'utf8')) as Partial<LocalSecrets>;
  } catch {
    throw new CommandFailure(`${SECRETS_FILE} is damaged: bring it back, or delete it and run npm start`);
  }
}

/** @param variable name of the environment variable for error messages */
function secret(name: SecretName, variable: string = name): string {
  const value = process.env[name] ?? readFile()[name];
  if (value === undefined || value === '') {
    throw new CommandFailure(
      `${variable} is not set: put it in the environment, or run npm start once to make local secrets`,
    );
  }
  return value;
}

function bytesOf(name: SecretName, length?: number): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(secret(name));
  if (bytes === null || (length !== undefined && bytes.length !== length)) {
    throw new CommandFailure(`${name} is not ${length === undefined ? '' : `${length} bytes in `}base64`);
  }
  return bytes;
}

export async function listKeys(): Promise<ListKeys> {
  return deriveListKeys(bytesOf('LIST_KEY', LIST_KEY_BYTES));
}

/** Ed25519, PKCS #8 in base64. */
export async function signingKey(): Promise<CryptoKey> {
  const bytes = bytesOf('RELEASE_SIGNING_KEY');
  return crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', false, ['sign']).catch(() => {
    throw new CommandFailure('RELEASE_SIGNING_KEY is not an Ed25519 key (PKCS #8 in base64)');
  });
}

export async function publicKeys(): Promise<CryptoKey[]> {
  const keys = await openPublicKeys(secret('RELEASE_PUBLIC_KEYS'));
  if (keys !== null && keys.length > 0) return keys;
  throw new CommandFailure(
    `RELEASE_PUBLIC_KEYS is not Ed25519 keys of ${PUBLIC_KEY_BYTES} bytes in base64, with commas between`,
  );
}

/**
 * The token for a service: NUMGATE_TOKEN, or, if that is unset or empty, the token of the local installation.
 * The local token is never sent to another machine.
 */
export function adminToken(url: string): string {
  const token = process.env.NUMGATE_TOKEN?.trim() || null;
  if (token !== null) return token;
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname))
    return secret('ADMIN_TOKEN', 'NUMGATE_TOKEN');
  throw new CommandFailure(`NUMGATE_TOKEN is not set: it says who asks ${url}`);
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

/** The local secrets that the Worker needs. A deployed Worker gets them through `wrangler secret put`. */
export async function workerSecrets({ LIST_KEY, RELEASE_PUBLIC_KEYS, ADMIN_TOKEN }: LocalSecrets) {
  return { LIST_KEY, RELEASE_PUBLIC_KEYS, ROOT_TOKEN_SHA256: await secretDigest(ADMIN_TOKEN) };
}

/** The same secrets as the text of a variables file for `wrangler dev`. */
export async function devVars(secrets: LocalSecrets): Promise<string> {
  const variables = Object.entries(await workerSecrets(secrets));
  return variables.map(([name, value]) => `${name}="${value}"\n`).join('');
}

/** Secrets of a new installation. */
export async function newSecrets(): Promise<LocalSecrets> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const exported = async (format: 'pkcs8' | 'raw', key: CryptoKey): Promise<string> =>
    toBase64(new Uint8Array(await crypto.subtle.exportKey(format, key)));
  return {
    LIST_KEY: toBase64(crypto.getRandomValues(new Uint8Array(LIST_KEY_BYTES))),
    RELEASE_SIGNING_KEY: await exported('pkcs8', pair.privateKey),
    RELEASE_PUBLIC_KEYS: await exported('raw', pair.publicKey),
    ADMIN_TOKEN: (await newKey('root')).key,
    DEMO_CLIENT_KEY: (await newKey('demo')).key,
  };
}

/** The local secrets. Creates missing ones, for this machine only. */
export async function localSecrets(): Promise<LocalSecrets> {
  const known = readFile();
  if (NAMES.every((name) => known[name] !== undefined)) return known as LocalSecrets;
  if ((known.RELEASE_SIGNING_KEY === undefined) !== (known.RELEASE_PUBLIC_KEYS === undefined)) {
    throw new CommandFailure(
      `${SECRETS_FILE} has one key of the pair that signs releases, and not the other`,
    );
  }
  // Keep existing secrets: lists built with a lost LIST_KEY are unreadable.
  const secrets = { ...(await newSecrets()), ...known };
  mkdirSync(dirname(SECRETS_FILE), { recursive: true });
  // Written to a temporary file and renamed, so an interruption never loses existing secrets.
  writeFileSync(`${SECRETS_FILE}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${SECRETS_FILE}.new`, SECRETS_FILE);
  writeFileSync(DEV_VARS_FILE, await devVars(secrets), { mode: 0o600 });
  return secrets;
}
