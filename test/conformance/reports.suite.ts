/**
 * The joint response over HTTP: reports of partners, the rule blocks that they cause, and what lifts a block. Attacks run
 * beside an honest burst that blocks. test/shared/reports/attacks.test.ts has the attacks that need no service.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { AppealDetails, AppealPage } from '../../shared/admin/appeals.ts';
import type { AppealReceived, AppealStatus } from '../../shared/appeals/appeal.ts';
import {
  addPartner,
  asPartner,
  expectTaken,
  partnerInfo,
  type ReportResult,
  report,
  reports,
  ruleBlocks,
  ruleReason,
  sendReport,
  sendReports,
  untilAllowed,
  untilBlocked,
  untilCounted,
  untilKnown,
  untilRuleBlocks,
} from './support/partners.ts';
import { expectRefused, send } from './support/send.ts';
import { adminValue, expectAdminRefused } from './support/send-admin.ts';
import { world } from './support/world.ts';

const reason = 'a test';
const DAY_MS = 86_400_000;
/** The rule `burst-10m` needs 30 reporters within 10 minutes, at most 10 of them from one partner. */
const EACH = 10;
const PARTNERS = { one: 'subscriber', two: 'operator', three: 'subscriber', leaked: 'model' } as const;
const HONEST = ['one', 'two', 'three'] as const;
const ALL = [...Object.keys(PARTNERS), 'trap'].map(idOf);
/** The reports of a request that is sent again. */
let replayed: Record<string, unknown>[] = [];
/** IDs of the reports of `three` on WITHDRAWN. */
let taken: string[] = [];

function idOf(name: string): string {
  return `report-${name}`;
}

/** Mobile numbers that no other suite uses. Each one is in a different block. */
const [HONESTLY, WITHDRAWN, LEAKED, ONE_REPORTER, ONE_PARTNER, TWO_PARTNERS, OLD, BUDGET, BANK] = Array.from(
  { length: 9 },
  (_, index) => `+8210${77_001_000 + index * 1_009}`,
) as [string, ...string[]] & string[];

/** A rule that is off, with some fields changed. */
const rule = (rest: object) => ({
  ...{ window: '24h', distinct: 50, provisional: '72h', confirmed: '90d', state: 'off', ...rest },
});

async function burst(from: string, names: readonly string[] = HONEST): Promise<string[][]> {
  return Promise.all(names.map((name) => expectTaken(idOf(name), reports(from, EACH))));
}

