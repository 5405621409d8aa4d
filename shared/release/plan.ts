/**
 * The plan of a push: its changes, the guards it hits, and a hash of both. The CLI shows the plan and the
 * coordinator recomputes it, so confirming the hash confirms these figures.
 */
import { sha256Hex } from '../bytes.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { type Comparison, diffReleases, type ListChange } from './diff.ts';
import type { GuardHit } from './guard-settings.ts';
import { checkGuards, type PushGuardSettings, protectedNumbersOf } from './guards.ts';
import type { ReadProblem } from './release-reader.ts';

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

interface PlanInput extends Omit<Comparison, 'watched'> {
  readonly settings: PushGuardSettings;
}

/** Rejects if `load` does. */
export async function createPlan({
  settings: { addShare, removeShare, protectedNumbers },
  ...releases
}: PlanInput): Promise<Result<Plan, Failure<ReadProblem>>> {
  const { base, next } = releases;
  // The hash covers no other settings.
  const settings = { addShare, removeShare, protectedNumbers };
  const compared = await diffReleases({ ...releases, watched: protectedNumbersOf(settings) });
  if (!compared.ok) return compared;
  const body = {
    base: base?.release ?? null,
    release: next.release,
    lists: compared.value.map(({ change }) => change),
    guards: checkGuards(compared.value, base, next, settings),
  };
  const hash = (await sha256Hex(canonical({ ...body, settings }))).slice(0, HASH_DIGITS);
  return ok({ ...body, hash });
}

/** JSON with the members of every object sorted by name. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
