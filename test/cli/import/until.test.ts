/** The end of a live entry, as an admin writes it. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { untilOf } from '../../../cli/import/dates.ts';
import { failureOf } from '../support/failing.ts';

const NOW = new Date('2026-11-24T03:00:00.250Z');

describe('an expiry', () => {
  it.each([
    ['30m', '2026-11-24T03:30:01.000Z'],
    ['2h', '2026-11-24T05:00:01.000Z'],
    ['7d', '2026-12-01T03:00:01.000Z'],
    [' 2w ', '2026-12-08T03:00:01.000Z'],
    ['2026-12-31', '2026-12-30T15:00:00.000Z'],
    ['2026-12-31T12:00Z', '2026-12-31T12:00:00.000Z'],
    ['2026-11-24T12:00:01+09:00', '2026-11-24T03:00:01.000Z'],
  ])('of %j is %s', (text, end) => {
    expect(untilOf(text, NOW)).toBe(end);
  });

  it('of 9999-12-31 means none', () => {
    for (const text of ['9999-12-31', '2106-02-08']) expect(untilOf(text, NOW)).toBeUndefined();
    expect(untilOf('2106-02-07', NOW)).toBe('2106-02-06T15:00:00.000Z');
  });

  it.each([
    '',
    'soon',
    '2',
    'h',
    '-2h',
    '2y',
    '0m',
    '1.5h',
    '2 h',
    '2026-02-31',
    '999999d',
    '2026-12-31T12:00',
  ])('%j is invalid', async (text) => {
    const failure = await failureOf(() => untilOf(text, NOW));
    expect([failure.exitCode, failure.message]).toEqual([
      2,
      expect.stringMatching(/^--until must be a duration/),
    ]);
  });

  it.each(['2026-11-24', '2026-11-24T03:00:00Z'])('%j is in the past', async (text) => {
    expect((await failureOf(() => untilOf(text, NOW))).message).toBe('--until must be in the future');
  });
});
