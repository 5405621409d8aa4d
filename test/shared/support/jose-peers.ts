/** Third-party software that signs and verifies compact JWS, as Debian and Ubuntu package it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JWK } from 'jose';
import { HANG_MS } from './hang.ts';

export interface JosePeer {
  /** Name of the package. */
  readonly name: string;
  readonly isInstalled: boolean;
  readonly algorithms: readonly ('ES256' | 'EdDSA')[];
  /** @returns a private key */
  generate(alg: 'ES256' | 'EdDSA'): JWK;
  /** @returns a compact JWS */
  sign(key: JWK, header: object, claims: object): string;
  /** @returns the claims; null if the software refuses the token */
  verify(key: JWK, alg: 'ES256' | 'EdDSA', token: string): object | null;
}

/** Absolute, because the first `python3` of the path may be one without the packages of the system. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('jwcrypto_peer.py', import.meta.url));
const KINDS = { ES256: { kty: 'EC', crv: 'P-256' }, EdDSA: { kty: 'OKP', crv: 'Ed25519' } } as const;

function run(command: string, args: readonly string[], input: string) {
  const ran = spawnSync(command, args, { input, encoding: 'utf8', timeout: HANG_MS });
  if (ran.error !== undefined) throw ran.error;
  return ran;
}

function runJwcrypto<Value>(job: object): Value | { readonly error: string } {
  const { stdout, stderr } = run(PYTHON, [SCRIPT], JSON.stringify([job]));
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as [Value])[0];
}

function mustBe<Value>(result: Value | { readonly error: string }): Value {
  if (typeof result === 'object' && result !== null && 'error' in result) throw new Error(result.error);
  return result as Value;
}

const jwcrypto: JosePeer = {
  name: 'python3-jwcrypto',
  isInstalled:
    existsSync(PYTHON) && spawnSync(PYTHON, ['-c', 'import jwcrypto'], { stdio: 'ignore' }).status === 0,
  algorithms: ['ES256', 'EdDSA'],
  generate: (alg) => mustBe(runJwcrypto<JWK>({ job: 'generate', kind: KINDS[alg] })),
  sign: (key, header, claims) =>
    mustBe(runJwcrypto<string>({ job: 'sign', key, header, payload: JSON.stringify(claims) })),
  verify: (key, alg, token) => {
    const payload = runJwcrypto<string>({ job: 'verify', key, alg, token });
    return typeof payload === 'string' ? (JSON.parse(payload) as object) : null;
  },
};

/** Runs with a file, because `jose` reads keys from files or standard input, and only one input can use the latter. */
function withFile<Value>(text: string, work: (path: string) => Value): Value {
  const folder = mkdtempSync(join(tmpdir(), 'numgate-jose-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, text, { mode: 0o600 });
    return work(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const jose: JosePeer = {
  name: 'jose',
  isInstalled: spawnSync('jose', ['alg'], { stdio: 'ignore' }).error === undefined,
  // jose does not support EdDSA.
  algorithms: ['ES256'],
  generate: (alg) => JSON.parse(run('jose', ['jwk', 'gen', '-i', JSON.stringify({ alg })], '').stdout) as JWK,
  sign: (key, header, claims) => {
    const args = ['jws', 'sig', '-I-', '-s', JSON.stringify({ protected: header }), '-c', '-o-'];
    return withFile(JSON.stringify(key), (path) => {
      const { stdout, stderr } = run('jose', [...args, '-k', path], JSON.stringify(claims));
      if (stdout === '') throw new Error(stderr);
      return stdout.trim();
    });
  },
  verify: (key, _alg, token) =>
    withFile(JSON.stringify(key), (path) => {
      const { status, stdout } = run('jose', ['jws', 'ver', '-i-', '-k', path, '-O-'], token);
      return status === 0 ? (JSON.parse(stdout) as object) : null;
    }),
};

export const JOSE_PEERS: readonly JosePeer[] = [jwcrypto, jose];
