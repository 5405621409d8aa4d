/** Two built releases, and a way to load the values of both. */
import type { BuiltRelease } from '../../../shared/build/release.ts';
import { diffReleases, type ListDiff } from '../../../shared/release/diff.ts';
import { DEFAULT_GUARDS, type GuardSettings } from '../../../shared/release/guard-settings.ts';
import { createPlan, type Plan } from '../../../shared/release/plan.ts';
import type { Load } from '../../../shared/release/release.ts';
import type { Failure, Result } from '../../../shared/result.ts';
import { build } from './built-release.ts';
import type { PlainList } from './plain-model.ts';
import { testKeys } from './test-keys.ts';

/** The value of a result that must be a success. */
export function valueIn<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

/** @param loaded called with the KV key of each loaded value */
export function loadFrom(
  releases: readonly (BuiltRelease | null)[],
  loaded: (key: string) => void = () => undefined,
): Load {
  return async ({ key }) => {
    loaded(key);
    const bytes = releases.map((release) => release?.values.get(key)).find((value) => value !== undefined);
    if (bytes === undefined) throw new Error(`${key} is in neither release`);
    return bytes;
  };
}

/** @param base null if there was no release */
export async function diffOf(
  base: BuiltRelease | null,
  next: BuiltRelease,
  watched: readonly number[] = [],
  loaded?: (key: string) => void,
): Promise<ListDiff[]> {
  const diffs = await diffReleases({
    base: base?.manifest ?? null,
    next: next.manifest,
    keys: testKeys,
    load: loadFrom([base, next], loaded),
    watched,
  });
  return valueIn(diffs);
}

/** The plan from one release to another release that names it as its base. */
export async function planFrom(
  base: readonly PlainList[] | null,
  next: readonly PlainList[],
  settings: Partial<GuardSettings> = {},
): Promise<Plan> {
  const old = base === null ? null : await build(base);
  const now = await build(next);
  const plan = await createPlan({
    base: old?.manifest ?? null,
    next: { ...now.manifest, base: old?.manifest.release ?? null },
    keys: testKeys,
    load: loadFrom([old, now]),
    settings: { ...DEFAULT_GUARDS, ...settings },
  });
  return valueIn(plan);
}
