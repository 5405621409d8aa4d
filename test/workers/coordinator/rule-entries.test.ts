/**
 * Blocks of rules in the live layer: what is applied, refused and lifted, and that nobody else's entries and room change.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { EntryChange } from '../../../shared/admin/entries.ts';
import {
  LIVE_ENTRIES_PER_AUTHORITY_MAX,
  RULE_ENTRIES_MAX,
  STORAGE_FULL_SHARE,
  UNBLOCK_RESERVE,
  UNSEALED_ENTRIES_MAX,
} from '../../../shared/limits/control.ts';
import { numberKey, SUBJECT_BIT } from '../../../shared/live/entry.ts';
import { BLOCK_FILLED_MIN } from '../../../shared/numbers/blocks.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { type PlainList, plainList } from '../../shared/support/plain-model.ts';
import {
  ADMIN,
  ALL_GUARDS,
  ALL_LIVE_GUARDS,
  asAdmin,
  codeOf,
  coordinator,
  memberOf,
  readHead,
  stage,
  stub,
  unwrap,
} from '../support/coordinator.ts';
import '../support/fresh.ts';
import { by, fill, ROOT, refusalOf } from '../support/room.ts';
import { applyRules, DAY, END, ruleChange, shortResults } from '../support/rule-entries.ts';

const NOW = Date.UTC(2040, 0, 1);
const N = 821_030_000_001;
const KISA = memberOf('kisa');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});

const make = (op: EntryChange['op'], more: Partial<EntryChange> = {}, actor = ADMIN) =>
  coordinator().changeEntries(by(actor), {
    ...{ op, items: [{ number: toE164(N) }], code: 'SENDER_REPORTED', until: null, reason: 'test' },
    ...{ subjects: ['from', 'to'], overrides: ALL_LIVE_GUARDS, ...more },
  });

const inHours = (hours: number): string => new Date(NOW + hours * 3_600_000).toISOString();

/** What readers find for the number as sender, with a release that contains the changes up to `foldedSeq`. */
async function found(foldedSeq = 0, at = NOW, n = N): Promise<string> {
  const { live } = (await readHead())!;
  const { kind, high, low } = numberKey(n);
  const entry = live.find(kind, high, low, SUBJECT_BIT.from, foldedSeq, Math.floor(at / 1000));
  if (entry === null) return 'none';
  return [entry.op, entry.authority, entry.rule, entry.stage].filter(Boolean).join(' ');
}

/** Sets how many live entries the coordinator counts for an authority. */
async function hold(name: string, entries: number): Promise<void> {
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('INSERT OR REPLACE INTO live_held VALUES (?, ?)', name, entries);
  });
}

const held = (): Promise<object> =>
  runInDurableObject(stub(), (_, { storage }) =>
    Object.fromEntries(
      storage.sql
        .exec<{ authority: string; entries: number }>('SELECT * FROM live_held')
        .toArray()
        .map(({ authority, entries }) => [authority, entries]),
    ),
  );

async function promoted(lists: readonly PlainList[], foldedSeq = 0): Promise<void> {
  const base = (await readHead())?.head.current?.release ?? null;
  const release = await stage({ lists, base, foldedSeq });
  const settings = { base, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await coordinator().promote(asAdmin(), release, settings));
}

/** A list as a build makes it of live entries. */
function foldedList(authority: string, effect: 'block' | 'allow' = 'block'): PlainList {
  const list = plainList(`live-${effect}-${authority}`, { numbers: [{ n: N, since: 0, until: END / 1000 }] });
  const reason = effect === 'block' ? ('SENDER_REPORTED' as const) : ('ALLOW_OVERRIDE' as const);
  return { ...list, info: { ...list.info, authority, effect, reason } };
}

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
    // Whoever has cleared it has no entry to lose.
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
    // What is blocked already fills nothing.
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

