/**
 * The secrets of a local installation: `npm start` creates those that are missing. A deployed Worker receives
 * its share through `wrangler secret put`.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { toBase64 } from '../../shared/bytes.ts';
import { LIST_KEY_BYTES } from '../../shared/set/keys.ts';
import { SHARING_KEY_BYTES } from '../../shared/sharing-keys.ts';
import { newSignerKey } from '../../shared/signed-note.ts';
import { TEXT_KEY_BYTES } from '../../shared/text/fingerprint.ts';
import { CommandFailure } from '../failure.ts';
import { DEV_VARS_FILE, SECRETS_FILE } from '../paths.ts';
import { makePrivate, privateTree } from '../private-files.ts';
import { type LocalSecrets, newKey, readSecretsFile, SECRET_NAMES, secretDigest } from '../secrets.ts';

/** The local secrets that the Worker needs. A deployed Worker gets them through `wrangler secret put`. */
export async function workerSecrets(secrets: LocalSecrets) {
  const {
    LIST_KEY,
    RELEASE_PUBLIC_KEYS,
    CHECKPOINT_KEY,
    CREDENTIAL_KEY,
    SHARING_KEY,
    TEXT_KEY,
    ADMIN_TOKEN,
  } = secrets;
  const ROOT_TOKEN_SHA256 = await secretDigest(ADMIN_TOKEN);
  return {
    ...{ LIST_KEY, RELEASE_PUBLIC_KEYS, CHECKPOINT_KEY, CREDENTIAL_KEY, SHARING_KEY, TEXT_KEY },
    ROOT_TOKEN_SHA256,
  };
}

/** The same secrets as the text of a variables file for `wrangler dev`. */
export async function devVars(secrets: LocalSecrets): Promise<string> {
  const variables = Object.entries(await workerSecrets(secrets));
  // A key as JSON has double quotes, and no value has single quotes.
  return variables.map(([name, value]) => `${name}='${value}'\n`).join('');
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
    // Each installation has its own name for the log.
    CHECKPOINT_KEY: (await newSignerKey(`numgate.local/${crypto.randomUUID()}`))!,
    CREDENTIAL_KEY: await newCredentialKey(),
    SHARING_KEY: toBase64(crypto.getRandomValues(new Uint8Array(SHARING_KEY_BYTES))),
    TEXT_KEY: toBase64(crypto.getRandomValues(new Uint8Array(TEXT_KEY_BYTES))),
    ADMIN_TOKEN: (await newKey('root')).key,
    DEMO_CLIENT_KEY: (await newKey('demo')).key,
    DEMO_PARTNER_KEY: (await newKey('demo-partner')).key,
    DEMO_FEED_KEY: (await newKey('demo-feed')).key,
  };
}

/** A private JWK for ES256, named by its thumbprint. */
async function newCredentialKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({ ...jwk, alg: 'ES256', kid: await calculateJwkThumbprint(jwk) });
}

/** The local secrets. Creates missing ones, for this machine only. */
export async function localSecrets(): Promise<LocalSecrets> {
  privateTree(dirname(SECRETS_FILE));
  makePrivate(DEV_VARS_FILE);
  const known = readSecretsFile();
  if (SECRET_NAMES.every((name) => known[name] !== undefined)) return known as LocalSecrets;
  if ((known.RELEASE_SIGNING_KEY === undefined) !== (known.RELEASE_PUBLIC_KEYS === undefined)) {
    throw new CommandFailure(
      `${SECRETS_FILE} has only one key of the pair that signs releases: restore the other`,
    );
  }
  // Keep existing secrets: lists built with a lost LIST_KEY are unreadable.
  const secrets = { ...(await newSecrets()), ...known };
  await write(secrets);
  return secrets;
}

/** Changes LIST_KEY. A running `npm start` takes it up. */
export async function replaceListKey(listKey: string): Promise<void> {
  await write({ ...(await localSecrets()), LIST_KEY: listKey });
}

async function write(secrets: LocalSecrets): Promise<void> {
  // Written to a temporary file and renamed, so an interruption never loses existing secrets.
  writeFileSync(`${SECRETS_FILE}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${SECRETS_FILE}.new`, SECRETS_FILE);
  writeFileSync(DEV_VARS_FILE, await devVars(secrets), { mode: 0o600 });
}
