/**
 * The budgets of a token: what they count, where they end, and when they are full again.
 */
import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test, vi } from 'vitest';
import type { Actor } from '../../shared/admin.ts';
import {
  BULK_ENTRIES_MAX,
  TOKEN_BYTES_PER_DAY_MAX,
  TOKEN_ENTRIES_PER_HOUR_MAX,
  TOKEN_FREEING_FACTOR,
} from '../../shared/limits.ts';
import { STANDARD_POLICY } from '../../shared/policy/policy.ts';
import type { ChangeRequest } from '../../workers/coordinator/change-request.ts';
import {
  ADMIN,
  ALL_GUARDS,
  authority,
  build,
  client,
  codeOf,
  done,
  stage,
  stub,
  WRANGLER,
} from './support/coordinator.ts';
import './support/fresh.ts';
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
} from './support/room.ts';
import { smallLists } from './support/world.ts';

describe('the budget of a token', () => {
  test('counts the entries of an hour and the bytes of a day', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const items = Array.from({ length: 1_000 }, (_, index) => ({ number: `+8210${30_000_000 + index}` }));
    done(await authority().changeEntries(by(ADMIN), { ...change('block'), items }));
    done(await authority().putGuards(by(ADMIN), await authority().guards()));
    const [bytes, entries] = await budgets();
    expect(entries).toEqual({ actor: ADMIN.name, budget: 'entries', used: 2_001, ends: NOON + HOUR });
    expect(bytes).toMatchObject({ actor: ADMIN.name, budget: 'bytes', ends: NOON + DAY });
    // Some hundred bytes for each entry: see coordinator-bytes.test.ts.
    expect(bytes!.used).toBeGreaterThan(1_000 * 100);
    expect(bytes!.used).toBeLessThan(1_000 * 400);
  });

  test.each([
    ['entries', TOKEN_ENTRIES_PER_HOUR_MAX, HOUR, '250,000 entries an hour'],
    ['bytes', TOKEN_BYTES_PER_DAY_MAX, DAY, '64 MiB of storage a day'],
  ] as const)(
    'of %s ends, says which it is, and is full again when it says',
    async (name, max, windowMs, words) => {
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
      expect(refusal.message).toContain(words);
      expect(refusal.message).toContain(resetsAt);
      vi.setSystemTime(NOON + windowMs);
      expect(codeOf(await block(ADMIN))).toBe('ok');
      expect((await budgets()).find(({ budget }) => budget === name)!.used).toBeLessThan(max);
    },
  );

  test('is another one for each token, and root has none', async () => {
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    await spend(ROOT, 'bytes', Number.MAX_SAFE_INTEGER);
    const other: Actor = { ...ADMIN, name: 'token:other' };
    expect([await block(ADMIN), await block(other), await block(ROOT)].map(codeOf)).toEqual([
      ...['BUDGET_EXCEEDED', 'ok', 'ok'],
    ]);
    expect((await budgets()).filter(({ actor }) => actor === ROOT.name)).toHaveLength(1);
  });

  test('refuses what does not fit into it as a whole, and takes what does', async () => {
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX - 2);
    const two = { ...change('block'), items: [{ number: '+821030000001' }, { number: '+821030000002' }] };
    expect(codeOf(await authority().changeEntries(by(ADMIN), two))).toBe('BUDGET_EXCEEDED');
    expect(codeOf(await block(ADMIN))).toBe('ok');
    expect(codeOf(await block(ADMIN))).toBe('BUDGET_EXCEEDED');
  });

  test('counts a change that is refused, and nothing of one that has no room', async () => {
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX - 2);
    const put = () => authority().putClient(by(ADMIN), 'a', client('a'), { match: 'x', absent: false });
    expect(codeOf(await put())).toBe('PRECONDITION_FAILED');
    const guarded = authority().putPolicy(by(ADMIN), STANDARD_POLICY.policy, { match: 'x', absent: false });
    expect(codeOf(await guarded)).toBe('PRECONDITION_FAILED');
    expect(codeOf(await block(ADMIN))).toBe('BUDGET_EXCEEDED');
    expect((await budgets()).find(({ budget }) => budget === 'entries')!.used).toBe(
      TOKEN_ENTRIES_PER_HOUR_MAX,
    );
    expect(await authority().audit(0, 10)).toEqual([]);
  });

  test('holds for every change of the token, and for refused releases that are written down', async () => {
    await spend(ADMIN, 'bytes', TOKEN_BYTES_PER_DAY_MAX);
    const { signed } = await build({ lists: smallLists() });
    const codes = [
      await authority().stage(by(ADMIN), signed),
      await authority().stage(by(ADMIN), { ...signed, signature: 'x' }),
      await authority().putGuards(by(ADMIN), await authority().guards()),
      await authority().putPolicy(by(ADMIN), STANDARD_POLICY.policy, ANY),
    ].map(codeOf);
    expect(codes).toEqual(codes.map(() => 'BUDGET_EXCEEDED'));
    expect(await authority().audit(0, 10)).toEqual([]);
  });

  test('is larger for what undoes or removes, and ends there too', async () => {
    done(await authority().putClient(by(ROOT), 'a', client('a'), ANY));
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    expect(codeOf(await unblock(ADMIN))).toBe('ok');
    expect(codeOf(await authority().putClient(by(ADMIN), 'a', null, ANY))).toBe('ok');
    await spend(ADMIN, 'entries', TOKEN_FREEING_FACTOR * TOKEN_ENTRIES_PER_HOUR_MAX);
    expect(codeOf(await unblock(ADMIN))).toBe('BUDGET_EXCEEDED');
  });

  test('does not refuse the answer of a request that is sent again', async () => {
    const repeated: ChangeRequest = { ...by(ADMIN), repeat: { key: 'k', sha256: 'same' } };
    const first = done(await authority().changeEntries(repeated, change('block')));
    await spend(ADMIN, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    expect(done(await authority().changeEntries(repeated, change('block')))).toEqual(first);
  });

  test('is forgotten by the cron once its time is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    done(await block(ADMIN));
    expect(await budgets()).toHaveLength(2);
    vi.setSystemTime(NOON + HOUR);
    await authority().sweep(WRANGLER);
    expect((await budgets()).map(({ budget }) => budget)).toEqual(['bytes']);
    vi.setSystemTime(NOON + DAY);
    await authority().sweep(WRANGLER);
    expect(await budgets()).toEqual([]);
  });

  test('leaves room for many bulk operations', () => {
    expect(TOKEN_ENTRIES_PER_HOUR_MAX).toBeGreaterThanOrEqual(20 * BULK_ENTRIES_MAX);
  });
});

