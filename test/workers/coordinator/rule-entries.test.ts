/** Rule blocks in the live layer: which are applied, which are refused, and whose room they take. */
import { evictDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { EntryChange } from '../../../shared/admin/entries.ts';
import {
  LIVE_ENTRIES_PER_AUTHORITY_MAX,
  RULE_ENTRIES_MAX,
  STORAGE_FULL_SHARE,
  UNBLOCK_RESERVE,
  UNSEALED_ENTRIES_MAX,
} from '../../../shared/limits/control.ts';
import { BLOCK_FILLED_MIN } from '../../../shared/numbers/blocks.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, codeOf, coordinator, stub, unwrap } from '../support/coordinator.ts';
import { fill } from '../support/room.ts';
import {
  applyRules,
  DAY,
  END,
  foldedList,
  found,
  hold,
  inHours,
  make,
  N,
  NOW,
  promoted,
  ruleChange,
  shortResults,
} from '../support/rule-entries.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});

describe('a block', () => {
  test('is found with its rule and stage, as sender only, and recorded', async () => {
    const [result] = await applyRules(ruleChange('block', N));
    expect(result).toEqual({ applied: (await coordinator().status()).seq });
    expect([await found(), await found(0, END)]).toEqual(['block numgate kr-50@3 provisional', 'none']);
    expect(unwrap(await coordinator().findEntries({ number: toE164(N) }))).toMatchObject([
      { rule: 'kr-50@3', stage: 'provisional', authority: 'numgate', subjects: ['from'], by: 'numgate' },
    ]);
    expect((await coordinator().audit(0, 10)).at(-1)).toMatchObject({
      ...{ action: 'ruleEntries.block', actor: 'numgate', reason: '50 reporters in 24h', before: null },
      after: { id: 'b1', entries: [{ op: 'block', rule: 'kr-50@3', stage: 'provisional' }] },
    });
  });

  test('takes the next stage, also a shorter one, and survives a restart in a segment', async () => {
    await applyRules(ruleChange('block', N));
    await applyRules(ruleChange('block', N, { stage: 'confirmed', until: END + DAY }));
    expect(await found(0, END)).toBe('block numgate kr-50@3 confirmed');
    const items = Array.from({ length: UNSEALED_ENTRIES_MAX }, (_, index) => ({
      number: toE164(N + 1 + index),
    }));
    unwrap(await make('block', { items }));
    await vi.waitFor(async () => expect((await coordinator().status()).live.tail).toBe(0), HANG_MS);
    await applyRules(ruleChange('block', N, { until: END - DAY }));
    await evictDurableObject(stub());
    expect(await found()).toBe('block numgate kr-50@3 provisional');
    expect(await found(0, END - DAY)).toBe('clear numgate');
  });

  test('of a sender ID finds what looks like it', async () => {
    const subject = { kind: 'source', text: 'parcel-kr' } as const;
    expect(shortResults(await applyRules(ruleChange('block', N, { subject })))).toEqual(['ok']);
    const entries = unwrap(await coordinator().findEntries({ source: 'РARCEL-KR' }));
    expect(entries).toMatchObject([{ op: 'block', source: 'parcel-kr', rule: 'kr-50@3' }]);
  });

  test('is applied once, and a batch that comes late changes nothing', async () => {
    const block = [ruleChange('block', N)];
    const first = await coordinator().applyRuleEntries(1_000, block);
    expect(await coordinator().applyRuleEntries(1_000, block)).toEqual(first);
    await coordinator().applyRuleEntries(1_001, [ruleChange('lift', N)]);
    expect(await coordinator().applyRuleEntries(1_000, block)).toEqual({ last: 1_001, results: null });
    expect(await found()).toBe('clear numgate');
    const { seq } = await coordinator().status();
    await evictDurableObject(stub());
    expect((await coordinator().applyRuleEntries(1_001, block)).last).toBe(1_001);
    expect((await coordinator().status()).seq).toBe(seq);
  });

  test('and its lift in one batch follow each other', async () => {
    const results = await applyRules(
      ...[ruleChange('block', N), ruleChange('lift', N), ruleChange('block', N, { stage: 'confirmed' })],
    );
    expect(shortResults(results)).toEqual(['ok', 'ok', 'ok']);
    expect(await found()).toBe('block numgate kr-50@3 confirmed');
  });

  test.each([
    ['unblocked', 'unblock', {}],
    ['unblocked', 'unblock', { until: inHours(1) }],
    ['blocked', 'block', {}],
    ['blocked', 'block', { subjects: ['from'] }],
  ] as const)('is refused where somebody else has %s it: %s %o', async (refused, op, more) => {
    unwrap(await make(op, more as Partial<EntryChange>));
    const { seq } = await coordinator().status();
    expect(shortResults(await applyRules(ruleChange('block', N)))).toEqual([refused]);
    expect((await coordinator().status()).seq).toBe(seq);
  });

  test('is made where somebody else cleared, blocked the recipient, or had a block that has ended', async () => {
    unwrap(await make('block', { until: inHours(1), subjects: ['from'] }));
    unwrap(await make('block', { subjects: ['to'] }));
    vi.setSystemTime(NOW + 2 * 3_600_000);
    expect(shortResults(await applyRules(ruleChange('block', N)))).toEqual(['ok']);
    const items = [{ number: toE164(N + 1) }];
    unwrap(await make('block', { items }));
    unwrap(await make('clear', { items }));
    expect(shortResults(await applyRules(ruleChange('block', N + 1)))).toEqual(['ok']);
  });

  test.each([
    ['blocked', foldedList('kisa')],
    ['unblocked', foldedList('kisa', 'allow')],
    [
      'unblocked',
      { ...foldedList('kisa', 'allow'), info: { ...foldedList('kisa', 'allow').info, name: 'vip' } },
    ],
    ['ok', { ...foldedList('kisa'), info: { ...foldedList('kisa').info, name: 'suspended' } }],
    ['ok', foldedList('numgate')],
  ] as const)('is %s by what the release has from others', async (result, list) => {
    await promoted([list]);
    expect(shortResults(await applyRules(ruleChange('block', N)))).toEqual([result]);
    // An authority that has cleared the number has no entry to lose.
    if (result === 'ok' || list.info.name === 'vip') return;
    unwrap(await make('clear'));
    expect(shortResults(await applyRules(ruleChange('block', N)))).toEqual(['ok']);
  });

  test('hits the guards that bound what is blocked, alone in its batch', async () => {
    const operatorRanges = [{ operator: 'small', from: 821_041_000_000, to: 821_041_009_999 }];
    const guards = { ...DEFAULT_GUARDS, protectedNumbers: [N], operatorShare: 0.1, operatorRanges };
    unwrap(await coordinator().putGuards(asAdmin(), guards));
    const results = await applyRules(
      ...[N, 8_210, 821_030_000_002].map((n) => ruleChange('block', n)),
      ruleChange('block', N + 5, { until: NOW }),
    );
    expect(shortResults(results)).toEqual(['protected-number', 'invalid', 'ok', 'invalid']);
    const many = (first: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({ number: toE164(first + index) }));
    unwrap(await make('block', { items: many(821_042_000_000, BLOCK_FILLED_MIN - 2), subjects: ['from'] }));
    unwrap(await make('block', { items: many(821_041_000_000, 999), subjects: ['from'] }));
    const more = [821_042_009_990, 821_042_009_991, 821_041_009_000, 821_041_009_001];
    expect(shortResults(await applyRules(...more.map((n) => ruleChange('block', n))))).toEqual([
      ...['ok', 'whole-block', 'ok', 'operator-share'],
    ]);
    // A number that is already blocked does not fill the block further.
    expect(shortResults(await applyRules(ruleChange('block', 821_042_009_990)))).toEqual(['ok']);
  });
});

describe('the room of rules', () => {
  test('is theirs alone, and leaves that of people as it is', async () => {
    await applyRules(ruleChange('block', N + 1));
    await hold('numgate', RULE_ENTRIES_MAX);
    const results = await applyRules(ruleChange('block', N), ruleChange('block', N + 1));
    expect(shortResults(results)).toEqual(['rulesFull', 'ok']);
    expect((await coordinator().status()).live.rules).toBe(RULE_ENTRIES_MAX);
    await hold('others', LIVE_ENTRIES_PER_AUTHORITY_MAX);
    unwrap(await make('block'));
    await hold('kisa', LIVE_ENTRIES_PER_AUTHORITY_MAX);
    expect(codeOf(await make('unblock', { items: [{ number: toE164(N + 9) }] }))).toBe('LIVE_FULL');
    await hold('numgate', 0);
    expect(codeOf(await make('unblock', { items: [{ number: toE164(N + 9) }] }))).toBe('LIVE_FULL');
  });

  test('lasts for lifts a while longer', async () => {
    await promoted([foldedList('numgate')]);
    await hold('numgate', RULE_ENTRIES_MAX + UNBLOCK_RESERVE - 1);
    expect(shortResults(await applyRules(ruleChange('lift', N)))).toEqual(['ok']);
    expect(shortResults(await applyRules(ruleChange('lift', N + 1)))).toEqual(['rulesFull']);
  });

  test('ends with the storage', async () => {
    await applyRules(ruleChange('block', N));
    await fill(STORAGE_FULL_SHARE);
    const results = await applyRules(ruleChange('block', N + 1), ruleChange('lift', N));
    expect(shortResults(results)).toEqual(['rulesFull', 'ok']);
  });
});
