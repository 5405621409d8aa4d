/**
 * Manifests that were staged with nothing but `wrangler kv key put`: the cron has them promoted, or writes
 * down why not.
 */
import type { Actor, ReleaseInfo } from '../../shared/admin.ts';
import { RELEASE_VALUES_MAX, WAITING_KEPT_MS } from '../../shared/limits.ts';
import { STAGED_PREFIX } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { parseSignedText } from '../../shared/release/signed.ts';
import { warn, warnFailed } from '../log.ts';
import type { Ledger } from './ledger.ts';
import { type Order, type Refusal, type RefusalCode, refuse } from './order.ts';
import { refused } from './promotion.ts';
import type { ReleaseChanges } from './release-changes.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';

/** Refusals that may pass by themselves. */
const PASSING: readonly RefusalCode[] = [
  'RELEASE_INCOMPLETE',
  'RELEASE_STATE',
  'BUDGET_EXCEEDED',
  'STORAGE_FULL',
];
/** What one manifest may take: its own values are read twice, those of the current release once. */
const OPERATIONS_OF_ONE_MAX = 2 + 3 * RELEASE_VALUES_MAX;
/** In the ledger's own values: the key that was looked at last. The next sweep goes on behind it. */
const LAST_KEY = 'stagedLast';
const DAY_MS = 86_400_000;

interface Stores {
  readonly changes: ReleaseChanges;
  readonly releases: ReleaseStore;
  readonly ledger: Ledger;
}

/**
 * Promote what can be, each in its turn: one that waits, or that fails, keeps back none of the others.
 * @param operationsMax KV operations it may make; at least one manifest is looked at
 * @returns how many it may have made
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

/** Keys of what is staged (the first 1,000), from behind the one that was looked at last. */
async function keysInTurn(ledger: Ledger, kv: KVNamespace): Promise<string[]> {
  const listed = await kv.list({ prefix: STAGED_PREFIX }).catch((error: unknown) => {
    warnFailed('stagedFailed', error, { key: STAGED_PREFIX });
    return { keys: [] };
  });
  const last = ledger.get(LAST_KEY) ?? '';
  const keys = listed.keys.map(({ name }) => name);
  return [...keys.filter((key) => key > last), ...keys.filter((key) => key <= last)];
}

/** @returns how many KV operations it may have made */
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
  // Values may still be on their way, and a trial ends; anything else will not become better by itself.
  if (refusal === null || !PASSING.includes(refusal.code)) await kv.delete(key);
  const next = release === null ? null : releases.get(release);
  return 2 + 2 * valuesOf(next) + valuesOf(before);
}

function valuesOf(stored: StoredRelease | null): number {
  return stored === null ? 0 : blobsOf(stored.manifest).length;
}

interface Tried {
  /** Null where the text is no manifest that can be taken in. */
  readonly release: string | null;
  /** Why it was not promoted, or null where it is current. */
  readonly refusal: Refusal | null;
}

async function promoteText(changes: ReleaseChanges, order: Order, text: string): Promise<Tried> {
  const signed = parseSignedText(text);
  if (signed === null) {
    const refusal = refused('MANIFEST_INVALID', 'the value is not a signed manifest');
    return { release: null, refusal: changes.recordRefusal(order, null, refusal, false) };
  }
  const staged = await changes.stage(order, signed);
  if (!staged.ok) return { release: null, refusal: staged };
  return { release: staged.value.release, refusal: await promoteInfo(changes, order, staged.value) };
}

async function promoteInfo(
  changes: ReleaseChanges,
  order: Order,
  { release, base, state, by, stagedAt }: ReleaseInfo,
): Promise<Refusal | null> {
  const refuseAs = (refusal: string, message: string): Refusal =>
    changes.recordRefusal(order, release, refuse('RELEASE_REFUSED', message, { refusal }), false);
  // KV may show for a while what was promoted and removed.
  if (state === 'promoted') return null;
  // Whoever can write KV could have any release again that an admin has taken back: its manifest lies there.
  if (state !== 'staged' || by !== order.actor.name) {
    return refuseAs('NOT_NEW', `it is ${state}, staged by ${by}: only what is new is promoted from here`);
  }
  if (Date.now() - Date.parse(stagedAt) > WAITING_KEPT_MS) {
    const days = WAITING_KEPT_MS / DAY_MS;
    return refuseAs(
      'WAITED_TOO_LONG',
      `it could not be promoted for ${days} days: its values are kept no longer`,
    );
  }
  const wish = { base, share: 1, overrides: [], reason: order.reason };
  const outcome = await changes.promote(order, release, wish);
  if (outcome.ok) return null;
  // Damage and guards are written down by the promotion itself.
  if (outcome.code === 'GUARD_HIT' || PASSING.includes(outcome.code)) return outcome;
  return changes.recordRefusal(order, release, outcome, false);
}
