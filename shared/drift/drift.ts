/** Drift of one day: the scores of each model against those of the same model on the days before. Pure. */
import { DRIFT_BASE_DAYS, DRIFT_DAY_SHARE } from '../limits/drift.ts';
import { addScores, binsOf, textsOf } from '../usage/text-counts.ts';
import { psiOf } from './psi.ts';

/** Counts of one model on one day: rows of several releases and objects add up. */
export interface ModelDay {
  readonly day: number;
  readonly model: string;
  readonly counts: readonly number[];
}

export interface ModelDrift extends ModelDay {
  /** Null if the counts do not support one. */
  readonly psi: number | null;
  /** Texts of the DRIFT_BASE_DAYS days before. */
  readonly baseTexts: number;
}

/** Whether as much of the day has passed that its texts stand for a day. */
export function isRepresentative({ counts, baseTexts }: ModelDrift): boolean {
  return textsOf(counts) >= (DRIFT_DAY_SHARE * baseTexts) / DRIFT_BASE_DAYS;
}

/**
 * The models of a day, by name.
 * @param rows of that day and of the days before; others are ignored
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
