/** Parses dates and times in lists and options into seconds since 1970. */
import { FOREVER } from '../../shared/set/layout.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** A date without a time is the start of that day in Korea. @returns seconds since 1970, or null */
export function secondsOf(text: string): number | null {
  if (!DATE.test(text) && !TIME.test(text)) return null;
  if (!isDay(text.slice(0, 10))) return null;
  const ms = Date.parse(DATE.test(text) ? `${text}T00:00:00+09:00` : text);
  const seconds = Math.floor(ms / 1000);
  return Number.isNaN(ms) || seconds < 0 ? null : Math.min(seconds, FOREVER);
}

/** Whether the day exists. Date.parse turns February 31 into March 3. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
