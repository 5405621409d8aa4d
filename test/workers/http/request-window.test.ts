/** Limits of requests, by source and in total. */
import { expect, test } from 'vitest';
import { RequestWindow } from '../../../workers/http/request-window.ts';

test('requests are counted by source and in total, until the window ends', () => {
  const window = new RequestWindow(1_000, 2, 4);
  const allowed = (source: string | null, now: number): boolean => {
    window.advance(now);
    if (window.limited(source, now) !== null) return false;
    window.count(source);
    return true;
  };
  const sources = ['a', 'a', 'a', null, 'b', 'b', null];
  expect(sources.map((source) => allowed(source, 0))).toEqual([true, true, false, true, true, false, false]);
  expect(window.limited('c', 400)).toBe(1);
  expect(allowed('a', 1_000)).toBe(true);
});
