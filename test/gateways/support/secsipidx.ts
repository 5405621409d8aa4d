/** secsipidx, a third-party signer and verifier of PASSporTs (Debian: secsipidx). */
import { spawnSync } from 'node:child_process';
import { HANG_MS } from '../../shared/support/hang.ts';

export const isSecsipidxInstalled =
  spawnSync('secsipidx', ['-version'], { stdio: 'ignore' }).error === undefined;

function run(...args: string[]): { readonly status: number | null; readonly stdout: string } {
  return spawnSync('secsipidx', args, { encoding: 'utf8', timeout: HANG_MS });
}

export interface SignedCall {
  readonly from: string;
  readonly to: string;
  readonly attest: string;
  readonly x5u: string;
}

/** @param key path of a private key in PEM @returns the value of a SIP `Identity` header */
export function signWithSecsipidx({ from, to, attest, x5u }: SignedCall, key: string): string {
  const { status, stdout } = run(
    ...['-sign-full', '-orig-tn', from, '-dest-tn', to, '-attest', attest, '-x5u', x5u, '-k', key],
  );
  if (status !== 0) throw new Error('secsipidx does not sign');
  return stdout.trim();
}

/** @param key path of a public key in PEM */
export function isAcceptedBySecsipidx(identity: string, key: string): boolean {
  return run('-check', '-identity', identity, '-fpubkey', key, '-expire', '60').status === 0;
}
