/**
 * The plan of a push: its changes, the guards it hits, and a hash of both. The CLI shows the plan and the
 * coordinator recomputes it, so whoever confirms the hash confirms these figures.
 */
import { sha256Hex } from '../bytes.ts';
import type { ListKeys } from '../set/keys.ts';
import { diffReleases, type ListChange } from './diff.ts';
import { type GuardHit, type GuardSettings, guardsOf, protectedNumbersOf } from './guards.ts';
import type { Manifest } from './manifest.ts';
import type { Load } from './opened-value.ts';

/** Hex digits of a plan's hash: short enough to read out and type. */
const HASH_DIGITS = 16;

export interface Plan {
  /** The current release, null for none. */
  readonly base: string | null;
  readonly release: string;
  readonly lists: readonly ListChange[];
  readonly guards: readonly GuardHit[];
  readonly hash: string;
}

export interface PlanInput {
  readonly base: Manifest | null;
  readonly next: Manifest;
  readonly keys: ListKeys;
  /** Loads the bytes of a value of either release. They are verified here. */
  readonly load: Load;
  readonly settings: GuardSettings;
}

/** @throws ReleaseUnreadable if a value differs from its manifest, and any error of `load` */
export async function planOf({ base, next, keys, load, settings }: PlanInput): Promise<Plan> {
  const diffs = await diffReleases({ base, next, keys, load, watched: protectedNumbersOf(settings) });
  const body = {
    base: base?.release ?? null,
    release: next.release,
    lists: diffs.map(({ change }) => change),
    guards: guardsOf(diffs, base, next, settings),
  };
  const hash = (await sha256Hex(canonical({ ...body, settings }))).slice(0, HASH_DIGITS);
  return { ...body, hash };
}

/** Guards that are hit and not overridden. @param names overridden guards */
export function remainingGuards({ guards }: Plan, names: readonly string[]): GuardHit[] {
  return guards.filter(({ override }) => !names.includes(override));
}

/** JSON with the members of every object sorted by name. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
