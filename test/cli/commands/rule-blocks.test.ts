/** `rule-blocks` and `partners`: the requests that they send, and their output, against a service with canned responses. */
import '../support/workspace.ts';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { PartnerInfo, RuleBlockInfo } from '../../../shared/admin/rule-blocks.ts';
import { numgate } from '../support/command.ts';
import { fakeService, problem, type ReceivedRequest, type Reply } from '../support/fake-service.ts';

const AT = '2026-11-24T03:12:09.000Z';

const BLOCK: RuleBlockInfo = {
  ...{
    id: '17',
    number: '+821030000001',
    source: null,
    campaign: null,
    state: 'provisional',
    cause: null,
    mock: false,
  },
  ...{ rule: 'kr-50@1', distinct: 52, kinds: ['subscriber', 'police'] },
  grounds: [
    {
      ...{ rule: 'kr-50@1', channel: 'sms', distinct: 52, partners: { skt: 20, kt: 20, lgu: 12 } },
      ...{ kinds: ['subscriber'], firedAt: AT, confirmed: false },
    },
  ],
  evidence: { registered: ['acme', 'beta'], certified: ['acme'], perThousand: 0.0524 },
  ...{ confirmedBy: null, actions: [], until: '2026-11-27T03:12:09.000Z', seq: 41, pending: false },
  ...{ createdAt: AT, updatedAt: AT },
};

const PARTNER: PartnerInfo = {
  ...{ organisation: 'skt', kind: 'subscriber', mock: false, weight: 1, record: 0.52, effectiveWeight: 0.52 },
  ...{ confirmed: 12, appealed: 1 },
  withdrawal: {
    ...{ since: AT, requestedAt: AT, by: 'token:ktoa', reason: 'its key leaked', state: 'running' },
    withdrawn: 1_200,
  },
  reports: { acknowledged: 90_000, withdrawn: 1_200, overBudget: 3, waiting: 0 },
};

/** Runs a command against a service with these replies. */
async function run(reply: (request: ReceivedRequest) => Reply, ...args: string[]) {
  const { url, requests } = await fakeService(reply);
  process.env.NUMGATE_URL = url;
  process.env.NUMGATE_TOKEN = 'ktoa.secret';
  const { code, out, errors } = await numgate(...args);
  const sent = requests.map(({ method, path, body }) => [method, path.replace('/v1/admin/', ''), body]);
  return { code, out: stripVTControlCharacters(out), errors, sent };
}

