/** Drift of one day: compares the scores of each model with the scores of the same model on the days before. Pure. */
import { DRIFT_BASE_DAYS, DRIFT_DAY_SHARE } from '../limits/drift.ts';
import { addScores, binsOf, textsOf } from '../usage/text-counts.ts';
import { psiOf } from './psi.ts';

/** Counts of one model on one day. Rows of several releases and objects are summed. */
export interface ModelDay {
  readonly day: number;
  readonly model: string;
  readonly counts: readonly number[];
}

export interface ModelDrift extends ModelDay {
  /** Null if there are too few counts for a PSI. */
  readonly psi: number | null;
  /** Texts in the DRIFT_BASE_DAYS days before. */
  readonly baseTexts: number;
}

/** Whether the day already has enough texts to represent a whole day. */
export function isRepresentative({ counts, baseTexts }: ModelDrift): boolean {
  return textsOf(counts) >= (DRIFT_DAY_SHARE * baseTexts) / DRIFT_BASE_DAYS;
}

/**
 * Returns the drift of each model that has texts on the day, ordered by name.
 * @param rows rows of that day and of the days before; rows of other days are ignored
 */
export function driftOf(rows: Iterable<ModelDay>, day: number): ModelDrift[] {
  const own = new Map<string, number[]>();
  const base = new Map<string, number[]>();
  for (const { day: at, model, counts } of rows) {
    if (at > day || at < day - DRIFT_BASE_DAYS) continue;
    const sums = at === day ? own : base;
    sums.set(model, addScores(sums.get(model) ?? [], counts));
  }
  return [...own.keys()].sort().map((model): ModelDrift => {
    const counts = own.get(model)!;
    const before = base.get(model) ?? [];
    return { day, model, counts, psi: psiOf(binsOf(counts), binsOf(before)), baseTexts: textsOf(before) };
  });
}
