/**
 * The checks that a release must pass before it becomes current. Every value is read from KV and verified
 * against the signed manifest, and the changes are checked against the guards. No release is held in memory
 * as a whole.
 */
import type { Promote } from '../../shared/admin/releases.ts';
import { MISSING_NAMED_MAX, READS_AT_ONCE } from '../../shared/limits/edge.ts';
import { ReleaseCheck } from '../../shared/release/check.ts';
import { checkFold, checkRegistrations } from '../../shared/release/fold.ts';
import { type GuardSettings, remainingGuards } from '../../shared/release/guard-settings.ts';
import { type Blob, blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import { createPlan, type Plan } from '../../shared/release/plan.ts';
import { ok } from '../../shared/result.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { readFresh } from '../storage/kv-values.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { type ChangeResult, type CheckResult, type Refusal, refuse } from './change-request.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';
import type { Tables } from './tables.ts';

/** Whether the release can be promoted now. */
export function checkPromotable(
  stored: StoredRelease,
  { base, share }: Promote,
  { meta, ledger, live, releases, registeredSenders }: Tables,
): CheckResult {
  const { release, state, refusal } = stored;
  const { foldedSeq } = stored.manifest;
  const current = releases.current?.release ?? null;
  if (current !== base) return baseMoved(releases, base, current);
  if (state === 'refused') return refused(refusal?.code ?? 'REFUSED', refusal?.message ?? 'it was refused');
  if (state === 'promoted') return refuse('RELEASE_STATE', `${release} is already current`);
  const { candidate } = releases;
  if (candidate !== null && candidate.release !== release) {
    const message = `${candidate.release} is the canary: promote it to all, or roll it back first`;
    return refuse('RELEASE_STATE', message);
  }
  if (share < 1 && current === null) {
    return refuse('RELEASE_STATE', 'the first release cannot be a canary: promote it to all');
  }
  const fold = checkFold(foldedSeq, meta.number('droppedSeq'), ledger.seq);
  if (!fold.ok) return refused(fold.code, fold.message);
  const { droppedVersion, version } = registeredSenders;
  const contained = stored.manifest.registrations?.version ?? 0;
  const registered = checkRegistrations(contained, droppedVersion, version);
  if (!registered.ok) return refused(registered.code, registered.message);
  if (!live.undo.isUndoneIn(foldedSeq)) return fold;
  return refused('FOLD_UNDONE', 'it contains live changes that were undone after it was built: build again');
}

/** Time before a retry. Uploaded values become visible within a few such intervals. */
const RETRY_SECONDS = 5;

/** @param missing keys of the values that are not in KV */
export function incomplete(message: string, missing: readonly string[]): Refusal {
  return refuse('RELEASE_INCOMPLETE', message, {
    extras: { missing: missing.slice(0, MISSING_NAMED_MAX) },
    retryAfterSeconds: RETRY_SECONDS,
  });
}

export function refused(code: string, message: string): Refusal {
  return refuse('RELEASE_REFUSED', `${code}: ${message}`, { extras: { refusal: code } });
}

/** Whether a promotion names the current plan of its release, and overrides every guard that the plan hits. */
export function checkPlan(plan: Plan, { plan: hash, overrides }: Promote): CheckResult {
  if (hash !== undefined && hash !== plan.hash) return planMoved(plan.hash);
  const guards = remainingGuards(plan, overrides);
  if (guards.length === 0) return ok(undefined);
  const names = [...new Set(guards.map(({ guard }) => guard))].join(', ');
  return refuse('GUARD_HIT', `the plan hits these guards: ${names}`, { extras: { guards, plan: plan.hash } });
}

/**
 * Verifies releases and computes plans. A plan takes up to 25 s of work, so concurrent requests for the same
 * plan share one run.
 */
export class Planner {
  readonly #keys: KeyRing;
  readonly #kv: KVNamespace;
  readonly #runs = new SharedWork<ChangeResult<Plan>>();
  #last: { readonly name: string; readonly hash: string } | null = null;

  constructor(keys: KeyRing, kv: KVNamespace) {
    this.#keys = keys;
    this.#kv = kv;
  }

  /**
   * Verifies that every value is in KV and matches the signed manifest.
   * @param isRemoved whether a value was removed so recently that KV may still return it
   */
  async verify(manifest: Manifest, isRemoved: (key: string) => boolean): Promise<CheckResult> {
    const keys = this.#keys.of(manifest.keyId);
    if (keys === null) return keyMissing(manifest);
    const check = new ReleaseCheck(manifest, keys);
    const missing: string[] = [];
    const blobs = blobsOf(manifest);
    const read = async (blob: Blob) =>
      [blob, isRemoved(blob.key) ? null : await readFresh(blob.key, blob.bytes, this.#kv)] as const;
    for (let first = 0; first < blobs.length; first += READS_AT_ONCE) {
      for (const [blob, bytes] of await Promise.all(blobs.slice(first, first + READS_AT_ONCE).map(read))) {
        const checked = bytes === null ? null : await check.add(blob, bytes);
        if (checked === null) missing.push(blob.key);
        else if (!checked.ok) return refused(checked.code, checked.message);
      }
    }
    if (missing.length > 0) {
      return incomplete(`${missing.length} of ${blobs.length} values are not in KV yet`, missing);
    }
    const counts = check.finish();
    return counts.ok ? ok(undefined) : refused(counts.code, counts.message);
  }

  /** The changes from one release to another. */
  plan(base: Manifest | null, next: Manifest, settings: GuardSettings): Promise<ChangeResult<Plan>> {
    const name = nameOf(base, next, settings);
    return this.#runs.run(name, async () => {
      const plan = await this.#plan(base, next, settings);
      if (plan.ok) this.#last = { name, hash: plan.value.hash };
      return plan;
    });
  }

  /** The hash of this plan if it was the last one computed, otherwise null. Reads nothing. */
  lastHash(base: Manifest | null, next: Manifest, settings: GuardSettings): string | null {
    return this.#last?.name === nameOf(base, next, settings) ? this.#last.hash : null;
  }

  async #plan(base: Manifest | null, next: Manifest, settings: GuardSettings): Promise<ChangeResult<Plan>> {
    const keys = this.#keys.of(next.keyId);
    if (keys === null) return keyMissing(next);
    const baseKeys = base === null ? keys : this.#keys.of(base.keyId);
    if (baseKeys === null) return keyMissing(base!);
    let missing: string | null = null;
    const load = async (blob: Blob): Promise<Uint8Array<ArrayBuffer>> => {
      const bytes = await readFresh(blob.key, blob.bytes, this.#kv);
      if (bytes !== null) return bytes;
      missing = blob.key;
      throw new Error('a value is missing');
    };
    try {
      const plan = await createPlan({ base, next, keys, baseKeys, load, settings });
      return plan.ok ? plan : refused(plan.code, plan.message);
    } catch (error) {
      if (missing === null) throw error;
      return incomplete('a value is not in KV yet', [missing]);
    }
  }
}

/** Refuses a release that was staged before its key was removed from LIST_KEY. */
export function keyMissing({ release, keyId }: Manifest): Refusal {
  return refused('KEY_FOREIGN', `${release} was made with LIST_KEY ${keyId}, which was removed: build again`);
}

/** A release name identifies one manifest, and a manifest identifies its values. */
function nameOf(base: Manifest | null, next: Manifest, settings: GuardSettings): string {
  return JSON.stringify([base?.release ?? null, next.release, settings]);
}

/** @param hash of the current plan */
export function planMoved(hash: string): Refusal {
  return refuse('PLAN_MOVED', `the plan is now ${hash}: review it again`, { extras: { plan: hash } });
}

/** Refuses a promotion because the current release is not the one that the caller expected. */
function baseMoved(releases: ReleaseStore, base: string | null, current: string | null): Refusal {
  const place = base === null ? 0 : (releases.get(base)?.place ?? null);
  const since = place === null ? [] : releases.since(place);
  const expected = `you expected ${base ?? 'no release'} to be current`;
  const message = `${expected}, but ${current ?? 'no release'} is: build and plan again`;
  return refuse('BASE_MOVED', message, { extras: { base, current, since } });
}
