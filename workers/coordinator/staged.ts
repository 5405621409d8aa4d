/**
 * Promotes releases whose manifests were staged with `wrangler kv key put` alone, or records why not. Called
 * by the cron.
 */
import type { Actor, ReleaseInfo } from '../../shared/admin.ts';
import { RELEASE_VALUES_MAX, WAITING_KEPT_MS } from '../../shared/limits.ts';
import { STAGED_PREFIX } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { parseSignedText } from '../../shared/release/signed.ts';
import { warn, warnFailed } from '../log.ts';
import { type ChangeRequest, type Refusal, type RefusalCode, refuse } from './change-request.ts';
import type { Ledger } from './ledger.ts';
import { refused } from './promotion.ts';
import type { ReleaseChanges } from './release-changes.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';

/** Refusals that may resolve without any action. */
const PASSING: readonly RefusalCode[] = [
  'RELEASE_INCOMPLETE',
  'RELEASE_STATE',
  'BUDGET_EXCEEDED',
  'STORAGE_FULL',
];
/**
 * Maximum KV operations for one manifest: its own values are read twice, those of the current release once.
 */
const OPERATIONS_OF_ONE_MAX = 2 + 3 * RELEASE_VALUES_MAX;
/** Ledger key of the last manifest examined. The next sweep continues after it. */
const LAST_KEY = 'stagedLast';
const DAY_MS = 86_400_000;

interface Stores {
  readonly changes: ReleaseChanges;
  readonly releases: ReleaseStore;
  readonly ledger: Ledger;
}

/**
 * Promotes every manifest that can be promoted, in turn. One that waits or fails does not hold up the others.
 * @param operationsMax KV operations it may use; at least one manifest is examined
 * @returns the maximum number of KV operations it used
 */
export async function promoteStaged(
  stores: Stores,
  actor: Actor,
  kv: KVNamespace,
  operationsMax: number,
): Promise<number> {
  let operations = 1;
  for (const key of await keysInTurn(stores.ledger, kv)) {
    if (operations > 1 && operations + OPERATIONS_OF_ONE_MAX > operationsMax) break;
    stores.ledger.set(LAST_KEY, key);
    try {
      operations += await promoteKey(stores, actor, kv, key);
    } catch (error) {
      warnFailed('stagedFailed', error, { key });
      operations += OPERATIONS_OF_ONE_MAX;
    }
  }
  return operations;
}

/** Keys of staged manifests (the first 1,000), starting after the last one examined. */
async function keysInTurn(ledger: Ledger, kv: KVNamespace): Promise<string[]> {
  const listed = await kv.list({ prefix: STAGED_PREFIX }).catch((error: unknown) => {
    warnFailed('stagedFailed', error, { key: STAGED_PREFIX });
    return { keys: [] };
  });
  const last = ledger.get(LAST_KEY) ?? '';
  const keys = listed.keys.map(({ name }) => name);
  return [...keys.filter((key) => key > last), ...keys.filter((key) => key <= last)];
}

/** @returns the maximum number of KV operations it used */
async function promoteKey(
  { changes, releases }: Stores,
  actor: Actor,
  kv: KVNamespace,
  key: string,
): Promise<number> {
  const text = await kv.get(key);
  if (text === null) return 1;
  const before = releases.current;
  const { release, refusal } = await promoteText(
    changes,
    { actor, reason: `staged as ${key}`, repeat: null },
    text,
  );
  if (refusal !== null) warn('stagedRefused', { key, code: refusal.extras?.refusal ?? refusal.code });
  // Values may still be arriving, or a canary may finish. Any other refusal is permanent.
  if (refusal === null || !PASSING.includes(refusal.code)) await kv.delete(key);
  const next = release === null ? null : releases.get(release);
  return 2 + 2 * valuesOf(next) + valuesOf(before);
}

function valuesOf(stored: StoredRelease | null): number {
  return stored === null ? 0 : blobsOf(stored.manifest).length;
}

interface Tried {
  /** Null if the text is not a valid manifest. */
  readonly release: string | null;
  /** Why it was not promoted; null if it is current. */
  readonly refusal: Refusal | null;
}

async function promoteText(changes: ReleaseChanges, request: ChangeRequest, text: string): Promise<Tried> {
  const signed = parseSignedText(text);
  if (signed === null) {
    const refusal = refused('MANIFEST_INVALID', 'the value is not a signed manifest');
    return { release: null, refusal: changes.recordRefusal(request, null, refusal, false) };
  }
  const staged = await changes.stage(request, signed);
  if (!staged.ok) return { release: null, refusal: staged };
  return { release: staged.value.release, refusal: await promoteInfo(changes, request, staged.value) };
}

async function promoteInfo(
  changes: ReleaseChanges,
  request: ChangeRequest,
  { release, base, state, by, stagedAt }: ReleaseInfo,
): Promise<Refusal | null> {
  const refuseAs = (refusal: string, message: string): Refusal =>
    changes.recordRefusal(request, release, refuse('RELEASE_REFUSED', message, { refusal }), false);
  // KV may still return a manifest that was already promoted and removed.
  if (state === 'promoted') return null;
  // Otherwise, anyone who can write KV could re-promote a release that an admin withdrew: its manifest is in
  // KV.
  if (state !== 'staged' || by !== request.actor.name) {
    return refuseAs('NOT_NEW', `it is ${state}, staged by ${by}: only what is new is promoted from here`);
  }
  if (Date.now() - Date.parse(stagedAt) > WAITING_KEPT_MS) {
    const days = WAITING_KEPT_MS / DAY_MS;
    return refuseAs(
      'WAITED_TOO_LONG',
      `it could not be promoted for ${days} days: its values are kept no longer`,
    );
  }
  const options = { base, share: 1, overrides: [], reason: request.reason };
  const result = await changes.promote(request, release, options);
  if (result.ok) return null;
  // `promote` itself records damage and guard hits.
  if (result.code === 'GUARD_HIT' || PASSING.includes(result.code)) return result;
  return changes.recordRefusal(request, release, result, false);
}
