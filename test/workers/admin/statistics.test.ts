/** `/v1/statistics` and `/v1/admin/statistics`: scopes, formats, and what is refused. */
import { expect, test } from 'vitest';
import { freshControl, putToken, send } from '../support/admin.ts';
import { runSweep } from '../support/statistics.ts';

freshControl();

test('the current month is provisional, and all that is not there is named', async () => {
  await runSweep();
  const month = new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 7);
  const all = await send('root', `GET ../statistics/${month}`);
  expect(all.status).toBe(200);
  expect(all.answer).toMatchObject({ month, provisional: true, version: null, timeZone: 'Asia/Seoul' });
  const one = await send('root', `GET ../statistics/${month}/text-by-kind`);
  expect(one.answer).toMatchObject({ table: 'text-by-kind', total: null });
  const listed = await send('root', 'GET ../statistics');
  expect(listed.answer).toMatchObject({ first: month, current: month, months: [], next: null });
  for (const [request, expected] of [
    [`GET ../statistics/${month}?version=1`, '409 MONTH_NOT_OVER'],
    [`GET ../statistics/${month}/text-by-kind/trace`, '409 MONTH_NOT_OVER'],
    [`GET ../statistics/${month}/appeals`, '409 MONTH_NOT_OVER'],
    [`POST statistics/${month}/corrections`, '409 MONTH_NOT_OVER'],
    ['GET ../statistics/9999-12', '409 MONTH_NOT_OVER'],
    ['GET ../statistics/2001-01', '404 MONTH_UNKNOWN'],
    ['GET ../statistics/2001-13', '400 FIELD_VALUE'],
    [`GET ../statistics/${month}/text-by-weather`, '404 TABLE_UNKNOWN'],
    [`GET ../statistics/${month}?format=xml`, '400 FIELD_VALUE'],
    ['GET ../statistics?before=today', '400 FIELD_VALUE'],
  ] as const) {
    const { status, code } = await send('root', request, request.startsWith('POST') ? {} : null);
    expect([request, `${status} ${String(code)}`]).toEqual([request, expected]);
  }
});

test('tables need the scope statistics, their sources evidence, and corrections reports', async () => {
  await putToken('reader', { scopes: ['read'] });
  await putToken('counter', { scopes: ['statistics'] });
  const month = new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 7);
  for (const [id, request, isOpen] of [
    ['reader', 'GET ../statistics', false],
    ['counter', 'GET ../statistics', true],
    ['counter', `GET ../statistics/${month}/reports/trace`, false],
    ['counter', `POST statistics/${month}/corrections`, false],
    ['counter', 'GET statistics', true],
  ] as const) {
    const { code } = await send(id, request, request.startsWith('POST') ? {} : null);
    expect([id, request, code === 'PERMISSION_DENIED']).toEqual([id, request, !isOpen]);
  }
});
