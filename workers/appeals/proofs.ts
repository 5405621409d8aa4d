/**
 * Proofs that an appellant is not a robot, where APPEAL_PROOF requires them: a proof of work in the format of ALTCHA, or
 * Cloudflare Turnstile. A challenge contains its own signature, so the service stores only which challenges were used.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { createChallenge, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2';
import type { Challenge, Payload } from 'altcha-lib/types';
import { APPEAL_PROOFS, type AppealProof } from '../../shared/appeals/appeal.ts';
import { fromBase64, toHex, utf8 } from '../../shared/bytes.ts';
import { fieldError } from '../../shared/fields.ts';
import {
  APPEAL_CHALLENGE_SECONDS,
  APPEAL_WORK_ITERATIONS,
  APPEAL_WORK_PREFIX,
  TURNSTILE_WAIT_MS,
} from '../../shared/limits/appeals.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warn, warnFailed } from '../log.ts';

/** https://developers.cloudflare.com/turnstile/get-started/server-side-validation/ */
const TURNSTILE_URL = 'https://challenges.cloudflare.com/turnstile/v0/siteverify';

interface ProofSettings {
  readonly kind: AppealProof;
  /** The secret of Turnstile. */
  readonly secret: string;
}

export function proofSettings({
  APPEAL_PROOF: text = '',
  TURNSTILE_SECRET: secret = '',
}: Partial<ControlEnv>): Result<ProofSettings, Problem> {
  const kind = APPEAL_PROOFS.find((each) => each === (text === '' ? 'off' : text));
  if (kind === undefined)
    return problem('NOT_CONFIGURED', `APPEAL_PROOF must be one of ${APPEAL_PROOFS.join(', ')}`);
  if (kind !== 'turnstile' || secret !== '') return ok({ kind, secret });
  const remedy = 'set it with wrangler secret put TURNSTILE_SECRET';
  return problem('NOT_CONFIGURED', `TURNSTILE_SECRET is not set, and APPEAL_PROOF needs it: ${remedy}`);
}

/** A challenge that must be solved within APPEAL_CHALLENGE_SECONDS. */
export function newChallenge({ writer }: KeyRing, now: number): Promise<Challenge> {
  return createChallenge({
    ...{
      algorithm: 'PBKDF2/SHA-256',
      cost: APPEAL_WORK_ITERATIONS,
      keyPrefix: APPEAL_WORK_PREFIX,
      deriveKey,
    },
    expiresAt: Math.floor(now / 1000) + APPEAL_CHALLENGE_SECONDS,
    hmacSignatureSecret: secretOf(writer),
  });
}

/**
 * Verifies the proof of an appeal.
 * @returns the identifier to store, so that nobody uses the proof twice; null if nothing needs to be stored
 */
export async function verifyProof(
  proof: string | undefined,
  settings: ProofSettings,
  ring: KeyRing,
): Promise<Result<string | null, Problem>> {
  if (settings.kind === 'off') return ok(null);
  if (proof === undefined) {
    const remedy =
      settings.kind === 'work' ? 'solve a challenge from /v1/appeals/challenge' : 'send the Turnstile token';
    return fieldError('FIELD_MISSING', 'proof', `is missing: ${remedy}`);
  }
  return settings.kind === 'work' ? verifyWork(proof, ring) : verifyTurnstile(proof, settings.secret);
}

async function verifyWork(proof: string, ring: KeyRing): Promise<Result<string, Problem>> {
  const payload = payloadOf(proof);
  for (const keys of payload === null ? [] : ring.all) {
    const { challenge, solution } = payload!;
    const verified = await verifySolution({
      ...{ challenge, solution, deriveKey, hmacSignatureSecret: secretOf(keys) },
    }).catch(() => null);
    if (verified?.verified === true) return ok(challenge.signature!);
  }
  return fieldError('FIELD_VALUE', 'proof', 'is wrong or has expired: solve a new challenge');
}

/** Parses the solved challenge that ALTCHA's widget sends. Null if it is malformed. */
function payloadOf(proof: string): Payload | null {
  const bytes = fromBase64(proof);
  try {
    const payload = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array())) as Partial<Payload>;
    return typeof payload.challenge?.parameters === 'object' ? (payload as Payload) : null;
  } catch {
    return null;
  }
}

/** Stores nothing, because Turnstile accepts each token only once. */
async function verifyTurnstile(token: string, secret: string): Promise<Result<null, Problem>> {
  try {
    const response = await fetch(TURNSTILE_URL, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret, response: token }),
      signal: AbortSignal.timeout(TURNSTILE_WAIT_MS),
    });
    const answer = (await response.json()) as { success?: boolean; 'error-codes'?: string[] };
    if (answer.success === true) return ok(null);
    const errors = answer['error-codes'] ?? [];
    if (errors.some((error) => error.includes('secret'))) {
      warn('turnstileRefused', { code: errors.join(' ') });
      return problem('NOT_CONFIGURED', 'Turnstile refuses TURNSTILE_SECRET: set the secret of the widget');
    }
    if (!errors.includes('internal-error'))
      return fieldError('FIELD_VALUE', 'proof', 'is wrong, or was already used: get a new Turnstile token');
  } catch (error) {
    warnFailed('turnstileFailed', error);
  }
  return problem('UNAVAILABLE', 'the proof cannot be verified now: send the appeal again');
}

/** The secret that signs challenges, and nothing else. */
function secretOf({ appealKey }: ListKeys): string {
  return toHex(hmac(sha256, appealKey, utf8('challenge')));
}
