/** Decisions of admins on appeals, and their effect on the block: live entries, lists, rule blocks, and other owners. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { meaningOf, REJECTION_TEXTS } from '../../../shared/appeals/texts.ts';
import { type AuditRecord, AuditVerifier } from '../../../shared/audit.ts';
import { APPEAL_CLAIM_MS } from '../../../shared/limits/appeals.ts';
import { ok } from '../../../shared/result.ts';
import type { CoordinatorStub } from '../../../workers/admin/coordinator-stub.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { logged, putToken, send } from '../support/admin.ts';
import {
  appealed,
  appealsStub,
  blocked,
  freshAppeals,
  NUMBER,
  queue,
  referenceOf,
  statusOf,
} from '../support/appeals.ts';
import { coordinator, unwrap } from '../support/coordinator.ts';
import { HOUR, NOON } from '../support/room.ts';
import { promoted } from '../support/rule-entries.ts';

freshAppeals();

/** Tokens of an operator, of the association, and of the regulator. */
beforeEach(async () => {
  const roles = { ktoa: 'operator', assoc: 'association', other: 'operator' };
  for (const [id, role] of Object.entries(roles)) {
    const organisation = { id, displayName: id, roles: [role], authority: id };
    expect((await send('root', `PUT organisations/${id}`, { organisation })).status).toBe(200);
    expect((await putToken(id, { organisation: id, role, scopes: undefined })).status).toBe(200);
  }
});

const act = (action: string, who = 'root', body: object = {}, headers: Record<string, string> = {}) =>
  send(who, `POST appeals/1/${action}`, body, { headers });
const reject = (who = 'root') => act('reject', who, { code: 'HOLDER_UNPROVEN' });
/** The live entries of the number. */
const entries = async () => unwrap(await coordinator().findEntries({ number: NUMBER }));

