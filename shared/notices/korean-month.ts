/** Months in Korea. Notices are counted by Korean month, wherever the service runs. */

/** Korea has no daylight saving time. */
const KOREA_MS = 9 * 3_600_000;

/** Returns a month such as `2026-11`. @param at ms since 1970 */
export function koreanMonth(at: number): string {
  return new Date(at + KOREA_MS).toISOString().slice(0, 7);
}
