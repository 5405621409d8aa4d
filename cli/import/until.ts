/** Parses the expiry of a live entry: a duration, a date or a time. */
import { FOREVER } from '../../shared/set/layout.ts';
import { CommandFailure } from '../failure.ts';
import { secondsOf } from './dates.ts';

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * @param text `30m`, `2h`, `7d`, `2w`, 2026-12-31 (the start of that day in Korea), or an RFC 3339 time
 * @returns RFC 3339, or undefined for a time beyond the latest supported one, such as 9999-12-31
 * @throws CommandFailure if the text has none of these forms, or is in the past
 */
export function untilOf(text: string, now: Date): string | undefined {
  const length = /^([1-9]\d{0,4})([mhdw])$/.exec(text.trim());
  const nowSeconds = now.getTime() / 1000;
  const seconds =
    length === null
      ? secondsOf(text.trim())
      : Math.ceil(nowSeconds) + Number(length[1]) * SECONDS[length[2]!]!;
  if (seconds === null) {
    throw new CommandFailure('--until must be a duration (30m, 2h, 7d, 2w), a date or a time (RFC 3339)', 2);
  }
  if (seconds <= nowSeconds) throw new CommandFailure('--until must be in the future', 2);
  return seconds >= FOREVER ? undefined : new Date(seconds * 1000).toISOString();
}
