/**
 * Durations of rules, as texts: a whole number of minutes, hours or days, such as `10m`, `72h`, `90d`.
 */
import * as v from 'valibot';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^([1-9]\d{0,4})([mhd])$/;

/** @param text as `durationSchema` accepts it @returns ms */
export function durationMs(text: string): number {
  const [, count, unit] = DURATION.exec(text)!;
  return Number(count) * UNITS[unit!]!;
}

/** @param from shortest, such as `1m` @param to longest */
export function durationSchema(from: string, to: string) {
  return v.pipe(
    v.string(),
    v.check(
      (text) =>
        DURATION.test(text) && durationMs(text) >= durationMs(from) && durationMs(text) <= durationMs(to),
      `must be a duration from ${from} to ${to}, such as 10m, 72h or 90d`,
    ),
  );
}
