/**
 * The secrets of a list admin: from the environment, else from the file that `npm start` made.
 * In production they come from the environment; the Worker gets its share by `wrangler secret put`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromBase64, toBase64 } from '../shared/bytes.ts';
import { deriveListKeys, LIST_KEY_BYTES, type ListKeys } from '../shared/set/keys.ts';
import { CommandFailure } from './failure.ts';
import { DEV_VARS_FILE, SECRETS_FILE } from './paths.ts';

const NAMES = ['LIST_KEY', 'RELEASE_SIGNING_KEY', 'RELEASE_PUBLIC_KEYS', 'DEMO_CLIENT_KEY'] as const;
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

function secret(name: SecretName): string {
  const value = process.env[name] ?? readFile()[name];
  if (value === undefined || value === '') {
    throw new CommandFailure(
      `${name} is not set: put it in the environment, or run npm start once to make local secrets`,
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

/** An Ed25519 public key, in bytes (RFC 8032). */
const PUBLIC_KEY_BYTES = 32;

export async function publicKeys(): Promise<CryptoKey[]> {
  const raws = secret('RELEASE_PUBLIC_KEYS')
    .split(',')
    .map((text) => fromBase64(text.trim()));
  return Promise.all(
    raws.map((raw) => {
      if (raw?.length !== PUBLIC_KEY_BYTES) {
        throw new CommandFailure(
          `RELEASE_PUBLIC_KEYS is not Ed25519 keys of ${PUBLIC_KEY_BYTES} bytes in base64, with commas between`,
        );
      }
      return crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
    }),
  );
}

/** A new client key: what the client gets, and what is stored. */
export async function newClientKey(id: string): Promise<{ key: string; secretSha256: string }> {
  const secretText = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secretText));
  return { key: `${id}.${secretText}`, secretSha256: Buffer.from(digest).toString('hex') };
}

/** The local secrets; made, for this machine only, where there are none. */
export async function localSecrets(): Promise<LocalSecrets> {
  const known = readFile();
  if (NAMES.every((name) => known[name] !== undefined)) return known as LocalSecrets;
  // What is there is kept: lists built with a lost LIST_KEY can be read by nobody.
  const hasPair = known.RELEASE_SIGNING_KEY !== undefined && known.RELEASE_PUBLIC_KEYS !== undefined;
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const exported = async (format: 'pkcs8' | 'raw', key: CryptoKey): Promise<string> =>
    toBase64(new Uint8Array(await crypto.subtle.exportKey(format, key)));
  const secrets: LocalSecrets = {
    LIST_KEY: toBase64(crypto.getRandomValues(new Uint8Array(LIST_KEY_BYTES))),
    RELEASE_SIGNING_KEY: await exported('pkcs8', pair.privateKey),
    RELEASE_PUBLIC_KEYS: await exported('raw', pair.publicKey),
    DEMO_CLIENT_KEY: (await newClientKey('demo')).key,
    ...known,
  };
  if (!hasPair && (known.RELEASE_SIGNING_KEY ?? known.RELEASE_PUBLIC_KEYS) !== undefined) {
    throw new CommandFailure(
      `${SECRETS_FILE} has one key of the pair that signs releases, and not the other`,
    );
  }
  mkdirSync(dirname(SECRETS_FILE), { recursive: true });
  writeFileSync(SECRETS_FILE, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  const worker = ['LIST_KEY', 'RELEASE_PUBLIC_KEYS'] as const;
  writeFileSync(DEV_VARS_FILE, worker.map((name) => `${name}="${secrets[name]}"\n`).join(''), {
    mode: 0o600,
  });
  return secrets;
}
