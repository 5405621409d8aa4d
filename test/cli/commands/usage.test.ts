/** `usage`: the report of the admin API, page by page, as a table, CSV or JSON. */
import '../support/workspace.ts';
import { beforeEach, expect, it } from 'vitest';
import { NO_COUNTS } from '../../../shared/usage/counts.ts';
import { type ClientReport, figuresOf, type UsageReport } from '../../../shared/usage/report.ts';
import { numgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';

const figures = { ...figuresOf(NO_COUNTS), requests: 3, errors: 1, numbers: 12_000 };
const verdicts = { allow: 10, label: 0, indeterminate: 1, block: 2 };

function clientOf(client: string, rest: Partial<ClientReport> = {}): ClientReport {
  return {
    client,
    organisation: 'kt',
    lastUsedAt: '2026-11-24T03:00:00.000Z',
    ...figures,
    verdicts,
    names: null,
    ...rest,
  };
}

function reportOf(clients: ClientReport[], rest: Partial<UsageReport> = {}): { body: string } {
  const span = { from: '2026-11-24T00:00:00.000Z', to: '2026-11-25T00:00:00.000Z' };
  return { body: JSON.stringify({ ...span, by: null, clients, next: null, ...rest }) };
}

let urls: string[];

async function answering(...answers: { body: string }[]): Promise<void> {
  const { url } = await fakeService((request, count) => {
    urls.push(request.path);
    return answers[count - 1] ?? answers.at(-1)!;
  });
  process.env.NUMGATE_URL = url;
  process.env.NUMGATE_TOKEN = 'root.x';
}

beforeEach(() => {
  urls = [];
});

it('lists all clients over several pages', async () => {
  await answering(reportOf([clientOf('a')], { next: 'a' }), reportOf([clientOf('b', { lastUsedAt: null })]));
  const { code, out } = await numgate('usage', '--from', '2026-11-24');
  expect(code).toBe(0);
  expect(out).toMatch(/a .*kt.*2026-11-24T03:00:00\.000Z.*12,000/);
  expect(out).toMatch(/b .*never/);
  expect(urls).toEqual(['/v1/admin/usage?from=2026-11-24', '/v1/admin/usage?from=2026-11-24&after=a']);
});

it('shows one client by hour, and by a dimension as CSV', async () => {
  const periods = [{ at: '2026-11-24T03:00:00.000Z', hours: 1, ...figures, verdicts }];
  await answering(reportOf([clientOf('a', { periods })]));
  expect((await numgate('usage', 'a', '--csv')).out).toBe(
    'from,hours,requests,errors,numbers,invalid items,allow,label,indeterminate,block,unenforced\n' +
      '2026-11-24T03:00:00.000Z,1,3,1,12000,0,10,0,1,2,0\n',
  );
  await answering(
    reportOf([clientOf('a', { names: [{ name: 'LIST_STALE', ...verdicts }] })], { by: 'code' }),
  );
  expect((await numgate('usage', 'a', '--by', 'code', '--csv')).out).toBe(
    'client,code,allow,label,indeterminate,block\na,LIST_STALE,10,0,1,2\n',
  );
});

it('prints the report with --json, and refuses an unknown dimension', async () => {
  await answering(reportOf([clientOf('a')]));
  expect(JSON.parse((await numgate('--json', 'usage')).out)).toMatchObject({ clients: [{ client: 'a' }] });
  const { code, errors } = await numgate('usage', '--by', 'number');
  expect(code).toBe(2);
  expect(errors).toContain('channel, code, list, country, operator');
});
