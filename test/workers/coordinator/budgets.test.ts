/** The budgets of a token: what they count, their limits, and when they are full again. */
import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test, vi } from 'vitest';
import type { Actor } from '../../../shared/admin/actor.ts';
import {
  BULK_ENTRIES_MAX,
  TOKEN_BYTES_PER_DAY_MAX,
  TOKEN_ENTRIES_PER_HOUR_MAX,
  TOKEN_FREEING_FACTOR,
} from '../../../shared/limits/control.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import type { ChangeRequest } from '../../../workers/coordinator/change-request.ts';
import {
  ADMIN,
  ALL_GUARDS,
  build,
  client,
  codeOf,
  coordinator,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import {
  ANY,
  block,
  budgets,
  by,
  change,
  DAY,
  HOUR,
  NOON,
  ROOT,
  refusalOf,
  spend,
  unblock,
} from '../support/room.ts';
import { smallLists } from '../support/world.ts';

describe('the budget of a token', () => {
  test('counts the entries of an hour and the bytes of a day', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const items = Array.from({ length: 1_000 }, (_, index) => ({ number: `+8210${30_000_000 + index}` }));
    unwrap(await coordinator().changeEntries(by(ADMIN), { ...change('block'), items }));
    unwrap(await coordinator().putGuards(by(ADMIN), await coordinator().guards()));
    const [bytes, entries] = await budgets();
    expect(entries).toEqual({ actor: ADMIN.name, budget: 'entries', used: 2_001, ends: NOON + HOUR });
    expect(bytes).toMatchObject({ actor: ADMIN.name, budget: 'bytes', ends: NOON + DAY });
    // A few hundred bytes per entry: see bytes.test.ts.
    expect(bytes!.used).toBeGreaterThan(1_000 * 100);
    expect(bytes!.used).toBeLessThan(1_000 * 400);
  });

  test.each([
    ['entries', TOKEN_ENTRIES_PER_HOUR_MAX, HOUR, '250,000 entries an hour'],
    ['bytes', TOKEN_BYTES_PER_DAY_MAX, DAY, '64 MiB of storage a day'],
  ] as const)(
    'of %s ends, is named in the refusal, and is full again at the stated time',
    async (name, max, windowMs, limit) => {
      vi.useFakeTimers({ toFake: ['Date'], now: NOON });
      await spend(ADMIN, name, max);
      await evictDurableObject(stub());
      const refusal = refusalOf(await block(ADMIN));
      const resetsAt = new Date(NOON + windowMs).toISOString();
      expect(refusal).toMatchObject({
        ...{
          code: 'BUDGET_EXCEEDED',
          retryAfterSeconds: windowMs / 1_000,
          extras: { budget: { name, resetsAt } },
        },
      });
      expect(refusal.message).toContain(limit);
      expect(refusal.message).toContain(resetsAt);
      vi.setSystemTime(NOON + windowMs);
      expect(codeOf(await block(ADMIN))).toBe('ok');
      expect((await budgets()).find(({ budget }) => budget === name)!.used).toBeLessThan(max);
    },
  );

  test('is separate for each token, and root has none', async () => {
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    await spend(ROOT, 'bytes', Number.MAX_SAFE_INTEGER);
    const other: Actor = { ...ADMIN, name: 'token:other' };
    expect([await block(ADMIN), await block(other), await block(ROOT)].map(codeOf)).toEqual([
      ...['BUDGET_EXCEEDED', 'ok', 'ok'],
    ]);
    expect((await budgets()).filter(({ actor }) => actor === ROOT.name)).toHaveLength(1);
  });

  test('refuses what does not fit as a whole, and accepts what fits', async () => {
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX - 2);
    const two = { ...change('block'), items: [{ number: '+821030000001' }, { number: '+821030000002' }] };
    expect(codeOf(await coordinator().changeEntries(by(ADMIN), two))).toBe('BUDGET_EXCEEDED');
    expect(codeOf(await block(ADMIN))).toBe('ok');
    expect(codeOf(await block(ADMIN))).toBe('BUDGET_EXCEEDED');
  });

  test('counts a refused change, but nothing of a change for which there is no room', async () => {
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX - 2);
    const put = () => coordinator().putClient(by(ADMIN), 'a', client('a'), { match: 'x', absent: false });
    expect(codeOf(await put())).toBe('PRECONDITION_FAILED');
    const guarded = coordinator().putPolicy(by(ADMIN), STANDARD_POLICY.policy, { match: 'x', absent: false });
    expect(codeOf(await guarded)).toBe('PRECONDITION_FAILED');
    expect(codeOf(await block(ADMIN))).toBe('BUDGET_EXCEEDED');
    expect((await budgets()).find(({ budget }) => budget === 'entries')!.used).toBe(
      TOKEN_ENTRIES_PER_HOUR_MAX,
    );
    expect(await coordinator().audit(0, 10)).toEqual([]);
  });

  test('limits every change of the token, and refused releases that are recorded', async () => {
    await spend(ADMIN, 'bytes', TOKEN_BYTES_PER_DAY_MAX);
    const { signed } = await build({ lists: smallLists() });
    const codes = [
      await coordinator().stage(by(ADMIN), signed),
      await coordinator().stage(by(ADMIN), { ...signed, signature: 'x' }),
      await coordinator().putGuards(by(ADMIN), await coordinator().guards()),
      await coordinator().putPolicy(by(ADMIN), STANDARD_POLICY.policy, ANY),
    ].map(codeOf);
    expect(codes).toEqual(codes.map(() => 'BUDGET_EXCEEDED'));
    expect(await coordinator().audit(0, 10)).toEqual([]);
  });

  test('is larger for changes that undo or remove, and is limited there too', async () => {
    unwrap(await coordinator().putClient(by(ROOT), 'a', client('a'), ANY));
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    expect(codeOf(await unblock(ADMIN))).toBe('ok');
    expect(codeOf(await coordinator().putClient(by(ADMIN), 'a', null, ANY))).toBe('ok');
    await spend(ADMIN, 'entries', TOKEN_FREEING_FACTOR * TOKEN_ENTRIES_PER_HOUR_MAX);
    expect(codeOf(await unblock(ADMIN))).toBe('BUDGET_EXCEEDED');
  });

  test('does not refuse the response to a repeated request', async () => {
    const repeated: ChangeRequest = { ...by(ADMIN), repeat: { key: 'k', sha256: 'same' } };
    const first = unwrap(await coordinator().changeEntries(repeated, change('block')));
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    expect(unwrap(await coordinator().changeEntries(repeated, change('block')))).toEqual(first);
  });

  test('is removed by the cron once its time is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    unwrap(await block(ADMIN));
    expect(await budgets()).toHaveLength(2);
    vi.setSystemTime(NOON + HOUR);
    await coordinator().sweep(WRANGLER);
    expect((await budgets()).map(({ budget }) => budget)).toEqual(['bytes']);
    vi.setSystemTime(NOON + DAY);
    await coordinator().sweep(WRANGLER);
    expect(await budgets()).toEqual([]);
  });

  test('leaves room for many bulk operations', () => {
    expect(TOKEN_ENTRIES_PER_HOUR_MAX).toBeGreaterThanOrEqual(20 * BULK_ENTRIES_MAX);
  });
});

