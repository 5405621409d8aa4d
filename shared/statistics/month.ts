/**
 * Months and days of statistics, in Asia/Seoul: UTC+9 all year, without daylight saving time since 1988.
 */
import { KOREA_MS } from '../time.ts';

const MONTH = /^\d{4}-(?:0[1-9]|1[0-2])$/;

/** `2026-11`. Months compare as texts. */
export function isMonth(text: string): boolean {
  return MONTH.test(text);
}

/** The month of a time. @param at ms since 1970 */
export function monthOf(at: number): string {
  return new Date(at + KOREA_MS).toISOString().slice(0, 7);
}

/** The day of a time: `2026-11-24`. @param at ms since 1970 */
export function dayOf(at: number): string {
  return new Date(at + KOREA_MS).toISOString().slice(0, 10);
}

/** When a month begins, in ms since 1970. */
export function startOf(month: string): number {
  return Date.parse(`${month}-01T00:00:00Z`) - KOREA_MS;
}

/** When a month ends and the next one begins, in ms since 1970. */
export function endOf(month: string): number {
  return startOf(shifted(month, 1));
}

/** The month some months later, or earlier. */
export function shifted(month: string, by: number): string {
  const [year, number] = month.split('-').map(Number);
  return new Date(Date.UTC(year!, number! - 1 + by, 1)).toISOString().slice(0, 7);
}
