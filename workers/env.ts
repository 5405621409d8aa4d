/**
 * What the runtime gives, checked once an isolate and turned into what the Worker uses.
 * A missing secret is told by name, with the command that sets it.
 */
import { fromBase64 } from '../shared/bytes.ts';
import { openPublicKeys, PUBLIC_KEY_BYTES } from '../shared/release/signed.ts';
import { fail, ok, type Result } from '../shared/result.ts';
import { deriveListKeys, LIST_KEY_BYTES, type ListKeys } from '../shared/set/keys.ts';
import type { HeadSource } from './authority/edge-port.ts';

/** Bindings of wrangler.toml, and secrets. */
export interface Env {
  readonly LISTS: KVNamespace;
  readonly QUOTA: RateLimit;
  /** Class Authority: the edge sees of it what it may ask; admin/admin-call.ts knows the rest. */
  readonly AUTHORITY: { getByName(name: string): HeadSource };
  /** 32 random bytes in base64; the same that the releases are built with. */
  readonly LIST_KEY: string;
  /** Ed25519 public keys (raw, base64) that may sign a manifest: two, comma between, while one is replaced. */
  readonly RELEASE_PUBLIC_KEYS: string;
}

/** Of the control plane, and of the suite as one Worker. */
export interface ControlEnv extends Env {
  /** SHA-256 (hex) of the secret of the token `root`: two, comma between, while one is replaced. */
  readonly ROOT_TOKEN_SHA256: string;
  /** `https://<team>.cloudflareaccess.com`, where Cloudflare Access stands in front; else not set. */
  readonly ACCESS_TEAM?: string;
  /** The audience tag of the Access application. */
  readonly ACCESS_AUDIENCE?: string;
  /** Scopes of who comes through Access, with commas between; `read` where it is not set. */
  readonly ACCESS_SCOPES?: string;
}

/** The runtime promises nothing about secrets: any may be absent. */
type UncheckedEnv = { [Name in keyof Env]?: Env[Name] | undefined };

/** What secrets are turned into. */
export interface Secrets {
  readonly keys: ListKeys;
  readonly publicKeys: readonly CryptoKey[];
}

export type EnvProblem = 'NOT_CONFIGURED';

export async function openSecrets(env: UncheckedEnv): Promise<Result<Secrets, EnvProblem>> {
  const listKey = fromBase64(env.LIST_KEY ?? '');
  if (listKey === null || listKey.length !== LIST_KEY_BYTES) {
    return fail(
      'NOT_CONFIGURED',
      `LIST_KEY must be ${LIST_KEY_BYTES} bytes in base64: wrangler secret put LIST_KEY`,
    );
  }
  const publicKeys = await openPublicKeys(env.RELEASE_PUBLIC_KEYS ?? '');
  if (publicKeys === null) {
    const form = `Ed25519 public keys of ${PUBLIC_KEY_BYTES} bytes in base64`;
    return fail('NOT_CONFIGURED', `RELEASE_PUBLIC_KEYS must be ${form}`);
  }
  if (publicKeys.length === 0) {
    return fail('NOT_CONFIGURED', 'RELEASE_PUBLIC_KEYS is not set: wrangler secret put RELEASE_PUBLIC_KEYS');
  }
  return ok({ keys: await deriveListKeys(listKey), publicKeys });
}
