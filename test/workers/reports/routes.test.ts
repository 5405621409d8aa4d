/** The routes of partners over HTTP, through the real coordinator, desk and objects. */
import { runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import * as v from 'valibot';
import { beforeEach, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import { clientSchema } from '../../../shared/clients.ts';
import {
  REPORT_SHARDS,
  REPORTER_SUBJECTS_PER_DAY_MAX,
  REPORTS_PER_REQUEST_MAX,
} from '../../../shared/limits/intake.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import type { PartnerSettings } from '../../../shared/reports/partner-settings.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { resetPartnerAdmission } from '../../../workers/reports/partner-admission.ts';
import { intakesOf } from '../../../workers/storage/reports-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { bindings } from '../support/reports.ts';
import { ANY } from '../support/room.ts';

const PARTNER: PartnerSettings = {
  ...{ kind: 'subscriber', weight: 1, slices: 2, reportsPerDay: 100_000, mock: false },
};
const SECRET = 'secret-of-a-partner';

beforeEach(async () => {
  await partner('kisa');
});

async function partner(id: string, settings: Partial<PartnerSettings> = {}): Promise<void> {
  const organisation = { ...bareOrganisation(id), partner: { ...PARTNER, ...settings } };
  unwrap(await coordinator().putOrganisation(asAdmin(), id, organisation, ANY));
  const client = { id, organisation: id, rights: ['report'], secretSha256: [await sha256Hex(SECRET)] };
  unwrap(await coordinator().putClient(asAdmin(), id, v.parse(clientSchema, client), ANY));
}

const now = () => new Date().toISOString();
const report = (reportId: string, rest: object = {}) => ({
  ...{ reportId, from: '010-2000-5036', channel: 'sms', at: now(), kind: 'gambling', origin: 'domestic' },
  ...{ reporter: '010-9876-5432', ...rest },
});

interface Item {
  readonly status?: string;
  readonly error?: { readonly code: string };
}

interface Sent {
  readonly status: number;
  readonly body: { readonly results: readonly Item[] };
  readonly headers: Headers;
}

async function post(
  body: unknown,
  { path = '/v1/reports', id = 'kisa', secret = SECRET, type = 'application/json' } = {},
): Promise<Sent> {
  const response = await exports.default.fetch(`https://numgate.test${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${id}.${secret}`, 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const isLines = type === 'application/x-ndjson' && response.ok;
  const parsed = isLines
    ? text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : JSON.parse(text);
  return { status: response.status, body: parsed, headers: response.headers };
}

test('one report, a list and a stream are accepted once, and a repeat is known', async () => {
  const one = report('r:1');
  expect((await post(one)).body).toEqual({ reportId: 'r:1', status: 'accepted' });
  expect((await post(one)).body).toEqual({ reportId: 'r:1', status: 'known' });
  const conflict = await post({ ...one, kind: 'loan' });
  expect(conflict).toMatchObject({ status: 409, body: { code: 'REPORT_CONFLICT', field: 'reportId' } });
  const list = await post({ items: [one, report('r:2'), report('r:3', { reporter: 'subscriber-77' })] });
  expect(list.body.results.map(({ status }) => status)).toEqual(['known', 'accepted', 'accepted']);
  const lines = [report('r:2'), report('r:4')].map((each) => JSON.stringify(each));
  const stream = await post([lines[1], 'no json', '', lines[1]].join('\n'), { type: 'application/x-ndjson' });
  expect(stream.body).toEqual([
    { reportId: 'r:4', status: 'accepted' },
    {
      reportId: null,
      line: 2,
      error: { code: 'JSON_INVALID', message: '"line" is not JSON in UTF-8', field: 'line' },
    },
    {
      reportId: null,
      line: 3,
      error: { code: 'JSON_INVALID', message: '"line" is not JSON in UTF-8', field: 'line' },
    },
    { reportId: 'r:4', status: 'known' },
  ]);
});

test('each line of a stream without a valid ID is located, across the reads of its body', async () => {
  const count = REPORTS_PER_REQUEST_MAX + 2;
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify(report(index % 500 === 1 ? 'a b' : `r${index}`)),
  );
  const { body } = await post([...lines, '{'].join('\n'), { type: 'application/x-ndjson' });
  const located = (body as unknown as { reportId: string | null; line?: number }[]).map(
    ({ reportId, line }) => line ?? reportId,
  );
  expect(located).toEqual([
    ...lines.map((_, index) => (index % 500 === 1 ? index + 1 : `r${index}`)),
    count + 1,
  ]);
});

test.each([
  ['a report too old', { at: '2020-01-01T00:00:00Z' }, 'REPORT_TOO_OLD', 'at', 422],
  ['a report in the future', { at: '2120-01-01T00:00:00Z' }, 'REPORT_IN_FUTURE', 'at', 422],
  ['a test number', { from: '010-0000-0001' }, 'NUMBER_IS_TEST', 'from', 422],
  ['an impossible number', { from: '+82 2 99' }, 'NUMBER_FORMAT_INVALID', 'from', 422],
  ['no reporter', { reporter: undefined }, 'FIELD_MISSING', 'reporter', 400],
  ['an unknown field', { body: 'hello' }, 'FIELD_UNKNOWN', 'body', 400],
  ['a text with half of a surrogate pair', { text: '\ud800' }, 'FIELD_VALUE', 'text', 400],
  ['an invalid ID', { reportId: 'a b' }, 'FIELD_VALUE', 'reportId', 400],
])('%s is refused alone, by field, and nothing is stored', async (_, rest, code, field, status) => {
  const wrong = report('wrong', rest);
  expect(await post(wrong)).toMatchObject({ status, body: { code, field } });
  const { body } = await post({ items: [wrong, report('right')] });
  expect(body.results).toMatchObject([{ error: { code, field } }, { reportId: 'right', status: 'accepted' }]);
  const all = await Promise.all(
    intakesOf({ id: 'kisa', slices: 2 }).map((name) => bindings.REPORTS.getByName(name).status()),
  );
  expect(all.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBe(1);
});

test('requests are bounded, and their fields are closed', async () => {
  const many = Array.from({ length: REPORTS_PER_REQUEST_MAX + 1 }, (_, index) => report(`r${index}`));
  const codes: [unknown, string, string?][] = [
    [{ items: many }, 'ITEMS_TOO_MANY', 'items'],
    [{ items: [] }, 'FIELD_VALUE', 'items'],
    [{ items: {} }, 'FIELD_TYPE', 'items'],
    [{ items: [], more: 1 }, 'FIELD_UNKNOWN', 'more'],
    ['[]', 'FIELD_TYPE', 'body'],
    ['', 'BODY_MISSING'],
  ];
  for (const [body, code, field] of codes) {
    expect((await post(body)).body).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
  }
  expect((await post('a,b', { type: 'text/csv' })).status).toBe(415);
});

test('only a client of an active partner with the right may report', async () => {
  expect(await post(report('1'), { secret: 'wrong' })).toMatchObject({
    status: 401,
    body: { code: 'UNAUTHENTICATED' },
  });
  const plain = {
    id: 'plain',
    rights: ['check'],
    organisation: 'kisa',
    secretSha256: [await sha256Hex(SECRET)],
  };
  unwrap(await coordinator().putClient(asAdmin(), 'plain', v.parse(clientSchema, plain), ANY));
  expect((await post(report('1'), { id: 'plain' })).status).toBe(401);
  const suspended = { ...bareOrganisation('kisa'), partner: PARTNER, state: 'suspended' as const };
  unwrap(await coordinator().putOrganisation(asAdmin(), 'kisa', suspended, ANY));
  resetPartnerAdmission();
  expect((await post(report('1'))).status).toBe(401);
});

test('a report over the budget of a day is refused with a time, and known ones still are known', async () => {
  await partner('small', { slices: 1, reportsPerDay: 2 });
  const all = ['1', '2', '3'].map((id) => report(id));
  const { body, headers } = await post({ items: all }, { id: 'small' });
  expect(body.results.map(({ status, error }) => status ?? error?.code)).toEqual([
    'accepted',
    'accepted',
    'QUOTA_EXCEEDED',
  ]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  const alone = await post(all[2], { id: 'small' });
  expect(alone).toMatchObject({ status: 429, body: { code: 'QUOTA_EXCEEDED', field: 'reportId' } });
  expect(alone.headers.get('retry-after')).not.toBeNull();
  expect((await post(all[0], { id: 'small' })).body).toEqual({ reportId: '1', status: 'known' });
});

test('what is withdrawn stays withdrawn, and its ID is not free again', async () => {
  const one = report('r1');
  await post(one);
  const path = '/v1/reports/withdraw';
  const withdrawn = {
    results: [
      { reportId: 'r1', status: 'withdrawn' },
      { reportId: 'r2', status: 'unknown' },
    ],
  };
  expect((await post({ reportIds: ['r1', 'r2'] }, { path })).body).toEqual(withdrawn);
  expect((await post({ reportIds: ['r1', 'r2'] }, { path })).body).toEqual(withdrawn);
  expect((await post(one)).body).toEqual({ reportId: 'r1', status: 'withdrawn' });
  expect((await post({ ...one, kind: 'loan' })).body).toMatchObject({
    code: 'REPORT_CONFLICT',
    message: expect.stringContaining('withdrawn'),
  });
  expect(await post({ reportIds: [] }, { path })).toMatchObject({
    status: 400,
    body: { field: 'reportIds' },
  });
  await vi.waitFor(
    async () => expect(await totals()).toMatchObject({ received: 1, counted: 0, withdrawn: 1 }),
    HANG_MS,
  );
});

test('a reporter who reports everybody is counted for a bounded number of subjects a day', async () => {
  const all = Array.from({ length: REPORTER_SUBJECTS_PER_DAY_MAX + 10 }, (_, index) =>
    report(`r${index}`, { from: `010-2000-${1_000 + index}` }),
  );
  await post({ items: all });
  await vi.waitFor(async () => expect((await totals()).received).toBe(all.length), HANG_MS);
  expect(await totals()).toMatchObject({ counted: REPORTER_SUBJECTS_PER_DAY_MAX, overBudget: 10 });
});

test('a mock partner reports test numbers alone, in subjects of their own', async () => {
  await partner('mock', { mock: true });
  expect((await post(report('1'), { id: 'mock' })).body).toMatchObject({
    code: 'NUMBER_NOT_TEST',
    field: 'from',
  });
  const { body } = await post(report('1', { from: '010-0000-0001' }), { id: 'mock' });
  expect(body).toEqual({ reportId: '1', status: 'accepted' });
});

test('neither reporters nor reported numbers are in clear in any table, log or answer', async () => {
  const logs: string[] = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void logs.push(line));
  const [from, reporter] = ['01020005036', '01098765432'];
  const answers = [
    await post({ items: [report('1'), report('2', { at: '2020-01-01T00:00:00Z' })] }),
    await post({ ...report('3'), from: `${from}x` }),
    await post({ reportIds: ['1'] }, { path: '/v1/reports/withdraw' }),
  ];
  await vi.waitFor(async () => expect((await totals()).withdrawn).toBe(1), HANG_MS);
  const text = [...logs, ...answers.map(({ body }) => JSON.stringify(body)), ...(await allRows())].join('\n');
  expect(text).toContain('"relay_code"');
  for (const digits of [from, reporter]) {
    // The last digits, in any written form of the number.
    expect(text.replaceAll(/[\s-]/g, '')).not.toContain(digits.slice(1));
    expect(text.replaceAll(/[\s-]/g, '')).not.toContain(digits.slice(3));
  }
});

async function totals() {
  const all = await Promise.all(
    Array.from({ length: REPORT_SHARDS }, (_, shard) => bindings.SUBJECTS.getByName(String(shard)).totals()),
  );
  const sum = (name: 'received' | 'counted' | 'overBudget' | 'withdrawn') =>
    all.reduce((total, each) => total + each[name], 0);
  return {
    received: sum('received'),
    counted: sum('counted'),
    overBudget: sum('overBudget'),
    withdrawn: sum('withdrawn'),
  };
}

/** All rows of all objects that process reports, as text. */
async function allRows(): Promise<string[]> {
  const { REPORTS, REPORTERS, SUBJECTS, RESPONSE } = env as unknown as ControlEnv;
  const shards = Array.from({ length: REPORT_SHARDS }, (_, shard) => String(shard));
  const stubs = [
    ...intakesOf({ id: 'kisa', slices: 2 }).map((name) => REPORTS.getByName(name)),
    ...shards.map((shard) => REPORTERS.getByName(shard)),
    ...shards.map((shard) => SUBJECTS.getByName(shard)),
    RESPONSE.getByName('main'),
  ] as unknown as DurableObjectStub[];
  const rows = await Promise.all(
    stubs.map((stub) =>
      runInDurableObject(stub, (_, { storage }) =>
        storage.sql
          .exec<{ name: string }>(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
          )
          .toArray()
          .flatMap(({ name }) =>
            storage.sql
              .exec(`SELECT * FROM "${name}"`)
              .toArray()
              .map((row) => JSON.stringify(row)),
          ),
      ),
    ),
  );
  return rows.flat();
}
