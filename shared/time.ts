/** Units of time, in ms, and the time of Korea (Asia/Seoul): UTC+9, without daylight saving time since 1988. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const HOURS_PER_DAY = 24;
export const DAY_MS = HOURS_PER_DAY * HOUR_MS;

const KOREA_HOURS = 9;
/** Offset of Korea from UTC, in ms. */
export const KOREA_MS = KOREA_HOURS * HOUR_MS;

/** Returns the day in Korea, as days since 1970. @param at ms since 1970 */
export function koreanDayOf(at: number): number {
  return Math.floor((at + KOREA_MS) / DAY_MS);
}

/** Returns the day in Korea of a UTC hour, which is always within one day. @param hour hours since 1970 */
export function koreanDayOfHour(hour: number): number {
  return Math.floor((hour + KOREA_HOURS) / HOURS_PER_DAY);
}

/** Formats a day, such as `2026-11-27`. */
export function koreanDayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
