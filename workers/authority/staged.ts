/**
 * Manifests that were staged with nothing but `wrangler kv key put`: the cron has them promoted, or writes
 * down why not.
 */
import type { Actor, AdminProblemCode } from '../../shared/admin.ts';
import { STAGED_PREFIX } from '../../shared/release/kv-keys.ts';
import { parseSignedText } from '../../shared/release/signed.ts';
import { warn } from '../log.ts';
import { type Order, type Refusal, refuse } from './ledger.ts';
import { refused } from './promotion.ts';
import type { ReleaseChanges } from './release-changes.ts';

/** Refusals that may pass by themselves. */
const PASSING: readonly AdminProblemCode[] = ['RELEASE_INCOMPLETE', 'RELEASE_STATE'];
/** Manifests looked at in one sweep. */
const STAGED_AT_ONCE = 5;

export async function promoteStaged(changes: ReleaseChanges, actor: Actor, kv: KVNamespace): Promise<void> {
  const { keys } = await kv.list({ prefix: STAGED_PREFIX, limit: STAGED_AT_ONCE });
  for (const { name } of keys) {
    const text = await kv.get(name);
    if (text === null) continue;
    const outcome = await promoteText(changes, { actor, reason: `staged as ${name}`, repeat: null }, text);
    if (outcome !== null) warn('stagedRefused', { key: name, code: outcome.extras?.refusal ?? outcome.code });
    // Values may still be on their way, and a trial ends; anything else will not become better by itself.
    if (outcome === null || !PASSING.includes(outcome.code)) await kv.delete(name);
  }
}

/** @returns why it was not promoted, or null where it is current */
async function promoteText(changes: ReleaseChanges, order: Order, text: string): Promise<Refusal | null> {
  const signed = parseSignedText(text);
  if (signed === null) {
    const refusal = refused('MANIFEST_INVALID', 'the value is not a signed manifest');
    return changes.recordRefusal(order, null, refusal, false);
  }
  const staged = await changes.stage(order, signed);
  if (!staged.ok) return staged;
  const { release, base, state, by } = staged.value;
  // KV may show for a while what was promoted and removed.
  if (state === 'promoted') return null;
  // Whoever can write KV could have any release again that an admin has taken back: its manifest lies there.
  if (state !== 'staged' || by !== order.actor.name) {
    const message = `it is ${state}, staged by ${by}: only what is new is promoted from here`;
    return changes.recordRefusal(
      order,
      release,
      refuse('RELEASE_REFUSED', message, { refusal: 'NOT_NEW' }),
      false,
    );
  }
  const outcome = await changes.promote(order, release, {
    base,
    share: 1,
    overrides: [],
    reason: order.reason,
  });
  if (outcome.ok) return null;
  // Damage and guards are written down by the promotion itself.
  const written = outcome.code === 'GUARD_HIT' || PASSING.includes(outcome.code);
  if (!written) return changes.recordRefusal(order, release, outcome, false);
  return outcome;
}
