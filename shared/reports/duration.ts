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

/** A duration within bounds, in ms. */
export function durationSchema(msMin: number, msMax: number) {
  const isWithin = (text: string) => durationMs(text) >= msMin && durationMs(text) <= msMax;
  const examples = ['10m', '72h', '90d'].filter(isWithin).join(' or ');
  return v.pipe(
    v.string(),
    v.check(
      (text) => DURATION.test(text) && isWithin(text),
      `must be a duration from ${formatDuration(msMin)} to ${formatDuration(msMax)}, such as ${examples}`,
    ),
  );
}

/** Formats a duration in the largest unit that divides it. @param ms of a duration */
function formatDuration(ms: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, each]) => ms % each === 0)!;
  return `${ms / size}${unit}`;
}
