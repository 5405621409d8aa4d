/**
 * What a release must pass before it becomes current: every value is read from KV and checked against
 * the signed manifest, and what it would change is compared with the guards. Holds no release whole.
 */
import type { ReleaseState } from '../../shared/admin.ts';
import { MISSING_NAMED_MAX, READS_AT_ONCE } from '../../shared/limits.ts';
import { ReleaseCheck } from '../../shared/release/check.ts';
import type { GuardSettings } from '../../shared/release/guards.ts';
import { type Blob, blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import { type Plan, planOf } from '../../shared/release/plan.ts';
import { ReleaseUnreadable } from '../../shared/release/reading.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { readFreshBlob } from '../kv-values.ts';
import { type Outcome, type Refusal, refuse } from './order.ts';
import type { ReleaseStore } from './release-store.ts';
import { SharedRuns } from './shared-runs.ts';

/** States from which a release can be promoted. */
export const PROMOTABLE: readonly ReleaseState[] = ['staged', 'candidate', 'superseded', 'withdrawn'];

/**
 * Whether every value is there and is what was signed.
 * @param isRemoved whether a value was removed so lately that KV may still show it
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

/** Values that were just uploaded are seen after a few of these. */
const RETRY_SECONDS = 5;

/** @param missing keys of values that are not there */
export function incomplete(message: string, missing: readonly string[]): Refusal {
  const refusal = refuse('RELEASE_INCOMPLETE', message, { missing: missing.slice(0, MISSING_NAMED_MAX) });
  return { ...refusal, retryAfterSeconds: RETRY_SECONDS };
}

export function refused(code: string, message: string): Refusal {
  return refuse('RELEASE_REFUSED', `${code}: ${message}`, { refusal: code });
}

/** Makes plans. One takes up to 25 s of work: who asks for the same meanwhile is given the same. */
export class Planner {
  readonly #keys: ListKeys;
  readonly #kv: KVNamespace;
  readonly #runs = new SharedRuns<Outcome<Plan>>();
  #last: { readonly name: string; readonly hash: string } | null = null;

  constructor(keys: ListKeys, kv: KVNamespace) {
    this.#keys = keys;
    this.#kv = kv;
  }

  /** What a release would change against another. */
  plan(base: Manifest | null, next: Manifest, settings: GuardSettings): Promise<Outcome<Plan>> {
    const name = nameOf(base, next, settings);
    return this.#runs.run(name, async () => {
      const plan = await this.#plan(base, next, settings);
      if (plan.ok) this.#last = { name, hash: plan.value.hash };
      return plan;
    });
  }

  /** The hash of this plan, if it is the last one that was made; else null. Reads nothing. */
  lastHash(base: Manifest | null, next: Manifest, settings: GuardSettings): string | null {
    return this.#last?.name === nameOf(base, next, settings) ? this.#last.hash : null;
  }

  async #plan(base: Manifest | null, next: Manifest, settings: GuardSettings): Promise<Outcome<Plan>> {
    let missing: string | null = null;
    const load = async (blob: Blob): Promise<Uint8Array<ArrayBuffer>> => {
      const bytes = await readFreshBlob(blob, this.#kv);
      if (bytes !== null) return bytes;
      missing = blob.key;
      throw new Error('a value is missing');
    };
    try {
      return { ok: true, value: await planOf({ base, next, keys: this.#keys, load, settings }) };
    } catch (error) {
      if (error instanceof ReleaseUnreadable) return refused(error.code, error.message);
      if (missing === null) throw error;
      return incomplete('a value is not in KV (yet)', [missing]);
    }
  }
}

/** A name stands for one manifest, and a manifest for its values. */
function nameOf(base: Manifest | null, next: Manifest, settings: GuardSettings): string {
  return JSON.stringify([base?.release ?? null, next.release, settings]);
}

/** @param hash of the plan as it is now */
export function planMoved(hash: string): Refusal {
  return refuse('PLAN_MOVED', `the plan is now ${hash}: look at it again`, { plan: hash });
}

/** Another release is current than the caller takes for it. */
export function baseMoved(releases: ReleaseStore, base: string | null, current: string | null): Refusal {
  const place = base === null ? 0 : releases.get(base)?.place;
  const since = place === undefined || place === null ? [] : releases.since(place);
  const message = `you expected ${base ?? 'no release'} to be current, and it is ${current ?? 'none'}: build and plan again`;
  return refuse('BASE_MOVED', message, { base, current, since });
}