describe('an accepted appeal', () => {
  test('lifts a live block in the same request, and its appellant sees the change', async () => {
    const token = await appealed(await blocked());
    expect((await act('claim')).answer).toMatchObject({ state: 'inReview', claimedBy: 'token:root' });
    const meaning = meaningOf('SENDER_REPORTED');
    expect(await statusOf(token)).toMatchObject({
      state: 'inReview',
      block: { code: 'SENDER_REPORTED', meaning },
    });
    const { status, answer } = await act('accept');
    const { seq } = await coordinator().status();
    expect([status, answer]).toMatchObject([200, { state: 'accepted', seq, decidedBy: 'token:root' }]);
    expect((await entries())[0]).toMatchObject({ op: 'unblock', subjects: ['from'], seq, by: 'token:root' });
    expect(await statusOf(token)).toMatchObject({ state: 'accepted', seq });
    expect(await queue()).toEqual([]);
  });

  test('needs no claim before it; a repeat changes nothing more', async () => {
    await appealed(await blocked());
    const first = await act('accept', 'root', {}, { 'idempotency-key': 'once' });
    const again = await act('accept', 'root', {}, { 'idempotency-key': 'once' });
    expect(again.answer).toEqual(first.answer);
    expect((await act('accept')).answer).toEqual(first.answer);
    expect(await reject()).toMatchObject({ status: 409, code: 'APPEAL_DECIDED' });
  });

  test('that was lifted, but not recorded, is recorded by a repeat', async () => {
    await appealed(await blocked());
    const key = { 'idempotency-key': 'once' };
    // The store stops after the coordinator has lifted the block.
    const { COORDINATOR } = env as unknown as ControlEnv;
    const real = COORDINATOR.getByName.bind(COORDINATOR);
    const binding = vi.spyOn(COORDINATOR, 'getByName').mockImplementation(
      (name) =>
        new Proxy(real(name) as unknown as CoordinatorStub, {
          get: (target, method) =>
            method !== 'changeEntries'
              ? (Reflect.get(target, method) as unknown)
              : async (...args: Parameters<CoordinatorStub['changeEntries']>) => {
                  unwrap(await target.changeEntries(...args));
                  return { ok: false, code: 'UNAVAILABLE', message: 'stopped' };
                },
        }) as never,
    );
    expect(await act('accept', 'root', {}, key)).toMatchObject({ status: 503 });
    binding.mockRestore();
    const { seq } = await coordinator().status();
    expect((await act('accept', 'root', {}, key)).answer).toMatchObject({ state: 'accepted', seq });
  });

  test('lifts the block of a list, and of a live entry that a release has taken in', async () => {
    const numbers = [{ n: Number(NUMBER), ...EVER }];
    const folded = plainList('live-sender-reported-root', { numbers });
    const lists = [
      plainList('kr-suspended', { numbers }),
      { ...folded, info: { ...folded.info, authority: 'root' } },
    ];
    const reference = await blocked();
    await promoted(lists, (await coordinator().status()).seq);
    await appealed(reference);
    expect((await send('root', 'GET appeals/1')).answer.blocks).toMatchObject([
      { list: 'kr-suspended', seq: null, authority: 'test', code: 'NUMBER_SUSPENDED' },
      { list: 'live-sender-reported-root', seq: null },
    ]);
    expect((await act('accept')).answer).toMatchObject({ state: 'accepted' });
    expect((await send('root', 'GET appeals/1')).answer.blocks).toEqual([]);
  });

  test('lifts the block of a sender ID for its own spelling', async () => {
    await appealed(await blocked({ source: 'Parcel-KR' }).then(() => referenceOf({ party: 'PARCEL-KR' })));
    expect((await act('accept')).answer).toMatchObject({ state: 'accepted', source: 'PARCEL-KR' });
    const [entry] = unwrap(await coordinator().findEntries({ source: 'parcel-kr' }));
    expect(entry).toMatchObject({ op: 'unblock' });
  });

  test('against the block of a look-alike lifts it for its own spelling alone', async () => {
    await blocked({ source: 'bank-kr' });
    await appealed(referenceOf({ party: 'b\u0430nk-kr' }));
    expect((await act('accept')).answer).toMatchObject({ state: 'accepted' });
    expect((await send('root', 'GET appeals/1')).answer.blocks).toEqual([]);
    expect(unwrap(await coordinator().findEntries({ source: 'bank-kr' }))[0]).toMatchObject({ op: 'block' });
  });

  test.each([
    ['cleared', 'clear'],
    ['unblocked', 'unblock'],
  ])('whose block was %s meanwhile is closed, and changes nothing', async (_, op) => {
    const token = await appealed(await blocked());
    await send('root', 'POST entries', { op, items: [{ number: NUMBER }] });
    const { seq } = await coordinator().status();
    const key = { 'idempotency-key': 'once' };
    const first = await act('accept', 'root', {}, key);
    expect(first.answer).toMatchObject({ state: 'noLongerBlocked', seq: null });
    expect(await act('accept', 'root', {}, key)).toEqual(first);
    expect((await coordinator().status()).seq).toBe(seq);
    expect(await statusOf(token)).toMatchObject({ state: 'noLongerBlocked' });
  });

  test('against a list that no longer has the number is closed', async () => {
    await promoted([plainList('kr-suspended', { numbers: [{ n: 821_030_000_009, ...EVER }] })]);
    await appealed(referenceOf({ seq: null, list: 'kr-suspended', authority: 'test' }));
    expect((await act('accept')).answer).toMatchObject({ state: 'noLongerBlocked' });
  });

  test('against a rule block is lifted by the desk, and changes no entry itself', async () => {
    const won = vi.fn(async () => ok({ seq: 77 }));
    // The newest rule block was only proposed.
    const block = { rule: 'kr-50@1', state: 'confirmed', createdAt: '2026-01-01T00:00:00.000Z' };
    const found = (id: string, seq: number | null) => ({ ...block, id, seq });
    vi.spyOn((env as unknown as ControlEnv).RESPONSE, 'getByName').mockReturnValue({
      appealWon: won,
      findRuleBlocks: async () => ok([found('8', null), found('7', 76)]),
    } as never);
    await appealed(referenceOf({ authority: 'numgate', party: 'PARCEL–KR' }));
    const { answer: details } = await send('root', 'GET appeals/1');
    expect(details.ruleBlock).toEqual({ id: '7', rule: 'kr-50@1', state: 'confirmed' });
    const before = await coordinator().status();
    const { answer } = await act('accept');
    expect(answer).toMatchObject({ state: 'accepted', seq: 77 });
    expect(won).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ reason: 'test', actor: expect.objectContaining({ name: 'token:root' }) }),
      { kind: 'source', text: 'parcel-kr' },
      NOON,
    );
    expect((await coordinator().status()).seq).toBe(before.seq);
  });
});

