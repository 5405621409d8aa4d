/** Pauses before a failed webhook's next attempt, as Standard Webhooks 1.0.0 recommends. */
import { WEBHOOK_ATTEMPTS_MAX, WEBHOOK_JITTER_SHARE } from '../limits/notices.ts';

/** Pauses between attempts, in ms: 75 hours in total. */
export const WEBHOOK_PAUSES_MS: readonly number[] = [
  ...[5_000, 300_000, 1_800_000, 7_200_000, 18_000_000],
  ...[36_000_000, 50_400_000, 72_000_000, 86_400_000],
];

/** @param attempts number of attempts so far, from 1 on @param random from 0 to 1 @returns ms */
export function pauseAfter(attempts: number, random: number): number {
  const index = Math.min(Math.max(attempts, 1), WEBHOOK_ATTEMPTS_MAX - 1) - 1;
  return Math.round(WEBHOOK_PAUSES_MS[index]! * (1 + WEBHOOK_JITTER_SHARE * (2 * random - 1)));
}
