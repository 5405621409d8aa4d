/**
 * `/v1/admin/rules`, and the rehearsal of a rule over the counted reports of subjects, with blocks of that time, an appeal, and
 * a mock partner.
 */

import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import type { RehearsalPage } from '../../../shared/admin/rules.ts';
import { REPORT_SHARDS } from '../../../shared/limits/intake.ts';
import type { PartnerKind } from '../../../shared/reports/partner.ts';
import type { ReportSubject } from '../../../shared/reports/report.ts';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import { DEFAULT_RULES } from '../../../shared/reports/rule.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { ResponseDesk } from '../../../workers/response/response-desk.ts';
import { type CountRow, shardOf } from '../../../workers/storage/reports-port.ts';
import { RESPONSE_NAME } from '../../../workers/storage/response-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { freshControl, logged, putToken, send } from '../support/admin.ts';
import { NOON } from '../support/room.ts';

freshControl();

const { SUBJECTS, RESPONSE } = env as unknown as ControlEnv;
const desk = () => RESPONSE.getByName(RESPONSE_NAME) as unknown as ResponseDesk;

const { id: _, version: _version, ...KR_50 } = DEFAULT_RULES.find(({ id }) => id === 'kr-50')!;
const [MOBILE, ABROAD, TEST]: ReportSubject[] = [
  { kind: 'number', n: 82_10_3000_0001 },
  { kind: 'number', n: 8_613_800_138_000 },
  { kind: 'number', n: 82_10_0000_0001 },
];
const PARTNERS = ['skt', 'kt', 'lgu'];

/** Reports from an hour ago, from `each` reporters of each partner. */
async function report(
  subject: ReportSubject,
  each: number,
  settings: Partial<CountRow> & { mock?: boolean } = {},
) {
  const { mock = false, ...more } = settings;
  const keys = await ReportKeys.open(await desk().reportKey());
  const key = await keys.subject(subject, mock);
  const seals = { [key]: await keys.seal(subject) };
  for (const id of PARTNERS) {
    const rows = Array.from(
      { length: each },
      (_, i): CountRow => ({
        ...{
          op: 'report',
          seq: i + 1,
          subject: key,
          reporter: `${id}-${i}`.padEnd(22, 'x'),
          isCounted: true,
        },
        ...{ at: NOON - 3_600_000, channel: 'sms', spam: 'loan', origin: 'domestic' },
        ...(more as object),
      }),
    );
    const source = { intake: `${id}/${key}`, id, kind: 'subscriber' as PartnerKind, mock };
    await SUBJECTS.getByName(shardOf(key)).apply(source, 1, rows, seals);
  }
}

const states = async () => (await desk().ruleBlocks({}, 0, 10)).ruleBlocks.map(({ state }) => state);
const rehearse = (rule: object, more: object = {}) =>
  send('root', 'POST rules/rehearse', { rule, ...more }, { isLookUp: true });

async function rehearseAll(rule: object): Promise<RehearsalPage[]> {
  const pages: RehearsalPage[] = [];
  for (let after: string | null = null; pages.length === 0 || after !== null; ) {
    const { status, answer } = await rehearse(rule, { after });
    expect(status).toBe(200);
    pages.push(answer as unknown as RehearsalPage);
    after = pages.at(-1)!.next;
  }
  return pages;
}

test('a rehearsal shows what a rule would have done, and what became of the blocks of then', async () => {
  const partner = { kind: 'subscriber' };
  for (const id of PARTNERS) {
    const organisation = { id, displayName: id, partner };
    expect((await send('root', `PUT organisations/${id}`, { organisation })).status).toBe(200);
  }
  await report(MOBILE!, 17);
  await report(ABROAD!, 7, { origin: 'overseas' } as Partial<CountRow>);
  await report(TEST!, 17, { mock: true });
  await vi.waitFor(
    async () => expect((await states()).sort()).toEqual(['provisional', 'provisional', 'provisional']),
    HANG_MS,
  );
  const actor = { name: 'token:root', scopes: [], root: true, organisation: null, authority: 'root' };
  const won = await desk().appealWon({ actor, reason: 'test', repeat: null }, MOBILE!, Date.now());
  expect(won.ok).toBe(true);

  const pages = await rehearseAll(KR_50);
  expect(pages).toHaveLength(REPORT_SHARDS);
  expect(pages.map(({ progress }) => progress)).toEqual(pages.map((_, i) => (i + 1) / REPORT_SHARDS));
  const senders = pages.flatMap((page) => page.senders);
  expect(senders).toEqual([{ sender: 'krMobile', fires: 1, blocked: 1, appealed: 1, missed: 0 }]);
  expect(pages.map(({ blockedBy }) => blockedBy).filter((each) => 'kr-50' in each)).toEqual([{ 'kr-50': 1 }]);

  const abroad = async (rule: object) => {
    const keys = await ReportKeys.open(await desk().reportKey());
    const after = `${shardOf(await keys.subject(ABROAD!, false))}/`;
    const { senders } = (await rehearse(rule, { after })).answer as unknown as RehearsalPage;
    return senders.find(({ sender }) => sender === 'foreign');
  };
  // The overseas rule blocked this sender then. The tested rule would block it too with as few reporters, but not for calls.
  const then = { sender: 'foreign', fires: 1, blocked: 1, appealed: 0, missed: 0 };
  expect(await abroad({ ...KR_50, distinct: 20, state: 'off' })).toEqual(then);
  const missed = { sender: 'foreign', fires: 0, blocked: 0, appealed: 0, missed: 1 };
  expect(await abroad({ ...KR_50, distinct: 20, channel: 'voice' })).toEqual(missed);
  expect(JSON.stringify(pages)).not.toMatch(/3000/);

  // A rule for campaigns counts these reports, and no other rule does.
  await report({ kind: 'campaign', id: 17 }, 17, { target: 'campaign' });
  const ofTexts = (await rehearseAll({ ...KR_50, target: 'campaign' })).flatMap((page) => page.senders);
  expect(ofTexts).toEqual([{ sender: 'campaign', fires: 1, blocked: 0, appealed: 0, missed: 0 }]);
  expect((await rehearseAll(KR_50)).flatMap((page) => page.senders)).toEqual(senders);
});

