/** Parses dates and times in lists and options into seconds since 1970. */
import { isDay } from '../../shared/schemas.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { CommandFailure } from '../failure.ts';

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

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * @param option name of the option with the text, for messages
 * @param text `30m`, `2h`, `7d`, `2w`, 2026-12-31 (the start of that day in Korea), or an RFC 3339 time
 * @returns RFC 3339, or undefined for a time beyond the latest supported one, such as 9999-12-31
 * @throws CommandFailure if the text has none of these forms, or is in the past
 */
export function untilOf(text: string, now: Date, option = '--until'): string | undefined {
  const length = /^([1-9]\d{0,4})([mhdw])$/.exec(text.trim());
  const nowSeconds = now.getTime() / 1000;
  const seconds =
    length === null
      ? secondsOf(text.trim())
      : Math.ceil(nowSeconds) + Number(length[1]) * SECONDS[length[2]!]!;
  if (seconds === null) {
    throw new CommandFailure(
      `${option} must be a duration (30m, 2h, 7d, 2w), a date or a time (RFC 3339)`,
      2,
    );
  }
  if (seconds <= nowSeconds) throw new CommandFailure(`${option} must be in the future`, 2);
  return seconds >= FOREVER ? undefined : new Date(seconds * 1000).toISOString();
}
