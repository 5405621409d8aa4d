/** The estimate of the time left beside a progress bar. */
import { expect, it } from 'vitest';
import { formatTimeLeft } from '../../../cli/terminal/progress.ts';

it.each([
  [0.5, 500, ''],
  [0.001, 60_000, ''],
  [1, 60_000, ''],
  [0.5, 10_000, '10 s left  '],
  [0.1, 20_000, '3 min left  '],
])('with a share of %d after %d ms is "%s"', (share, elapsed, text) => {
  expect(formatTimeLeft(share, elapsed)).toBe(text);
});