describe('rule-blocks', () => {
  it('list filters, reads all pages, and shows number, state, rule and reporters', async () => {
    const second = { ...BLOCK, id: '18', state: 'proposed', cause: 'registered', mock: true } as const;
    const { code, out, sent } = await run(
      ({ path }) =>
        path.includes('after=17')
          ? { body: { ruleBlocks: [second], next: null } }
          : { body: { ruleBlocks: [BLOCK], next: '17' } },
      ...['rule-blocks', 'list', '--rule', 'kr-50', '--limit', '300'],
    );
    expect(code).toBe(0);
    expect(sent.map(([, path]) => path)).toEqual([
      'rule-blocks?rule=kr-50&limit=300',
      'rule-blocks?rule=kr-50&after=17&limit=299',
    ]);
    expect(out).toMatch(/17 │ \+821030000001 +│ provisional +│ kr-50@1 │ +52 │ subscriber police/);
    expect(out).toMatch(/18 │ \+821030000001 \(mock\) │ proposed: registered/);
    const newest = await run(
      () => ({ body: { ruleBlocks: [], next: null } }),
      ...['rule-blocks', 'list', '--open', '--newest'],
    );
    expect(newest.sent.map(([, path]) => path)).toEqual(['rule-blocks?state=open&order=newest&limit=200']);
    const unknown = await run(
      ({ path }) =>
        path.endsWith('/versions') ? problem(404, 'RULE_UNKNOWN') : { body: { ruleBlocks: [], next: null } },
      ...['rule-blocks', 'list', '--rule', 'nope'],
    );
    expect([unknown.code, unknown.errors]).toEqual([1, expect.stringContaining('there is no rule nope')]);
  });

  it('show has what the block rests on, and what speaks against it', async () => {
    const member = { id: '17', number: '+821030000001', state: 'proposed', distinct: 52 } as const;
    const { out } = await run(() => ({ body: { ...BLOCK, members: [member] } }), 'rule-blocks', 'show', '17');
    expect(out).toContain(`rule block 17: +821030000001 is provisional since ${AT}`);
    expect(out).toContain('registered by acme (certified), beta; 0.052 reporters per thousand');
    expect(out).toMatch(/kr-50@1 │ sms +│ +52 │ subscriber │ skt 20/);
    expect(out).toMatch(/17 │ \+821030000001 │ proposed │ +52/);
    const actions = [{ action: 'dismiss', by: 'token:ktoa', at: AT, reason: 'a bank' }] as const;
    const dismissed = await run(() => ({ body: { ...BLOCK, actions } }), 'rule-blocks', 'show', '17');
    expect(dismissed.out).toContain(`dismissed by token:ktoa at ${AT}: a bank`);
    const lost = { ...BLOCK, number: null, evidence: null };
    const other = await run(() => ({ body: lost }), 'rule-blocks', 'show', '17');
    expect(other.out).toContain('(cannot be read: the key of reports is lost)');
    expect(other.out).toContain('the counter-evidence could not be read');
  });

  it('acts on several blocks with one reason, and shows the change to watch for', async () => {
    const { code, out, sent } = await run(
      ({ path }) => ({
        body: { ...BLOCK, id: path.includes('/17/') ? '17' : '18', state: 'lifted', until: null },
      }),
      ...['rule-blocks', 'lift', '17', '18', '--reason', 'the numbers of a hospital'],
    );
    expect(code).toBe(0);
    const body = { reason: 'the numbers of a hospital' };
    expect(sent).toEqual([
      ['POST', 'rule-blocks/17/lift', body],
      ['POST', 'rule-blocks/18/lift', body],
    ]);
    expect(out).toContain(
      'rule block 18 is lifted (seq 41)\n  to wait until it is visible: npx numgate watch --seq 41',
    );
  });

  it('looks a number up with a body, and has the refusal of the coordinator', async () => {
    const found = await run(() => ({ body: { ruleBlocks: [] } }), 'rule-blocks', 'find', '010-3000-0001');
    expect(found.sent).toEqual([['POST', 'rule-blocks/find', { from: '010-3000-0001' }]]);
    expect(found.out).toBe('no rule blocks\n');
    const refused = await run(
      () => problem(422, 'RULE_BLOCK_REFUSED', { state: 'proposed' }),
      ...['rule-blocks', 'approve', '17', '--reason', 'a scam'],
    );
    expect([refused.code, refused.errors]).toEqual([1, expect.stringContaining('RULE_BLOCK_REFUSED')]);
    expect((await run(() => ({}), 'rule-blocks', 'approve', '17')).code).toBe(2);
    const wrong = await run(() => ({}), 'rule-blocks', 'approve', '17', 'x', '--reason', 'a scam');
    expect([wrong.code, wrong.errors]).toEqual([2, expect.stringContaining('must be a whole number')]);
  });
});

describe('partners', () => {
  it('are listed with weight and record, and shown with their reports and a withdrawal', async () => {
    const list = await run(() => ({ body: { partners: [PARTNER] } }), 'partners', 'list');
    expect(list.out).toMatch(/skt +│ subscriber │ +1 │ +0\.52 │ +0\.52 │ +12 │ +1 │ running/);
    const { out } = await run(() => ({ body: PARTNER }), 'partners', 'show', 'skt');
    expect(out).toContain('90,000 reports, 1,200 withdrawn, 3 beyond the budgets of their reporters');
    expect(out).toContain(
      `withdrawal of reports since ${AT}: running, 1,200 so far; requested by token:ktoa`,
    );
  });

  it('withdraw names the time and the reason', async () => {
    const { sent } = await run(
      () => ({ body: PARTNER }),
      ...['partners', 'withdraw', 'skt', '--since', '2026-11-24', '--reason', 'its key leaked'],
    );
    const reports = { ...PARTNER.reports!, waiting: 7 };
    const done = { ...PARTNER, reports, withdrawal: { ...PARTNER.withdrawal!, state: 'done' } };
    const behind = await run(() => ({ body: done }), 'partners', 'show', 'skt');
    expect(behind.out).toContain('withdrawn; the counts follow within seconds, 1,200 so far');
    const body = { since: '2026-11-23T15:00:00.000Z', reason: 'its key leaked' };
    expect(sent).toEqual([['POST', 'partners/skt/withdraw', body]]);
  });
});
