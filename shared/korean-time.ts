/** Days in Korea (Asia/Seoul), which has had no daylight saving time since 1988. */
import { HOUR_MS, HOURS_PER_DAY } from './usage/flush.ts';

/** Ahead of UTC. */
const KOREA_HOURS = 9;
const DAY_MS = HOURS_PER_DAY * HOUR_MS;

/** Days since 1970. @param at ms since 1970 */
export function koreanDayOf(at: number): number {
  return Math.floor((at + KOREA_HOURS * HOUR_MS) / DAY_MS);
}

/** The same of an hour in UTC: no hour is in two days. @param hour hours since 1970 */
export function koreanDayOfHour(hour: number): number {
  return Math.floor((hour + KOREA_HOURS) / HOURS_PER_DAY);
}

/** `2026-11-27` */
export function koreanDayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
