/** `GET /v1/admin/text/drift`: the tokens that may read it, and its days and clients. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test } from 'vitest';
import { DRIFT_DAYS_KEPT } from '../../../shared/limits/drift.ts';
import { koreanDayOf, koreanDayText } from '../../../shared/time.ts';
import { TextCounter } from '../../../shared/usage/text-counts.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { DRIFT_NAME } from '../../../workers/storage/drift-port.ts';
import { freshControl, putToken, send } from '../support/admin.ts';
import { NOON } from '../support/room.ts';

freshControl();

const TODAY = koreanDayOf(NOON);
const day = (ago: number): string => koreanDayText(TODAY - ago);

beforeEach(async () => {
  await putToken('texts', { scopes: ['text'] });
  const client = { id: 'acme', secretSha256: ['0'.repeat(64)], rights: ['check'] };
  expect((await send('root', 'PUT clients/acme', { client })).status).toBe(200);
  const counted = new TextCounter();
  for (let text = 0; text < 1_000; text++)
    counted.count('text-1', 'kr-1', text / 1_000, text < 900 ? 'ordinary' : 'suspicious', text >= 990);
  const drift = (env as unknown as ControlEnv).TEXT_DRIFT.getByName(DRIFT_NAME);
  await drift.report('acme', [
    { day: TODAY, scores: counted.counts() },
    { day: TODAY - 10, scores: counted.counts() },
  ]);
});

test('shows the last 7 days, or those that are asked for, of all clients or of one', async () => {
  const { status, answer } = await send('texts', 'GET text/drift');
  expect([status, answer]).toEqual([
    200,
    {
      ...{ from: day(6), to: day(0), client: null, drifting: [], psiMax: 0.25, canary: null },
      days: [
        {
          ...{ day: day(0), model: 'kr-1', texts: 1_000, labelled: 10, psi: null, baseTexts: 0 },
          bands: { ordinary: 900, review: 0, suspicious: 100 },
          histogram: new Array(20).fill(50),
        },
      ],
    },
  ]);
  const days = async (query: string) => {
    const report = (await send('texts', `GET text/drift?${query}`)).answer as { days: { day: string }[] };
    return report.days.map((each) => each.day);
  };
  expect(await days(`from=${day(20)}`)).toEqual([day(10), day(0)]);
  expect(await days(`from=${day(20)}&to=${day(9)}&client=acme`)).toEqual([day(10)]);
});

test('needs the scope "text"', async () => {
  await putToken('reader', { scopes: ['read', 'statistics'] });
  expect(await send('reader', 'GET text/drift')).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
});

test.each([
  ['from=2026-02-30', 400, 'FIELD_VALUE'],
  ['to=yesterday', 400, 'FIELD_VALUE'],
  [`from=${day(0)}&to=${day(1)}`, 400, 'FIELD_VALUE'],
  [`from=${day(DRIFT_DAYS_KEPT)}`, 400, 'FIELD_VALUE'],
  ['client=nobody', 404, 'CLIENT_UNKNOWN'],
  ['clients=acme', 400, 'FIELD_UNKNOWN'],
])('refuses %s', async (query, status, code) => {
  expect(await send('texts', `GET text/drift?${query}`)).toMatchObject({ status, code });
});