describe('a lift', () => {
  test('ends the block, and a second one changes nothing', async () => {
    await applyRules(ruleChange('block', N));
    await applyRules(ruleChange('lift', N));
    expect([await found(), await held()]).toEqual(['clear numgate', { numgate: 1 }]);
    const { seq } = await coordinator().status();
    expect(await applyRules(ruleChange('lift', N), ruleChange('lift', N + 1))).toEqual([
      ...[{ applied: seq }, { applied: seq }],
    ]);
    expect((await coordinator().status()).seq).toBe(seq);
  });

  test('leaves the entries of others above the block, and what they leave beneath', async () => {
    unwrap(await make('clear'));
    await applyRules(ruleChange('block', N));
    unwrap(await make('unblock', { until: inHours(1) }));
    const inAnHour = NOW + 3_600_000;
    expect([await found(), await found(0, inAnHour)]).toEqual([
      ...['unblock kisa', 'block numgate kr-50@3 provisional'],
    ]);
    await applyRules(ruleChange('lift', N));
    expect([await found(), await found(0, inAnHour), await found(0, END)]).toEqual([
      ...['unblock kisa', 'clear kisa', 'clear kisa'],
    ]);
    const entries = unwrap(await coordinator().findEntries({ number: toE164(N) }));
    expect(entries.filter(({ subjects }) => subjects.includes('to'))).toMatchObject([
      ...[{ op: 'unblock' }, { op: 'clear' }],
    ]);
  });

  test('is not taken back by an undo of what had replaced the block', async () => {
    await applyRules(ruleChange('block', N));
    const { operation } = unwrap(await make('block', {}, ROOT));
    unwrap(await coordinator().undoOperation(by(ROOT), operation!, {}));
    expect(await found()).toBe('block numgate kr-50@3 provisional');
    const again = unwrap(await make('block', {}, ROOT));
    await applyRules(ruleChange('lift', N));
    unwrap(await coordinator().undoOperation(by(ROOT), again.operation!, {}));
    expect(await found()).not.toContain('block');
  });

  test('ends a block that only releases have left, and keeps the folded entry of somebody above it', async () => {
    const above = plainList('live-allow-kisa', { numbers: [{ n: N, since: 0, until: END / 1000 - 60 }] });
    const info = { ...above.info, authority: 'kisa', effect: 'allow', reason: 'ALLOW_OVERRIDE' } as const;
    await promoted([foldedList('numgate'), { ...above, info }]);
    await applyRules(ruleChange('lift', N));
    expect([await found(), await found(0, END - 60_000), await found(0, END)]).toEqual([
      ...['unblock kisa', 'clear numgate', 'none'],
    ]);
  });

  test('decides over a release that contains the block', async () => {
    await applyRules(ruleChange('block', N));
    const { seq } = await coordinator().status();
    await promoted([foldedList('numgate')], seq);
    expect(await found(seq)).toBe('none');
    await applyRules(ruleChange('lift', N));
    expect([await found(seq), await found()]).toEqual(['clear numgate', 'clear numgate']);
  });
});

test('only root and tokens that name "numgate" change the entries of rules', async () => {
  await applyRules(ruleChange('block', N));
  for (const op of ['unblock', 'block', 'clear'] as const) {
    expect(refusalOf(await make(op, {}, KISA))).toMatchObject({
      ...{ code: 'AUTHORITY_FOREIGN', extras: { authorities: ['numgate'] } },
    });
  }
  const { operation } = unwrap(await make('unblock', { overrideAuthorities: ['numgate'] }, KISA));
  expect([await found(), await held()]).toEqual(['unblock kisa', { kisa: 2 }]);
  unwrap(await coordinator().undoOperation(by(KISA), operation!, {}));
  expect(await found()).toBe('block numgate kr-50@3 provisional');
  expect(codeOf(await coordinator().undoOperation(by(ROOT), operation! - 1, {}))).toBe('NOT_KEPT');
});

test('tables that were lost get the entries of rules back with rule and stage', async () => {
  await applyRules(ruleChange('block', N));
  await vi.waitFor(async () => {
    const { seq, kvSeq } = await coordinator().status();
    expect(kvSeq).toBe(seq);
  }, HANG_MS);
  await runInDurableObject(stub(), async (_, { storage }) => {
    await storage.deleteAlarm();
    await storage.deleteAll();
  });
  await evictDurableObject(stub());
  await coordinator().token('root');
  expect([await found(), await held()]).toEqual(['block numgate kr-50@3 provisional', { numgate: 1 }]);
});
