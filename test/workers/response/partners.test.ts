/** Partners: the records that they get from blocks, withdrawals of their reports, appeals, and the data that rules get. */
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import type { PartnerWithdrawal } from '../../../workers/storage/reports-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  asPerson,
  bindings,
  blockOf,
  decide,
  decision,
  desk,
  deskStub,
  entriesOf,
  numberOf,
  putPartner,
  putRule,
  withCoordinator,
} from '../support/desk.ts';
import { NOON } from '../support/room.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

test('confirmed blocks raise the record of their partners, and a won appeal lowers it', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  await putPartner('skt', { weight: 1 });
  await putPartner('kt', { weight: 2 });
  const before = await desk().context();
  expect(before.weights).toEqual({ skt: 0.5, kt: 1 });
  const byPartner = { skt: 20, kt: 0 };
  for (const index of [1, 2]) {
    await decide(
      await decision(index, { byPartner }),
      await decision(index, { byPartner, event: 'confirmed' }),
    );
  }
  expect(await desk().partner('skt')).toMatchObject({ confirmed: 2, appealed: 0, record: 0.5 * 1.02 ** 2 });
  // Its reporters counted for other partners, which had them too.
  expect(await desk().partner('kt')).toMatchObject({ confirmed: 2, record: 0.5 * 1.02 ** 2 });
  const subject = { kind: 'number', n: numberOf(1) } as const;
  // An appeal against an earlier block does not concern this one.
  const earlier = Date.parse((await blockOf(1)).createdAt) - 1;
  expect(await desk().appealWon(asPerson('kisa', 'appeal 0'), subject, earlier)).toEqual({
    ok: true,
    value: null,
  });
  expect(await blockOf(1)).toMatchObject({ state: 'confirmed' });
  const won = await desk().appealWon(asPerson('kisa', 'appeal 1'), subject, Date.now());
  expect(won).toMatchObject({ ok: true, value: { seq: (await blockOf(1)).seq } });
  expect(await blockOf(1)).toMatchObject({ state: 'lifted', cause: 'appeal' });
  expect(await entriesOf(1)).toEqual([]);
  expect(await desk().partner('skt')).toMatchObject({
    confirmed: 2,
    appealed: 1,
    record: 0.5 * 1.02 ** 2 * 0.8,
  });
  // A repeated request gets the same answer. Another request finds nothing.
  expect(await desk().appealWon(asPerson('kisa', 'appeal 1'), subject, Date.now())).toEqual(won);
  expect(await desk().appealWon(asPerson('kisa', 'appeal 2'), subject, Date.now())).toEqual({
    ok: true,
    value: null,
  });
  const after = await desk().context();
  expect(after.version).toBeGreaterThan(before.version);
  expect((await desk().context()).version).toBe(after.version);
  const keys = await ReportKeys.open(new Uint8Array(await desk().reportKey()));
  const [one, two, none] = await Promise.all(
    [1, 2, 3].map((index) => keys.subject({ kind: 'number', n: numberOf(index) }, false)),
  );
  const rules = [(await blockOf(2)).rule];
  expect(await desk().pastBlocks([one!, two!, none!], NOON)).toEqual({
    [one!]: { rules, appealed: true },
    [two!]: { rules, appealed: false },
  });
  expect(await desk().pastBlocks([one!], Date.now() + 1)).toEqual({});
});

test('an appeal is won even if the coordinator does not respond at first', async () => {
  await decide(await decision(1));
  withCoordinator({ applyRuleEntries: () => Promise.reject(new Error('gone')) });
  const subject = { kind: 'number', n: numberOf(1) } as const;
  const request = asPerson('kisa', 'appeal 1');
  expect(await desk().appealWon(request, subject, Date.now())).toMatchObject({
    ok: false,
    code: 'UNAVAILABLE',
  });
  vi.mocked(bindings().COORDINATOR.getByName).mockRestore();
  await evictDurableObject(deskStub());
  expect(await desk().appealWon(request, subject, Date.now())).toMatchObject({
    ok: true,
    value: { seq: expect.any(Number) },
  });
  expect(await entriesOf(1)).toEqual([]);
});