test('a rejected appeal shows why to its appellant, and the block stays', async () => {
  const token = await appealed(await blocked());
  expect((await reject()).answer).toMatchObject({ state: 'rejected', rejection: 'HOLDER_UNPROVEN' });
  expect(await statusOf(token)).toMatchObject({
    state: 'rejected',
    rejection: { code: 'HOLDER_UNPROVEN', message: REJECTION_TEXTS.HOLDER_UNPROVEN },
  });
  expect((await entries())[0]).toMatchObject({ op: 'block' });
  const late = await act('accept');
  expect(late.code).toBe('APPEAL_DECIDED');
  expect(late.answer.message).toContain('to lift the block anyway, unblock the number');
  expect((await act('reject', 'root', { code: 'BECAUSE' })).answer).toMatchObject({ field: 'code' });
});

describe('a claim', () => {
  test('keeps others away until it is released, or an hour has passed', async () => {
    await appealed(
      await blocked({ number: NUMBER }, 'from', 'ktoa').then(() => referenceOf({ authority: 'ktoa' })),
    );
    expect((await act('claim', 'assoc')).status).toBe(200);
    expect(await act('claim', 'ktoa')).toMatchObject({ status: 409, code: 'APPEAL_CLAIMED' });
    expect(await reject('ktoa')).toMatchObject({ code: 'APPEAL_CLAIMED' });
    expect((await act('release', 'assoc')).answer).toMatchObject({ state: 'received', claimedBy: null });
    expect((await act('claim', 'ktoa')).status).toBe(200);
    expect(await act('claim', 'assoc')).toMatchObject({ code: 'APPEAL_CLAIMED' });
    vi.setSystemTime(NOON + APPEAL_CLAIM_MS);
    expect((await queue())[0]).toMatchObject({ state: 'received', claimedBy: null });
    expect((await act('claim', 'assoc')).status).toBe(200);
  });
});

describe('an operator', () => {
  beforeEach(async () => {
    await blocked({ number: NUMBER }, 'from', 'ktoa');
    await appealed(referenceOf({ authority: 'ktoa' }));
    await appealed(referenceOf({ authority: 'other', seq: null, list: 'other-list' }));
  });

  test('sees and decides appeals against its own blocks alone', async () => {
    expect((await queue('open', 'ktoa')).map(({ id }) => id)).toEqual([1]);
    expect((await queue('open', 'assoc')).map(({ id }) => id)).toEqual([1, 2]);
    expect((await send('ktoa', 'GET appeals/summary')).answer).toMatchObject({ open: 1 });
    for (const request of ['GET appeals/1', 'POST appeals/1/claim', 'POST appeals/1/accept'])
      expect(await send('other', request, request.startsWith('GET') ? null : {})).toMatchObject({
        ...{ status: 404, code: 'APPEAL_UNKNOWN' },
      });
    expect((await act('accept', 'ktoa')).answer).toMatchObject({ state: 'accepted' });
  });

  test('whose block others accept an appeal against must be named by them', async () => {
    expect(await act('accept', 'assoc')).toMatchObject({ status: 403, code: 'AUTHORITY_FOREIGN' });
    expect((await queue())[0]).toMatchObject({ state: 'inReview', claimedBy: 'token:assoc' });
    const named = await act('accept', 'assoc', { overrideAuthorities: ['ktoa'] });
    expect(named.answer).toMatchObject({ state: 'accepted' });
  });

  test('whose block others lift with a second person keeps the appeal in review until then', async () => {
    const approvals = { kinds: ['actForOthers'], waitSeconds: 3_600 };
    expect((await send('root', 'PUT approvals', { approvals })).status).toBe(200);
    const { status, answer } = await act('accept', 'assoc', { overrideAuthorities: ['ktoa'] });
    expect([status, answer.proposal]).toMatchObject([202, { state: 'pending' }]);
    expect((await queue())[0]).toMatchObject({ state: 'inReview' });
    expect((await entries())[0]).toMatchObject({ op: 'block' });
  });
});

