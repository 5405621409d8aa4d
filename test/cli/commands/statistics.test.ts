/** `statistics`: months, tables, CSV, traces and corrections, against a canned admin API. */
import '../support/workspace.ts';
import { beforeEach, expect, it } from 'vitest';
import { newVersion, type PublishedMonth, publishedTables } from '../../../shared/statistics/published.ts';
import { frameOf } from '../../../shared/statistics/tables.ts';
import { numgate } from '../support/command.ts';
import { fakeService, problem, type ReceivedRequest, type Reply } from '../support/fake-service.ts';

const COUNTS = {
  ...{ 'source:subscriber': 1_300, notSpam: 0, 'relay:ABCD': 1_290 },
  ...{ 'text-kind:loan': 1_204, 'text-kind:adult': 93, 'text-kind:driver': 3 },
  ...{ 'text-route:bulk': 1_300, 'text-origin:domestic': 1_300 },
};
const FRAME = frameOf(COUNTS, [{ code: 'ABCD', name: '하나\u001b[2J문자', isReseller: false }]);
const KEPT = newVersion(FRAME, COUNTS, {}, [], new Map());
const INFO = {
  ...{ month: '2026-11', version: 2, provisional: false, at: '2026-12-09T01:00:00.000Z' },
  ...{ digest: 'a'.repeat(64), reason: 'a key leaked' },
};
const MONTH: PublishedMonth = { ...INFO, timeZone: 'Asia/Seoul', tables: publishedTables(KEPT) };
const TABLE = MONTH.tables.find(({ table }) => table === 'text-by-kind')!;

let requests: ReceivedRequest[];

async function answering(...answers: Reply[]): Promise<void> {
  const service = await fakeService((_, count) => answers[count - 1] ?? answers.at(-1)!);
  requests = service.requests;
  process.env.NUMGATE_URL = service.url;
  process.env.NUMGATE_TOKEN = 'root.x';
}

beforeEach(() => {
  requests = [];
});

it('lists closed months over several pages', async () => {
  const page = { first: '2026-05', current: '2026-12', timeZone: 'Asia/Seoul' };
  const closed = (month: string) => ({ month, version: 1, at: INFO.at, digest: INFO.digest });
  await answering(
    { body: { ...page, months: [closed('2026-11')], next: '2026-11' } },
    { body: { ...page, months: [closed('2026-10')], next: null } },
  );
  const { code, out } = await numgate('statistics');
  expect([code, requests.map(({ path }) => path)]).toEqual([
    ...[0, ['/v1/statistics', '/v1/statistics?before=2026-11']],
  ]);
  expect(out).toMatch(/2026-11 .*1.*2026-12-09[\s\S]*2026-10/);
  expect(out).toContain('not closed: 2026-12');
});

it('shows the tables of a month, with dashes for hidden cells, and escapes names', async () => {
  await answering({ body: MONTH });
  const { code, out } = await numgate('statistics', '2026-11');
  expect([code, requests[0]!.path]).toEqual([0, '/v1/statistics/2026-11']);
  expect(out).toContain('2026-11 (Asia/Seoul), version 2');
  expect(out).toMatch(/illegal loans +│ +1,204 │ +92\.6 %/);
  expect(out).toMatch(/designated drivers +│ +- │/);
  expect(out).not.toContain('\u001b');
  const json = await numgate('statistics', '2026-11', '--json');
  expect(JSON.parse(json.out)).toEqual(MONTH);
});

it('shows one table of a version in Korean, or all as CSV', async () => {
  const { tables: _, ...info } = MONTH;
  await answering({ body: { ...info, ...TABLE } });
  const one = await numgate(
    'statistics',
    '2026-11',
    '--table',
    'text-by-kind',
    '--of-version',
    '1',
    '--korean',
  );
  expect(requests[0]!.path).toBe('/v1/statistics/2026-11/text-by-kind?version=1');
  expect(one.out).toMatch(/문자 스팸 유형별[\s\S]*불법 대출 +│ +1,204[\s\S]*합계 +│ +1,300/);
  await answering({ body: MONTH });
  const csv = await numgate('statistics', '2026-11', '--csv');
  expect(csv.out).toContain('month,version,table,key,name,name_ko,count,share,hidden\n');
  expect(csv.out).toContain('2026-11,2,text-by-kind,driver,designated drivers,대리운전,,,yes\n');
});

it('traces a table to its sources', async () => {
  const cell = { key: 'loan', count: 1_204, hidden: false, further: 4 };
  const sources = [{ source: 'reports kisa/0', count: 1_200 }];
  const trace = { ...INFO, table: 'text-by-kind', salt: '', exactDigest: '', cells: [{ ...cell, sources }] };
  await answering({ body: trace });
  const { out } = await numgate('statistics', '2026-11', '--table', 'text-by-kind', '--trace');
  expect(requests[0]!.path).toBe('/v1/statistics/2026-11/text-by-kind/trace');
  expect(out).toMatch(/1,200 │ +│ reports kisa\/0[\s\S]*4 │ +│ further sources/);
});

it('corrects a month with a reason', async () => {
  await answering({ body: { month: '2026-11', version: 1, isCorrecting: true } });
  const { code, out } = await numgate('statistics', '2026-11', '--correct', '--reason', 'a key leaked');
  expect([code, requests[0]!.method, requests[0]!.path]).toEqual([
    ...[0, 'POST', '/v1/admin/statistics/2026-11/corrections'],
  ]);
  expect(requests[0]!.body).toEqual({ reason: 'a key leaked' });
  expect(out).toContain('version 2 follows');
});

it.each([
  [['statistics', '--csv'], "missing argument 'month'"],
  [['statistics', '2026-11', '--trace'], 'add --table'],
  [['statistics', '2026-11', '--correct'], "required option '--reason <text>' not specified"],
  [['statistics', '2026-11', '--table', 'text-by-weather'], 'Allowed choices are'],
])('%j exits with 2', async (args, message) => {
  await answering({ body: MONTH });
  const { code, errors } = await numgate(...args);
  expect([code, requests]).toEqual([2, []]);
  expect(errors).toContain(message);
});

it('names the problem of a month that is not closed', async () => {
  await answering(problem(409, 'MONTH_NOT_OVER'));
  const { code, errors } = await numgate('statistics', '2026-11', '--of-version', '1');
  expect(code).toBe(4);
  expect(errors).toContain('MONTH_NOT_OVER');
});
