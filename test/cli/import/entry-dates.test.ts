/** The dates of entries. Dates are days in Korea, times are RFC 3339, and ends are exclusive. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { ALWAYS } from '../../../shared/build/list-entries.ts';
import { FOREVER } from '../../../shared/set/layout.ts';
import { dated, NOW, read, resultOf } from '../support/entries.ts';

const DAY = 86_400;
/** Midnight in Korea at the start of NOW's day. NOW is noon there. */
const MIDNIGHT = NOW - DAY / 2;

describe('dates', () => {
  it.each([
    ['', '', ALWAYS],
    ['2020-01-01', '', ALWAYS],
    ['2026-11-24T12:00:00+09:00', '', ALWAYS],
    ['2026-11-24T12:00:01+09:00', '', { since: NOW + 1, until: FOREVER }],
    ['2026-11-25', '', { since: MIDNIGHT + DAY, until: FOREVER }],
    ['', '2026-11-25', { since: 0, until: MIDNIGHT + DAY }],
    ['2026-11-24', '2026-11-25', { since: MIDNIGHT, until: MIDNIGHT + DAY }],
    ['', '2026-11-24T03:00:01Z', { since: 0, until: NOW + 1 }],
    ['', '9999-12-31', ALWAYS],
    ['2020-01-01', '9999-12-31T23:59:59Z', ALWAYS],
    ['2026-11-25', '2999-01-01', { since: MIDNIGHT + DAY, until: FOREVER }],
    ['', '2026-11-24T03:00Z', 'EXPIRED'],
    ['', '2026-11-24T04:00:00.9+01:00', 'EXPIRED'],
    ['', '2026-11-24', 'EXPIRED'],
    ['2019-01-01', '2020-01-01', 'EXPIRED'],
  ])('since %j until %j', (since, until, want) => {
    const entry = dated(since, until);
    if (typeof want === 'string') expect(resultOf(entry)).toBe(want);
    else expect(entry).toMatchObject({ dates: want });
  });

  it.each([
    ['2026-12-02', '2026-12-01', 'until must be after since'],
    ['2026-12-01', '2026-12-01', 'until must be after since'],
    ['2026-11-26T00:00:00+09:00', '2026-11-26', 'until must be after since'],
    ['', '2026-02-31', 'dates'],
    ['', '2027-02-29T00:00:00Z', 'dates'],
    ['2026-13-01', '', 'dates'],
    ['24.11.2026', '', 'dates'],
    ['2026-11-24 12:00:00', '', 'dates'],
    ['2026-11-24T12:00:00', '', 'dates'],
    ['2026-11-24T25:00:00Z', '', 'dates'],
    ['tomorrow', '', 'dates'],
    ['1969-12-31', '', 'dates'],
    ['9999-12-31', '', 'until must be after since'],
    ['', '9999-12-32', 'dates'],
    ['1764000000', '', 'dates'],
  ])('since %j until %j is rejected', (since, until, message) => {
    expect(dated(since, until)).toMatchObject({
      ok: false,
      code: 'DATE_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('also apply to ranges and sources', () => {
    const dates = { since: 0, until: MIDNIGHT + DAY };
    expect(read({ number: '+63917*', until: '2026-11-25' })).toMatchObject({ dates });
    expect(read({ number: 'PROMO', until: '2026-11-25' }, 'overseas')).toMatchObject({ dates });
  });

  it('do not hide an invalid number', () => {
    expect(resultOf(read({ number: '1335', until: '2020-01-01' }))).toBe('SHORT_CODE');
  });
});