test.each(['GET appeals', 'GET appeals/summary', 'GET appeals/1', 'POST appeals/1/accept'])(
  '%s needs the scope appeals',
  async (request) => {
    await putToken('reader', { scopes: ['read', 'entries'] });
    const sent = await send('reader', request, request.startsWith('GET') ? null : {});
    expect([sent.status, sent.code]).toEqual([403, 'PERMISSION_DENIED']);
  },
);

test.each(['GET appeals/0', 'GET appeals/one', 'GET appeals/99', 'POST appeals/one/claim'])(
  '%s names no appeal',
  async (request) => {
    const sent = await send('root', request, request.startsWith('GET') ? null : {});
    expect([sent.status, sent.code]).toEqual([404, 'APPEAL_UNKNOWN']);
  },
);

test('the summary has the median and the p90 of the time to a decision', async () => {
  for (let at = 0; at < 10; at++) {
    vi.setSystemTime(NOON);
    await appealed(referenceOf({ party: 821_030_000_100 + at }));
    vi.setSystemTime(NOON + (at + 1) * 1_000);
    await send('root', `POST appeals/${at + 1}/reject`, { code: 'NUMBER_MISUSED' });
  }
  vi.setSystemTime(NOON + 60_000);
  await appealed(await blocked());
  expect((await send('root', 'GET appeals/summary')).answer).toEqual({
    ...{ open: 1, oldestAt: new Date(NOON + 60_000).toISOString(), medianSeconds: 5, p90Seconds: 9 },
    decided: { accepted: 0, rejected: 10, noLongerBlocked: 0 },
  });
});

test('the log warns of appeals that wait for more than a day, once an hour', async () => {
  await appealed(await blocked());
  const warned = () => logged.filter(({ event }) => event === 'appealsOverdue');
  for (const hours of [1, 24, 24.5, 25]) {
    vi.setSystemTime(NOON + hours * HOUR);
    await appealsStub().sweep();
  }
  const overdue = { event: 'appealsOverdue', open: 1, oldestAt: new Date(NOON).toISOString() };
  expect(warned()).toEqual([overdue, overdue]);
});

test('decisions are in a chain of their own, with keyed numbers, whose end is in the audit log', async () => {
  await appealed(await blocked());
  await act('claim');
  await act('accept');
  await appealsStub().sweep();
  const records = await (
    appealsStub() as unknown as { audit(after: number, limit: number): Promise<object[]> }
  ).audit(0, 10);
  expect(records).toMatchObject([
    { n: 1, action: 'appeals.claim', subject: 'appeal 1', actor: 'token:root' },
    { n: 2, action: 'appeals.accept', before: { state: 'inReview' }, after: { state: 'accepted' } },
  ]);
  const verifier = new AuditVerifier();
  expect(records.map((record) => verifier.next(record as AuditRecord))).toEqual([null, null]);
  expect(JSON.stringify(records)).not.toContain('30000001');
  const log = await coordinator().audit(0, 100);
  expect(log.at(-1)).toMatchObject({ action: 'appeals.anchor', subject: 'appeals', after: { n: 2 } });
});