test.each([
  ['a rule without an end', { ...KR_50, provisional: undefined }, 'rule.provisional', 'FIELD_MISSING'],
  ['a rule that ends never', { ...KR_50, confirmed: 'never' }, 'rule.confirmed', 'FIELD_VALUE'],
  ['a rule over a range', { ...KR_50, range: '+8215880000..+8215889999' }, 'rule.range', 'FIELD_VALUE'],
  ['a share above 1', { ...KR_50, maxShare: 1.5 }, 'rule.maxShare', 'FIELD_VALUE'],
  ['a share of no reporter', { ...KR_50, distinct: 2, maxShare: 0.4 }, 'rule.maxShare', 'FIELD_VALUE'],
  ['more reporters than are counted', { ...KR_50, distinct: 1_001 }, 'rule.distinct', 'FIELD_VALUE'],
  ['a window longer than reports may be late', { ...KR_50, window: '8d' }, 'rule.window', 'FIELD_VALUE'],
  ['an unknown target', { ...KR_50, target: 'text' }, 'rule.target', 'FIELD_VALUE'],
  ['an unknown kind of partner', { ...KR_50, kinds: ['bank'] }, 'rule.kinds.0', 'FIELD_VALUE'],
  ['an unknown field', { ...KR_50, id: 'kr-50' }, 'rule.id', 'FIELD_UNKNOWN'],
])('%s is refused by the name of the field, and nothing is stored', async (_what, rule, field, code) => {
  const { status, answer } = await send('root', 'PUT rules/kr-50', { rule });
  expect([status, answer.field, answer.code]).toEqual([400, field, code]);
  expect((await send('root', 'GET rules/kr-50/versions')).answer).toMatchObject({
    versions: [{ version: 1 }],
  });
});

test('while the counts do not respond, a rehearsal can be tried again', async () => {
  vi.spyOn(SUBJECTS, 'getByName').mockImplementation(() => {
    throw new Error('down');
  });
  expect(await rehearse(KR_50)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  expect(logged).toContainEqual({ event: 'rehearsalFailed', name: 'Error' });
});

test('the routes of rules, with their scopes', async () => {
  expect((await putToken('reader', { scopes: ['read'] })).status).toBe(200);
  expect((await send('reader', 'GET rules')).answer).toMatchObject({ version: 4, rules: [{}, {}, {}, {}] });
  for (const request of ['PUT rules/new', 'DELETE rules/kr-50', 'POST rules/rehearse']) {
    expect((await send('reader', request, { rule: KR_50 })).code).toBe('PERMISSION_DENIED');
  }
  expect((await send('root', 'PUT rules/Not-a-name', { rule: KR_50 })).answer).toMatchObject({ field: 'id' });
  const put = await send('root', 'PUT rules/new', { rule: { ...KR_50, distinct: 60 } });
  expect(put.answer).toMatchObject({ id: 'new', version: 1, distinct: 60 });
  const stale = await send('root', 'PUT rules/new', { rule: KR_50 }, { headers: { 'if-match': '"2"' } });
  expect([stale.status, stale.code]).toEqual([412, 'PRECONDITION_FAILED']);
  expect((await send('root', 'DELETE rules/new', {})).answer).toEqual({ id: 'new', version: 2 });
  expect((await send('root', 'GET rules/new')).code).toBe('RULE_UNKNOWN');
  expect((await send('root', 'GET rules/never/versions')).code).toBe('RULE_UNKNOWN');
  const future = { code: 'FIELD_VALUE', field: 'since' };
  expect((await rehearse(KR_50, { since: '2199-01-01T00:00:00Z' })).answer).toMatchObject(future);
  expect((await rehearse(KR_50, { after: `${REPORT_SHARDS}/` })).answer).toMatchObject({ field: 'after' });
});