test('a lift waits neither for a retry nor behind the blocks that came before it', async () => {
  await decide(await decision(1));
  const { id: first } = await blockOf(1);
  let isDown = true;
  const batches: string[][] = [];
  withCoordinator({
    applyRuleEntries: async (n, changes) => {
      if (isDown) throw new Error('gone');
      batches.push(changes.map(({ op, id }) => `${op} ${id}`));
      return { last: n, results: changes.map(() => ({ applied: 100 })) };
    },
  });
  for (const index of [2, 3]) {
    await desk().decide('0', 1_000_000 + index, [await decision(index)]);
    await vi.waitUntil(async () => (await desk().status()).decisions === 0, { timeout: HANG_MS });
  }
  expect((await desk().status()).unsent).toBe(2);
  isDown = false;
  const lifted = await desk().act(asPerson(), Number(first), 'lift');
  expect(lifted).toMatchObject({ ok: true, value: { state: 'lifted', pending: false, seq: 100 } });
  // The batch that was in flight is sent again unchanged.
  expect(batches).toEqual([['block 2'], [`lift ${first}`, 'block 3']]);
});

test('the records and blocks of mock partners touch nothing real', async () => {
  await putPartner('lab', { mock: true });
  await putRule('kr-50');
  const number = { kind: 'number', n: 82_10_0000_0001 } as const;
  const some = { mock: true, byPartner: { lab: 50 } };
  await decide(await decision(number, some), await decision(number, { ...some, event: 'confirmed' }));
  expect(await desk().partner('lab')).toMatchObject({ mock: true, confirmed: 0, record: 0.5 });
  expect(await desk().status()).toMatchObject({ confirmed: 0, unsent: 0 });
});

test('a withdrawal reaches every intake of the partner, whatever fails, and shows its progress', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  await putPartner('leaky', { slices: 2, reportsPerDay: 10 });
  await putPartner('other');
  const since = NOON - 1_000;
  const withdrawals = new Map<string, PartnerWithdrawal>();
  let isDown = true;
  vi.spyOn(bindings().REPORTS, 'getByName').mockImplementation(
    (name) =>
      ({
        withdrawSince: async (from: number) => {
          if (isDown && name === 'leaky/1') throw new Error('gone');
          const begun = { since: from, requestedAt: NOON, withdrawn: 5, isDone: false };
          withdrawals.set(name, begun);
          return begun;
        },
        status: async () => {
          const counts = { acknowledged: 9, withdrawn: 5, overBudget: 1, waiting: 0 };
          return { ...counts, withdrawal: withdrawals.get(name) ?? null };
        },
      }) as never,
  );
  const begun = await desk().withdrawReports(asPerson(), 'leaky', since);
  expect(begun).toMatchObject({ ok: true, value: { withdrawal: { state: 'running', withdrawn: 5 } } });
  expect([...withdrawals.keys()]).toEqual(['leaky/0']);
  isDown = false;
  await evictDurableObject(deskStub());
  await runDurableObjectAlarm(deskStub());
  expect([...withdrawals.keys()].sort()).toEqual(['leaky/0', 'leaky/1']);
  expect([...withdrawals.values()].map((each) => each.since)).toEqual([since, since]);
  expect(await desk().partner('leaky')).toMatchObject({
    withdrawal: { state: 'running', withdrawn: 10, by: 'token:ktoa', since: new Date(since).toISOString() },
    reports: { acknowledged: 18, withdrawn: 10, overBudget: 2, waiting: 0 },
  });
  for (const [name, each] of withdrawals) withdrawals.set(name, { ...each, isDone: true });
  expect(await desk().partner('leaky')).toMatchObject({ withdrawal: { state: 'done' } });
  expect(await desk().partner('other')).toMatchObject({ withdrawal: null });
  expect(await desk().withdrawReports(asPerson(), 'nobody', 0)).toMatchObject({ code: 'PARTNER_UNKNOWN' });
  expect((await desk().audit(0, 10)).map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    'partners.withdraw partner leaky',
  ]);
});

test('rules stay as they were read while the coordinator does not respond', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  const { rules } = await desk().context();
  withCoordinator({ rules: () => Promise.reject(new Error('gone')) });
  vi.setSystemTime(NOON + 60_000);
  expect((await desk().context()).rules).toEqual(rules);
});
