/** Figures of a client since its object was created, for metrics. Unlike the hourly counts, they never decrease. */
import { CHANNELS } from '../../shared/request.ts';
import type { UsageCounts } from '../../shared/usage/counts.ts';
import { VERDICTS } from '../../shared/verdict.ts';
import { FIGURES, type Figures } from '../storage/metrics-port.ts';

/** The sum of figures and counts. */
export function addCounts(figures: Figures, counts: readonly UsageCounts[]): Figures {
  const sums: Record<string, number> = { ...figures };
  const add = (name: string, amount: number): void => {
    if (amount > 0) sums[name] = (sums[name] ?? 0) + amount;
  };
  for (const { totals, by } of counts) {
    for (const name of TOTAL_FIGURES) add(name, totals[name] ?? 0);
    for (const [channel, ...verdicts] of by.channel ?? [])
      if (IS_CHANNEL.has(channel))
        VERDICTS.forEach((verdict, index) => {
          add(`${channel} ${verdict}`, verdicts[index] ?? 0);
        });
  }
  return sums;
}

const IS_CHANNEL: ReadonlySet<string> = new Set(CHANNELS);
const TOTAL_FIGURES = FIGURES.usage.filter((name) => !name.includes(' ')) as (
  | 'requests'
  | 'errors'
  | 'quotaRefusals'
  | 'lostNumbers'
)[];
