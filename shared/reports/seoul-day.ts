/** Days of Asia/Seoul, which has had no summer time since 1988: UTC + 9 hours. */
const DAY_MS = 86_400_000;
const OFFSET_MS = 9 * 3_600_000;

/** @param at ms since 1970 @returns days since 1970 */
export function seoulDay(at: number): number {
  return Math.floor((at + OFFSET_MS) / DAY_MS);
}

/** `2026-11-24` */
export function formatSeoulDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
