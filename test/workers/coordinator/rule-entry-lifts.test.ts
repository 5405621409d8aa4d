/**
 * Lifts of rule blocks. Nothing of such a block remains, and all other entries decide as before. Also who else may change such
 * a block.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { toE164 } from '../../../shared/numbers/number.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { plainList } from '../../shared/support/plain-model.ts';
import { codeOf, coordinator, memberOf, stub, unwrap } from '../support/coordinator.ts';
import { by, ROOT, refusalOf } from '../support/room.ts';
import {
  applyRules,
  END,
  foldedList,
  found,
  held,
  inHours,
  make,
  N,
  NOW,
  promoted,
  ruleChange,
} from '../support/rule-entries.ts';

const KISA = memberOf('kisa');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
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

test('a shorter end also ends the longer block that releases contain', async () => {
  await promoted([foldedList('numgate')]);
  const inAnHour = NOW + 3_600_000;
  await applyRules(ruleChange('block', N, { until: inAnHour, replacedUntil: END }));
  expect([await found(), await found(0, inAnHour)]).toEqual([
    ...['block numgate kr-50@3 provisional', 'clear numgate'],
  ]);
});

test('a shorter end that has passed when it comes ends the block', async () => {
  await applyRules(ruleChange('block', N));
  await applyRules(ruleChange('block', N, { until: NOW, replacedUntil: END }));
  expect(await found()).toBe('clear numgate');
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