describe('a promotion that is refused', () => {
  const wish = { base: null, share: 1, overrides: [], reason: 'test' };
  const usedEntries = async () => (await budgets()).find(({ budget }) => budget === 'entries')?.used;

  test('counts each time, and reads the values for another plan once', async () => {
    const release = await stage({ lists: smallLists() });
    const before = Number(await usedEntries());
    const get = vi.spyOn(env.LISTS, 'get');
    const reads = () => get.mock.calls.filter(([key]) => String(key).startsWith('shard/')).length;
    const promote = () => authority().promote(by(ADMIN), release, { ...wish, plan: '0'.repeat(16) });
    expect(codeOf(await promote())).toBe('PLAN_MOVED');
    const readsOfOne = reads();
    expect(readsOfOne).toBeGreaterThan(0);
    const { hash } = done(await authority().plan(release));
    get.mockClear();
    for (let call = 0; call < 5; call++) {
      expect(refusalOf(await promote())).toMatchObject({ code: 'PLAN_MOVED', extras: { plan: hash } });
    }
    expect(reads()).toBe(0);
    expect(await usedEntries()).toBe(before + 6);
    // The values are still compared where the plan is the right one.
    done(await authority().promote(by(ADMIN), release, { ...wish, plan: hash, overrides: ALL_GUARDS }));
    expect(reads()).toBeGreaterThan(0);
    expect(await usedEntries()).toBe(before + 7);
  });

  test('by a guard is written down, also where the budget for growth is used up', async () => {
    const release = await stage({ lists: smallLists() });
    await spend(ADMIN, 'bytes', TOKEN_BYTES_PER_DAY_MAX);
    expect(codeOf(await authority().promote(by(ADMIN), release, wish))).toBe('GUARD_HIT');
    expect((await authority().audit(0, 10)).at(-1)).toMatchObject({
      ...{ action: 'release.refuse', subject: release, actor: ADMIN.name },
      after: { code: 'GUARD_HIT', overridable: true },
    });
  });

  test('is no longer tried once the budget is used up', async () => {
    const release = await stage({ lists: smallLists() });
    await spend(ADMIN, 'entries', TOKEN_FREEING_FACTOR * TOKEN_ENTRIES_PER_HOUR_MAX - 1);
    const get = vi.spyOn(env.LISTS, 'get');
    const promote = () => authority().promote(by(ADMIN), release, { ...wish, base: 'another' });
    expect([await promote(), await promote()].map(codeOf)).toEqual(['BASE_MOVED', 'BUDGET_EXCEEDED']);
    expect(get).not.toHaveBeenCalled();
  });
});
