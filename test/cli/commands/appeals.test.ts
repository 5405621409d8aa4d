/** `appeals`: the requests that it sends, and its output, against a service with canned responses. */
import '../support/workspace.ts';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import type { AppealDetails, AppealInfo, AppealSummary } from '../../../shared/admin/appeals.ts';
import { numgate } from '../support/command.ts';
import { fakeService, problem, type ReceivedRequest, type Reply } from '../support/fake-service.ts';

const AT = '2026-11-24T03:12:09.000Z';

const APPEAL: AppealInfo = {
  ...{ id: 17, state: 'received', subject: 'from', number: '+821030000001', source: null },
  ...{ list: 'live', entrySeq: 41, code: 'SENDER_REPORTED', authority: 'ktoa', receivedAt: AT },
  ...{ appellants: 7, claimedBy: null, claimedUntil: null, decidedBy: null, decidedAt: null },
  ...{ rejection: null, seq: null },
};
const ACCEPTED: AppealInfo = {
  ...APPEAL,
  ...{ state: 'accepted', decidedBy: 'token:ktoa', decidedAt: AT, seq: 1850 },
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

it('list reads all pages, and shows number, block and who has claimed it', async () => {
  const second = { ...APPEAL, id: 18, number: null, source: 'BANK\u202e', claimedBy: 'token:kt' };
  const { code, out, sent } = await run(
    ({ path }) =>
      path.includes('after=17')
        ? { body: { appeals: [second], next: null } }
        : { body: { appeals: [APPEAL], next: 17 } },
    ...['appeals', 'list', '--limit', '150'],
  );
  expect(code).toBe(0);
  expect(sent.map(([, path]) => path)).toEqual([
    'appeals?show=open&after=0&limit=100',
    'appeals?show=open&after=17&limit=100',
  ]);
  expect(out).toMatch(/17 +│ received │ from +│ \+821030000001 +│ SENDER_REPORTED │ live \(seq 41\) of ktoa/);
  const none = await run(() => ({ body: { appeals: [], next: null } }), 'appeals', 'list');
  expect(none.out).toContain('no open appeals (--show all');
  expect(out).toMatch(/18 +│.*BANK\\u202e.*token:kt/);
});

it('show has the statements line by line, and what blocks the number now', async () => {
  const details: AppealDetails = {
    ...APPEAL,
    statements: [{ at: AT, statement: 'It is ours.\n\u001b[2JThe bank', contact: 'desk@bank.example' }],
    blocks: [{ list: 'kr-suspended', seq: null, code: 'NUMBER_SUSPENDED', authority: 'ktoa' }],
    ruleBlock: { id: '5', rule: 'kr-50@1', state: 'provisional' },
  };
  const { out } = await run(() => ({ body: details }), 'appeals', 'show', '17');
  expect(out).toContain('now blocked by kr-suspended of ktoa (NUMBER_SUSPENDED)');
  expect(out).toContain('rule block 5 of kr-50@1 is provisional: npx numgate rule-blocks show 5\n');
  expect(out).toContain('contact: desk@bank.example\n    It is ours.\n    \\u001b[2JThe bank\n');
  expect(out).toContain('and 6 further appeals against the same block');
});

it('accept sends what the change needs, and names the seq; without a block there is nothing to wait for', async () => {
  const options = ['--reason', 'shown', '--override', 'protected-number', '--override-authority', 'skt'];
  const { out, sent } = await run(() => ({ body: ACCEPTED }), 'appeals', 'accept', '17', ...options);
  const body = { reason: 'shown', overrides: ['protected-number'], overrideAuthorities: ['skt'] };
  expect(sent).toEqual([['POST', 'appeals/17/accept', body]]);
  expect(out).toContain('appeal 17 is accepted (seq 1850)\n');
  expect(out).toContain('npx numgate watch --seq 1850');
  const ended = { ...ACCEPTED, state: 'noLongerBlocked', seq: null };
  const closed = await run(() => ({ body: ended }), 'appeals', 'accept', '17', '--reason', 'x', '--wait');
  expect(closed.out).toBe('appeal 17 is noLongerBlocked: the block had already ended\n');
});

it('shows the campaign of a text, and says that accepting revokes it for everybody', async () => {
  const campaign = { code: 'TEXT_CAMPAIGN', list: 'c-17', entrySeq: null, subject: 'to' } as const;
  const appeal: AppealInfo = { ...APPEAL, ...campaign };
  const list = await run(() => ({ body: { appeals: [appeal], next: null } }), 'appeals', 'list');
  expect(list.out).toMatch(/17 +│ received │ text +│ campaign c-17 +│ TEXT_CAMPAIGN │ c-17 of ktoa/);
  expect(list.out).not.toContain('+821030000001');
  const blocks = [{ list: 'c-17', seq: null, code: 'TEXT_CAMPAIGN', authority: 'ktoa' }];
  const details: AppealDetails = { ...appeal, statements: [], blocks, ruleBlock: null };
  const { out } = await run(() => ({ body: details }), 'appeals', 'show', '17');
  expect(out).toContain('appeal 17: text campaign c-17, TEXT_CAMPAIGN, c-17 of ktoa\n');
  expect(out).toContain('accepting the appeal revokes campaign c-17 for everybody');
  const done = { ...ACCEPTED, ...campaign, seq: null };
  const accepted = await run(() => ({ body: done }), 'appeals', 'accept', '17', '--reason', 'x');
  expect(accepted.out).toBe(
    'appeal 17 is accepted: campaign c-17 is revoked for everybody, and texts like it are no longer blocked\n',
  );
});

it('reject needs a code and a reason; a claim of another admin is a failure', async () => {
  const refuse = () => problem(409, 'APPEAL_CLAIMED');
  expect(await run(refuse, 'appeals', 'reject', '17', '--reason', 'x')).toMatchObject({ code: 2, sent: [] });
  expect(await run(refuse, 'appeals', 'reject', '17', '--code', 'HOLDER_UNPROVEN')).toMatchObject({
    code: 2,
  });
  const args = ['appeals', 'reject', '17', '--code', 'HOLDER_UNPROVEN', '--reason', 'x'];
  const { code, errors, sent } = await run(refuse, ...args);
  expect(sent).toEqual([['POST', 'appeals/17/reject', { code: 'HOLDER_UNPROVEN', reason: 'x' }]]);
  expect([code, errors]).toEqual([4, expect.stringContaining('the message of APPEAL_CLAIMED')]);
});

it('summary shows what waits and how long decisions took', async () => {
  const summary: AppealSummary = {
    ...{ open: 1, oldestAt: AT, decided: { accepted: 41, rejected: 7, noLongerBlocked: 2 } },
    ...{ medianSeconds: 2_460.4, p90Seconds: null },
  };
  const { out } = await run(() => ({ body: summary }), 'appeals', 'summary');
  expect(out).toContain(`1 appeal is waiting, the oldest since ${AT}`);
  expect(out).toContain('median 2,460 s, p90 none');
});

it('audit writes the chain line by line, from a record on', async () => {
  const record = JSON.stringify({ n: 8, hash: 'ab' });
  const pages = ({ path }: ReceivedRequest): Reply => ({
    body: path.includes('after=7') ? `${record}\n` : '',
  });
  const { code, out, sent } = await run(pages, 'appeals', 'audit', '--after', '7');
  expect([code, out]).toEqual([0, `${record}\n`]);
  expect(sent.map(([, path]) => String(path).split('?')[0])).toEqual(['appeals/audit', 'appeals/audit']);
});
