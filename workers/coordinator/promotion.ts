/**
 * The checks that a release must pass before it becomes current. Every value is read from KV and verified
 * against the signed manifest, and the changes are checked against the guards. No release is held in memory
 * as a whole.
 */
import type { Promote, ReleaseState } from '../../shared/admin.ts';
import { MISSING_NAMED_MAX, READS_AT_ONCE } from '../../shared/limits.ts';
import { ReleaseCheck } from '../../shared/release/check.ts';
import type { GuardSettings } from '../../shared/release/guards.ts';
import { type Blob, blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import { createPlan, type Plan, remainingGuards } from '../../shared/release/plan.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { readFreshBlob } from '../storage/kv-values.ts';
import { type ChangeResult, type Refusal, refuse } from './change-request.ts';
import type { Ledger } from './ledger.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';
import { SharedWork } from './shared-work.ts';

/** States from which a release can be promoted. */
const PROMOTABLE: readonly ReleaseState[] = ['staged', 'candidate', 'superseded', 'withdrawn'];

/** Why the release cannot be promoted now, or null. */
export function checkPromotable(
  stored: StoredRelease,
  { base, share }: Promote,
  { ledger, releases }: { readonly ledger: Ledger; readonly releases: ReleaseStore },
): Refusal | null {
  const { release, state, manifest, refusal } = stored;
  const current = releases.current?.release ?? null;
  if (current !== base) return baseMoved(releases, base, current);
  if (state === 'refused') return refused(refusal?.code ?? 'REFUSED', refusal?.message ?? 'it was refused');
  if (!PROMOTABLE.includes(state)) return refuse('RELEASE_STATE', `${release} is ${state}`);
  const { candidate } = releases;
  if (candidate !== null && candidate.release !== release) {
    return refuse(
      'RELEASE_STATE',
      `${candidate.release} is the canary: promote it to all, or roll it back first`,
    );
  }
  if (share < 1 && current === null) {
    return refuse('RELEASE_STATE', 'the first release goes to all: there is none for the others');
  }
  const dropped = ledger.droppedSeq;
  if (manifest.foldedSeq < dropped) {
    return refused(
      'FOLD_BEHIND',
      `it folds in live changes up to ${manifest.foldedSeq}, those up to ${dropped} are in no other place: build again`,
    );
  }
  if (manifest.foldedSeq > ledger.seq) {
    return refused(
      'FOLD_AHEAD',
      `it folds in live changes up to ${manifest.foldedSeq}, there are ${ledger.seq}`,
    );
  }
  return null;
}

/**
 * Verifies that every value is in KV and matches the signed manifest.
 * @param isRemoved whether a value was removed so recently that KV may still return it
 */
export async function verifyValues(
  manifest: Manifest,
  keys: ListKeys,
  kv: KVNamespace,
  isRemoved: (key: string) => boolean,
): Promise<Refusal | null> {
  const check = new ReleaseCheck(manifest, keys);
  const missing: string[] = [];
  const blobs = blobsOf(manifest);
  for (let first = 0; first < blobs.length; first += READS_AT_ONCE) {
    const some = blobs.slice(first, first + READS_AT_ONCE);
    const values = await Promise.all(
      some.map((blob) => (isRemoved(blob.key) ? null : readFreshBlob(blob, kv))),
    );
    for (const [index, bytes] of values.entries()) {
      const blob = some[index]!;
      if (bytes === null) missing.push(blob.key);
      else {
        const checked = await check.add(blob, bytes);
        if (!checked.ok) return refused(checked.code, checked.message);
      }
    }
  }
  if (missing.length > 0) {
    return incomplete(`${missing.length} of ${blobs.length} values are not in KV (yet)`, missing);
  }
  const counted = check.finish();
  return counted.ok ? null : refused(counted.code, counted.message);
}

/** Uploaded values become visible within a few such intervals. */
const RETRY_SECONDS = 5;

/** @param missing keys of the values that are not in KV */
export function incomplete(message: string, missing: readonly string[]): Refusal {
  const refusal = refuse('RELEASE_INCOMPLETE', message, { missing: missing.slice(0, MISSING_NAMED_MAX) });
  return { ...refusal, retryAfterSeconds: RETRY_SECONDS };
}

export function refused(code: string, message: string): Refusal {
  return refuse('RELEASE_REFUSED', `${code}: ${message}`, { refusal: code });
}

/**
 * Why a promotion does not match the plan of its release, or null: the request names another plan, or guards
 * are hit.
 */
export function unmetPlan(plan: Plan, { plan: hash, overrides }: Promote): Refusal | null {
  if (hash !== undefined && hash !== plan.hash) return planMoved(plan.hash);
  const guards = remainingGuards(plan, overrides);
  if (guards.length === 0) return null;
  const names = [...new Set(guards.map(({ guard }) => guard))].join(', ');
  return refuse('GUARD_HIT', `guards are hit: ${names}`, { guards, plan: plan.hash });
}

/**
 * Computes plans. A plan takes up to 25 s of work, so concurrent requests for the same plan share one run.
 */
export class Planner {
  readonly #keys: ListKeys;
  readonly #kv: KVNamespace;
  readonly #runs = new SharedWork<ChangeResult<Plan>>();
  #last: { readonly name: string; readonly hash: string } | null = null;

  constructor(keys: ListKeys, kv: KVNamespace) {
    this.#keys = keys;
    this.#kv = kv;
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
    let missing: string | null = null;
    const load = async (blob: Blob): Promise<Uint8Array<ArrayBuffer>> => {
      const bytes = await readFreshBlob(blob, this.#kv);
      if (bytes !== null) return bytes;
      missing = blob.key;
      throw new Error('a value is missing');
    };
    try {
      const plan = await createPlan({ base, next, keys: this.#keys, load, settings });
      return plan.ok ? plan : refused(plan.code, plan.message);
    } catch (error) {
      if (missing === null) throw error;
      return incomplete('a value is not in KV (yet)', [missing]);
    }
  }
}

/** A release name identifies one manifest, and a manifest identifies its values. */
function nameOf(base: Manifest | null, next: Manifest, settings: GuardSettings): string {
  return JSON.stringify([base?.release ?? null, next.release, settings]);
}

/** @param hash of the current plan */
export function planMoved(hash: string): Refusal {
  return refuse('PLAN_MOVED', `the plan is now ${hash}: look at it again`, { plan: hash });
}

/** The current release is not the one the caller expected. */
export function baseMoved(releases: ReleaseStore, base: string | null, current: string | null): Refusal {
  const place = base === null ? 0 : releases.get(base)?.place;
  const since = place === undefined || place === null ? [] : releases.since(place);
  const message = `you expected ${base ?? 'no release'} to be current, and it is ${current ?? 'none'}: build and plan again`;
  return refuse('BASE_MOVED', message, { base, current, since });
}
