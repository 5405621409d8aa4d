/** Notices are counted by month in Korea, wherever the service runs. */

/** Korea has no daylight saving time. */
const KOREA_MS = 9 * 3_600_000;

/** `2026-11`. @param at ms since 1970 */
export function koreanMonth(at: number): string {
  return new Date(at + KOREA_MS).toISOString().slice(0, 7);
}