describe('reports', () => {
  beforeAll(async () => {
    for (const [name, kind] of Object.entries(PARTNERS)) await addPartner(idOf(name), kind);
    await addPartner(idOf('trap'), 'honeypot');
    await addPartner(idOf('mock'), 'regulator', { mock: true, weight: 2 });
    await adminValue('guards', {
      ...{ method: 'PUT', body: { guards: { protectedNumbers: [Number(BANK!.slice(1))] }, reason } },
    });
    // The desk reads partners at intervals.
    await untilKnown([...ALL, idOf('mock')]);
  });

  const INVALID: readonly (readonly [what: string, rest: object, code: string, field: string])[] = [
    ['an impossible number', { from: '010-1234-56789' }, 'NUMBER_FORMAT_INVALID', 'from'],
    ['a test number', { from: '010-0000-0003' }, 'NUMBER_IS_TEST', 'from'],
    ['an hour ahead', { at: new Date(Date.now() + 3_600_000).toISOString() }, 'REPORT_IN_FUTURE', 'at'],
    ['8 days old', { at: new Date(Date.now() - 8 * DAY_MS).toISOString() }, 'REPORT_TOO_OLD', 'at'],
    ['no reporter', { reporter: undefined }, 'FIELD_MISSING', 'reporter'],
    ['an empty reporter', { reporter: '' }, 'FIELD_VALUE', 'reporter'],
    ['a kind that does not exist', { kind: 'spam' }, 'FIELD_VALUE', 'kind'],
    ['a kind that no model may report', { kind: 'notSpam' }, 'REPORT_KIND_NOT_ALLOWED', 'kind'],
    ['an unknown field', { body: 'win' }, 'FIELD_UNKNOWN', 'body'],
    ['a text of 2,001 characters', { text: 'x'.repeat(2_001) }, 'FIELD_VALUE', 'text'],
    ['a text with half of a surrogate pair', { text: '\ud800' }, 'FIELD_VALUE', 'text'],
    ['an ID with a space', { reportId: 'a b' }, 'FIELD_VALUE', 'reportId'],
  ];

  it('bad reports are refused by field, alone and in a batch, and nothing of them is stored', async () => {
    const bad = INVALID.map(([, rest]) => report(HONESTLY, rest));
    for (const [index, [what, , code, field]] of INVALID.entries()) {
      const { status, json } = await sendReport(idOf('leaked'), bad[index]);
      expect([what, json.code, json.field, status >= 400 && status < 500]).toEqual([what, code, field, true]);
    }
    const good = report(ONE_PARTNER!);
    const results = await sendReports(idOf('leaked'), [...bad, good], true);
    expect(results.map(({ error }) => [error?.code, error?.field])).toEqual([
      ...INVALID.map(([, , code, field]) => [code, field]),
      [undefined, undefined],
    ]);
    const { [idOf('leaked')]: counts } = await untilCounted([idOf('leaked')]);
    expect(counts).toMatchObject({ acknowledged: 1 });
    const route = (client: Parameters<typeof send>[1], body: object) =>
      ['/v1/reports', { base: world().admin, ...client, body }] as const;
    await expectRefused(route({ client: null }, good), [401, 'UNAUTHENTICATED']);
    // Control knows only clients that may report.
    await expectRefused(route({ client: 'bulk' }, good), [401, 'UNAUTHENTICATED']);
    await expectRefused(route(asPartner(idOf('one')), { items: [] }), [400, 'FIELD_VALUE', 'items']);
    const many = { items: Array.from({ length: 1_001 }, () => ({})) };
    await expectRefused(route(asPartner(idOf('one')), many), [400, 'ITEMS_TOO_MANY', 'items']);
  });

  it('rules without an end, over a range, or with a share above 1 are refused by field', async () => {
    for (const [rest, field] of [
      [{ confirmed: undefined }, 'rule.confirmed'],
      [{ provisional: undefined }, 'rule.provisional'],
      [{ maxShare: 1.5 }, 'rule.maxShare'],
      [{ range: '+82102345..' }, 'rule.range'],
      [{ window: '8d' }, 'rule.window'],
    ] as const) {
      const { json } = await expectAdminRefused(
        ['rules/report-bad', { method: 'PUT', body: { rule: rule(rest), reason } }],
        [400, field.endsWith('ed') || field.endsWith('al') ? 'FIELD_MISSING' : 'FIELD_VALUE', field],
      );
      expect(json.message).toContain(`"${field}"`);
    }
    await expectAdminRefused(['rules/report-bad', {}], [404, 'RULE_UNKNOWN']);
  });

  it('an honest burst blocks for 72 hours, and attacks do not', async () => {
    // One person reports a thousand times, one partner has a thousand people, and two partners collude.
    await expectTaken(idOf('one'), reports(ONE_REPORTER!, 1_000, { reporter: 'always the same' }));
    replayed = reports(ONE_PARTNER!, 1_000);
    await expectTaken(idOf('one'), replayed);
    for (const name of ['one', 'two'] as const) await expectTaken(idOf(name), reports(TWO_PARTNERS!, 100));
    // Many people, but long ago, outside of every window.
    const at = new Date(Date.now() - 2 * DAY_MS).toISOString();
    for (const name of HONEST) await expectTaken(idOf(name), reports(OLD!, 100, { at }));
    // Reporters that report everything have used up their daily budget.
    for (const name of HONEST) {
      const people = Array.from({ length: EACH }, (_, index) => `${name} reports all ${index}`);
      const noise = people.flatMap((reporter, person) =>
        Array.from({ length: 20 }, (_, index) =>
          report(`+8210${78_000_000 + person * 100_000 + index * 1_009}`, { reporter }),
        ),
      );
      await expectTaken(idOf(name), noise);
      await expectTaken(
        idOf(name),
        people.map((reporter) => report(BUDGET!, { reporter })),
      );
    }
    await burst(BANK!);
    const start = Date.now();
    taken = (await burst(WITHDRAWN!)).at(-1)!;
    await Promise.all([burst(HONESTLY), burst(LEAKED!, ['one', 'two', 'leaked'])]);
    const { until, ...blocked } = await untilBlocked(HONESTLY);
    expect(blocked).toMatchObject({
      ...{ code: 'SENDER_REPORTED', effect: 'block', match: 'exact', authority: 'numgate' },
      ...{ stage: 'provisional', rule: 'burst-10m@1', appeal: expect.stringMatching(/^[\w-]{40,}$/) },
    });
    const hours = (Date.parse(until!) - start) / 3_600_000;
    expect(hours).toBeGreaterThan(71.9);
    expect(hours).toBeLessThan(72.2);
    const counts = await untilCounted(ALL);
    // These are the reports on BUDGET.
    expect(HONEST.map((name) => counts[idOf(name)]!.overBudget)).toEqual(HONEST.map(() => EACH));
    for (const from of [ONE_REPORTER, ONE_PARTNER, TWO_PARTNERS, OLD, BUDGET, BANK]) {
      expect([from, await ruleReason(from!)]).toEqual([from, null]);
      if (from !== BANK) expect([from, await ruleBlocks(from!)]).toEqual([from, []]);
    }
    const [bank] = await ruleBlocks(BANK!);
    expect(bank).toMatchObject({ number: BANK, state: 'proposed', cause: 'protected', distinct: 30 });
  });

  it('a request that is sent again counts nothing twice, and an ID never means another report', async () => {
    const before = await untilCounted([idOf('one')]);
    await expectTaken(idOf('one'), replayed, 'known');
    expect(await untilCounted([idOf('one')])).toEqual(before);
    expect(await ruleBlocks(ONE_PARTNER!)).toEqual([]);
    const other = { ...replayed[0]!, from: HONESTLY };
    const { status, json } = await sendReport(idOf('one'), other);
    expect([status, json.code, json.field]).toEqual([409, 'REPORT_CONFLICT', 'reportId']);
  });

  it('a report of an independent kind of partner confirms the block for 90 days', async () => {
    await expectTaken(idOf('trap'), [report(HONESTLY)]);
    const { until } = await untilBlocked(HONESTLY, 'confirmed');
    const days = (Date.parse(until!) - Date.now()) / DAY_MS;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThan(90.1);
  });

  it('withdrawn reports, some or all of a leaked partner, no longer count: what rested on them falls', async () => {
    for (const from of [WITHDRAWN!, LEAKED!]) await untilBlocked(from);
    const body = { reportIds: [...taken, 'never-sent'] };
    const { json } = await send('/v1/reports/withdraw', { ...asPartner(idOf('three')), body });
    expect(json.results).toEqual([
      ...taken.map((reportId) => ({ reportId, status: 'withdrawn' })),
      { reportId: 'never-sent', status: 'unknown' },
    ]);
    const all = { since: null, reason: 'its key leaked' };
    await adminValue(`partners/${idOf('leaked')}/withdraw`, { body: all });
    for (const from of [WITHDRAWN!, LEAKED!]) {
      await untilAllowed(from);
      expect(await ruleBlocks(from)).toMatchObject([{ state: 'lifted', cause: 'withdrawn' }]);
    }
    const { [idOf('three')]: counts } = await untilCounted([idOf('three')]);
    expect(counts!.withdrawn).toBe(EACH);
    const { withdrawal } = await partnerInfo(idOf('leaked'));
    expect(withdrawal).toMatchObject({ state: 'done', reason: all.reason });
    // Other blocks stay: the withdrawn reports had no part in this one.
    expect(await ruleReason(HONESTLY)).not.toBeNull();
  });

  it('an accepted appeal lifts the block, and lowers the records of its partners', async () => {
    const { appeal: reference } = await untilBlocked(HONESTLY);
    const before = await partnerInfo(idOf('one'));
    const everybody = { client: null, base: world().admin };
    const file = async (text: string): Promise<AppealReceived> => {
      const body = { reference: text, statement: '우리 은행의 대표번호입니다.' };
      const { status, json } = await send('/v1/appeals', { ...everybody, body });
      expect(status).toBe(202);
      return json as unknown as AppealReceived;
    };
    const known = await file(reference!);
    const unknown = await file(`${reference!.slice(0, -4)}AAAA`);
    expect(unknown.message).toEqual(known.message);
    expect(unknown.appeal).toHaveLength(known.appeal.length);
    const statusOf = async ({ appeal }: AppealReceived): Promise<AppealStatus> => {
      const headers = { authorization: `Bearer ${appeal}` };
      const { status, json } = await send('/v1/appeals/status', { ...everybody, headers });
      expect(status).toBe(200);
      return json as unknown as AppealStatus;
    };
    for (const each of [known, unknown]) expect((await statusOf(each)).state).toBe('received');
    // Nothing of the unknown appeal is stored.
    const { appeals } = await adminValue<AppealPage>('appeals');
    expect(appeals.filter(({ number }) => number === HONESTLY)).toHaveLength(1);
    const { id } = appeals.find(({ number }) => number === HONESTLY)!;
    const details = await adminValue<AppealDetails>(`appeals/${id}`);
    expect(details).toMatchObject({ code: 'SENDER_REPORTED', statements: [{ contact: null }] });
    await adminValue(`appeals/${id}/accept`, { body: { reason } });
    await untilAllowed(HONESTLY);
    expect(await statusOf(known)).toMatchObject({ state: 'accepted', seq: expect.any(Number) });
    expect(await ruleBlocks(HONESTLY)).toMatchObject([{ state: 'lifted', cause: 'appeal' }]);
    const after = await partnerInfo(idOf('one'));
    expect(after.record).toBeLessThan(before.record);
    expect(after.appealed).toBe(before.appealed + 1);
    // Reports before the appeal no longer count.
    await expectTaken(idOf('trap'), [report(HONESTLY)]);
    await untilCounted([idOf('trap')]);
    expect(await ruleReason(HONESTLY)).toBeNull();
  });

  it('a mock partner reports test numbers only, and its decisions block nothing', async () => {
    const from = '010-0000-7777';
    const [refused] = await sendReports(idOf('mock'), [report(HONESTLY)]);
    expect(refused!.error).toMatchObject({ code: 'NUMBER_NOT_TEST', field: 'from' });
    const before = await ruleReason(from);
    await expectTaken(idOf('mock'), reports(from, 50));
    await untilCounted([idOf('mock')]);
    expect(await untilRuleBlocks(from)).toMatchObject([{ mock: true, seq: null, cause: null }]);
    expect([before, await ruleReason(from)]).toEqual([null, null]);
  });

  it('a stream answers each line in order', async () => {
    const good = report(OLD!);
    const lines = [
      JSON.stringify(good),
      'not JSON',
      JSON.stringify(report('010-1234-56789')),
      JSON.stringify(good),
    ];
    const { status, text } = await send('/v1/reports', {
      ...asPartner(idOf('one')),
      headers: { ...asPartner(idOf('one')).headers, 'content-type': 'application/x-ndjson' },
      body: `${lines.join('\n')}\n`,
    });
    expect(status).toBe(200);
    const results = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ReportResult);
    expect(results.map(({ status: done, error }) => done ?? error!.code)).toEqual([
      ...['accepted', 'JSON_INVALID', 'NUMBER_FORMAT_INVALID', 'known'],
    ]);
  });
});
