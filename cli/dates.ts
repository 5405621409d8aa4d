/**
 * Dates and times as lists and admins write them, in seconds since 1970.
 */
import { FOREVER } from '../shared/set/layout.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** A date alone is its first moment in Korea. @returns seconds since 1970, or null */
export function secondsOf(text: string): number | null {
  if (!DATE.test(text) && !TIME.test(text)) return null;
  if (!isDay(text.slice(0, 10))) return null;
  const ms = Date.parse(DATE.test(text) ? `${text}T00:00:00+09:00` : text);
  const seconds = Math.floor(ms / 1000);
  return Number.isNaN(ms) || seconds < 0 ? null : Math.min(seconds, FOREVER);
}

/** Whether the calendar has the day: Date.parse takes February 31 for March 3. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
