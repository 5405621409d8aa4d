/**
 * Waits until the code under test has set a timer. Needs fake timers that include `setTimeout`. Each check of the timers
 * advances them by a millisecond.
 */
import { vi } from 'vitest';
import { HANG_MS } from '../../shared/support/hang.ts';

const WAIT = { interval: 1, timeout: HANG_MS };

export async function untilTimer(): Promise<void> {
  await vi.waitUntil(() => vi.getTimerCount() > 0, WAIT);
}

/** @returns `value`, or `words` if a timer is set before the value settles */
export async function orTimer<Value, Words>(value: Promise<Value>, words: Words): Promise<Value | Words> {
  let isSettled = false;
  const settled = (): void => {
    isSettled = true;
  };
  value.then(settled, settled);
  // The wait ends with the value, because otherwise it would move the timers of the next test.
  await vi.waitUntil(() => isSettled || vi.getTimerCount() > 0, WAIT);
  return isSettled ? value : words;
}