describe('a promotion that is refused', () => {
  const promotion = { base: null, share: 1, overrides: [], reason: 'test' };
  const usedEntries = async () => (await budgets()).find(({ budget }) => budget === 'entries')?.used;

  test('counts each time, and reads the values once for repeated plans', async () => {
    const release = await stage({ lists: smallLists() });
    const before = Number(await usedEntries());
    const get = vi.spyOn(env.LISTS, 'get');
    const reads = () => get.mock.calls.filter(([key]) => String(key).startsWith('shard/')).length;
    const promote = () => coordinator().promote(by(ADMIN), release, { ...promotion, plan: '0'.repeat(16) });
    expect(codeOf(await promote())).toBe('PLAN_MOVED');
    const readsOfOne = reads();
    expect(readsOfOne).toBeGreaterThan(0);
    const { hash } = unwrap(await coordinator().plan(release));
    get.mockClear();
    for (let call = 0; call < 5; call++) {
      expect(refusalOf(await promote())).toMatchObject({ code: 'PLAN_MOVED', extras: { plan: hash } });
    }
    expect(reads()).toBe(0);
    expect(await usedEntries()).toBe(before + 6);
    // With the right plan, the values are still compared.
    unwrap(
      await coordinator().promote(by(ADMIN), release, { ...promotion, plan: hash, overrides: ALL_GUARDS }),
    );
    expect(reads()).toBeGreaterThan(0);
    expect(await usedEntries()).toBe(before + 7);
  });

  test('by a guard is recorded, even when the budget for growth is used up', async () => {
    const release = await stage({ lists: smallLists() });
    await spend(ADMIN, 'bytes', TOKEN_BYTES_PER_DAY_MAX);
    expect(codeOf(await coordinator().promote(by(ADMIN), release, promotion))).toBe('GUARD_HIT');
    expect((await coordinator().audit(0, 10)).at(-1)).toMatchObject({
      ...{ action: 'release.refuse', subject: release, actor: ADMIN.name },
      after: { code: 'GUARD_HIT', overridable: true },
    });
  });

  test('is no longer attempted once the budget is used up', async () => {
    const release = await stage({ lists: smallLists() });
    await spend(ADMIN, 'entries', TOKEN_FREEING_FACTOR * TOKEN_ENTRIES_PER_HOUR_MAX - 1);
    const get = vi.spyOn(env.LISTS, 'get');
    const promote = () => coordinator().promote(by(ADMIN), release, { ...promotion, base: 'another' });
    expect([await promote(), await promote()].map(codeOf)).toEqual(['BASE_MOVED', 'BUDGET_EXCEEDED']);
    expect(get).not.toHaveBeenCalled();
  });
});
