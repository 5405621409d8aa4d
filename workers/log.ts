/**
 * Structured logs and metrics for the people who run numgate. A log line has an event and named values, never a request
 * or a number. An error's message may quote input, so only its name and stack frames are logged. Each event is also
 * counted as a data point in Analytics Engine, under its name alone.
 */
import { env } from 'cloudflare:workers';
import type { Env } from './env.ts';

type Value = string | number | boolean | null;

export function warn(event: string, values: Record<string, Value> = {}): void {
  // biome-ignore lint/suspicious/noConsole: the one place that writes Workers Logs
  console.warn(JSON.stringify({ event, ...values }));
  try {
    (env as Partial<Env>).EVENTS?.writeDataPoint({ indexes: [event], doubles: [1] });
  } catch {
    // The platform limits the data points of one invocation. The event is still logged.
  }
}

/** Logs a failure that is expected at times. */
export function warnFailed(event: string, error: unknown, values: Record<string, Value> = {}): void {
  warn(event, { ...values, name: error instanceof Error ? error.name : typeof error });
}

/** Logs an error that should not have happened. */
export function logBug(error: unknown, correlator: string): void {
  const name = error instanceof Error ? error.name : typeof error;
  const frames =
    error instanceof Error
      ? (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
      : [];
  // The client chooses the correlator. It may be a phone number, even with dashes.
  warn('bug', {
    name,
    correlator: correlator.replace(/\d(?:[^\da-z]*\d){6,}/gi, '…'),
    at: frames.slice(0, 5).join(' '),
  });
}
