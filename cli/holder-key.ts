/**
 * Keys of holders and agents, one private JWK per file, and their signatures. A private key is only ever in a file that only
 * its owner may read. It is never in an option, and never printed.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { CommandFailure, describeFileError } from './failure.ts';

export const HOLDER_ALGORITHMS = ['ES256', 'EdDSA'] as const;
export type HolderAlgorithm = (typeof HOLDER_ALGORITHMS)[number];

/** Permissions of group and others. */
const SHARED = 0o077;

export interface HolderKey {
  readonly alg: HolderAlgorithm;
  /** Thumbprint by RFC 7638: `jkt` of a certificate or delegation, and `kid` of everything that the key signs. */
  readonly thumbprint: string;
  /** The public key, in the form that certificates and delegations need. */
  readonly publicKey: JWK;
  /** @returns a compact JWS */
  sign(typ: string, claims: JWTPayload): Promise<string>;
}

/** Makes a key in a new file. @throws CommandFailure if the file exists */
export async function createHolderKey(path: string, alg: HolderAlgorithm): Promise<HolderKey> {
  const options = { extractable: true, ...(alg === 'EdDSA' ? { crv: 'Ed25519' } : {}) };
  const made = await exportJWK((await generateKeyPair(alg, options)).privateKey);
  const jwk = { ...made, alg, kid: await calculateJwkThumbprint(made) };
  try {
    writeFileSync(path, `${JSON.stringify(jwk)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new CommandFailure(`${path}: the folder does not exist`);
    if (code !== 'EEXIST') throw fileFailure(path, error);
    throw new CommandFailure(`${path} already exists, and a key is never replaced: name another file`);
  }
  return keyOf(jwk, path);
}

/** @throws CommandFailure that names the file, never its content */
export async function readHolderKey(path: string): Promise<HolderKey> {
  const { jwk, isShared } = jwkIn(path);
  // A file without a private key needs no chmod, so parse it first.
  const key = await keyOf(jwk, path);
  if (isShared) throw new CommandFailure(`${path} must be readable by you alone: chmod 600 ${path}`);
  return key;
}

function jwkIn(path: string): { readonly jwk: JWK; readonly isShared: boolean } {
  let text: string;
  let isShared: boolean;
  try {
    text = readFileSync(path, 'utf8');
    isShared = (statSync(path).mode & SHARED) !== 0;
  } catch (error) {
    throw fileFailure(path, error);
  }
  try {
    return { jwk: JSON.parse(text) as JWK, isShared };
  } catch {
    throw notAKey(path);
  }
}

async function keyOf(jwk: JWK, path: string): Promise<HolderKey> {
  const { d, key_ops: _, ...rest } = jwk ?? {};
  const alg = algorithmOf(rest);
  if (alg !== null && d === undefined)
    throw new CommandFailure(
      `${path} has only a public key; the private key is in the file that holder-keys new made`,
    );
  if (alg === null || d === undefined) throw notAKey(path);
  const key = await importJWK(jwk, alg).catch(() => {
    throw notAKey(path);
  });
  const { kty, crv, x, y } = rest;
  const publicKey = { kty: kty!, crv: crv!, x: x!, ...(y === undefined ? {} : { y }) };
  const thumbprint = await calculateJwkThumbprint(publicKey);
  return {
    ...{ alg, thumbprint, publicKey },
    sign: (typ, claims) => new SignJWT(claims).setProtectedHeader({ alg, typ, kid: thumbprint }).sign(key),
  };
}

function algorithmOf({ kty, crv }: JWK): HolderAlgorithm | null {
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  return kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : null;
}

function notAKey(path: string): CommandFailure {
  const message = `${path} has no private key for ES256 or EdDSA as JSON (JWK): make one with holder-keys new`;
  return new CommandFailure(message);
}

/** Reads a compact JWS from a file, without white space around it. */
export function readJws(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw fileFailure(path, error);
  }
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return text;
  throw new CommandFailure(`${path} must have one compact JWS: three parts of base64url, separated by dots`);
}

/** The digest that names a certificate or delegation in a chain. */
export function jwsDigest(jws: string): string {
  return createHash('sha256').update(jws, 'ascii').digest('base64url');
}

function fileFailure(path: string, error: unknown): CommandFailure {
  return new CommandFailure(`${path}: ${describeFileError(error)}`);
}
