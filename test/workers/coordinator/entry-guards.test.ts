/**
 * Guards on live changes: what each one counts, just below and just above its bound, and the traces of refused, tried or undone
 * changes.
 */
import { runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import type { EntryChange } from '../../../shared/admin/entries.ts';
import type { ChangeOp } from '../../../shared/live/entry.ts';
import { DEFAULT_GUARDS, type GuardSettings } from '../../../shared/release/guard-settings.ts';
import { ADMIN, asAdmin, codeOf, coordinator, stub, unwrap } from '../support/coordinator.ts';
import { budgets, by, HOUR, NOON, refusalOf } from '../support/room.ts';

const numbers = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ number: `+${821_030_000_000 + first + index}` }));

const make = (op: ChangeOp, items: EntryChange['items'], more: Partial<EntryChange> = {}, actor = ADMIN) =>
  coordinator().changeEntries(by(actor), {
    ...{ op, items, code: 'SENDER_REPORTED', until: null, reason: 'test', subjects: ['from'] },
    ...more,
  });

const settings = (more: Partial<GuardSettings>) =>
  coordinator().putGuards(asAdmin(), { ...DEFAULT_GUARDS, ...more });

/** The guards that a change hits. */
async function hits(op: ChangeOp, items: EntryChange['items'], actor = ADMIN): Promise<string[]> {
  const tried = unwrap(await make(op, items, { dryRun: true }, actor));
  return tried.dryRun!.guards.map(({ guard }) => guard);
}

test('an operation has a largest size', async () => {
  unwrap(await settings({ operationItems: 20 }));
  expect(await hits('block', numbers(0, 20))).toEqual([]);
  expect(await hits('block', numbers(0, 21))).toEqual(['large-operation']);
});

test('an authority has a largest number of changes an hour, over all its tokens, and of unblocks', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  unwrap(await settings({ operationItems: 20, hourlyItems: 50, hourlyUnblocks: 30 }));
  unwrap(await make('block', numbers(0, 20)));
  unwrap(await make('unblock', numbers(0, 20)));
  const second = { ...ADMIN, name: 'token:second' };
  expect([await hits('block', numbers(0, 10), second), await hits('block', numbers(0, 11), second)]).toEqual([
    ...[[], ['hourly-items']],
  ]);
  expect([await hits('clear', numbers(0, 10), second), await hits('clear', numbers(0, 11), second)]).toEqual([
    ...[[], ['hourly-items', 'hourly-unblocks']],
  ]);
  expect(await hits('block', numbers(0, 20), { ...ADMIN, authority: 'ktoa' })).toEqual([]);
  vi.setSystemTime(NOON + HOUR);
  expect(await hits('unblock', numbers(0, 20), second)).toEqual([]);
});

test('a whole block in use is found, also in many small operations and over authorities', async () => {
  unwrap(await settings({ operationItems: 10_000, hourlyItems: 100_000 }));
  for (let first = 0; first < 8_000; first += 4_000) unwrap(await make('block', numbers(first, 4_000)));
  const ktoa = { ...ADMIN, authority: 'ktoa' };
  expect(await hits('block', numbers(8_000, 999), ktoa)).toEqual([]);
  expect(await hits('block', numbers(8_000, 1_000), ktoa)).toEqual(['whole-block']);
  // Already blocked numbers do not fill the block further, and the next block is empty.
  expect(await hits('block', numbers(0, 4_000), ktoa)).toEqual([]);
  expect(await hits('unblock', numbers(0, 4_000), ktoa)).toEqual([]);
  // No subscriber has 010-0000 to 010-1999.
  const unused = Array.from({ length: 9_500 }, (_, index) => ({ number: `+${821_010_000_000 + index}` }));
  expect(await hits('block', unused, ktoa)).toEqual([]);
});

test('the share of one operator counts over all its ranges', async () => {
  const operatorRanges = [
    { operator: 'small', from: 821_030_000_000, to: 821_030_009_999 },
    { operator: 'small', from: 821_031_000_000, to: 821_031_009_999 },
  ];
  unwrap(await settings({ operatorShare: 0.1, operatorRanges }));
  unwrap(await make('block', numbers(0, 1_500)));
  expect(await hits('block', numbers(1_000_000, 500))).toEqual([]);
  expect(await hits('block', numbers(1_000_000, 501))).toEqual(['operator-share']);
  expect(await hits('block', numbers(5_000_000, 501))).toEqual([]);
});

test('a refused change changes and counts nothing but its attempt, and an override is recorded', async () => {
  unwrap(await settings({ operationItems: 2, protectedNumbers: [821_030_000_001] }));
  const refused = refusalOf(await make('block', numbers(0, 3)));
  expect(refused).toMatchObject({
    ...{
      code: 'GUARD_HIT',
      extras: { guards: [{ guard: 'protected-number' }, { guard: 'large-operation' }] },
    },
  });
  expect(JSON.stringify(refused)).not.toMatch(/\d{7}/);
  expect((await coordinator().audit(0, 10)).at(-1)).toMatchObject({ action: 'entries.refuse' });
  expect((await coordinator().status()).live.entries).toBe(0);
  expect(codeOf(await make('block', numbers(0, 3), { overrides: ['large-operation'] }))).toBe('GUARD_HIT');
  unwrap(
    await make('block', numbers(0, 3), { overrides: ['large-operation', 'protected-number', 'whole-block'] }),
  );
  expect((await coordinator().audit(0, 100)).at(-1)).toMatchObject({
    ...{ action: 'entries.override', subject: 'guards' },
    after: { guards: [{ guard: 'protected-number' }, { guard: 'large-operation' }] },
  });
  const used = await runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec('SELECT authority, counter, used FROM guard_hours').toArray(),
  );
  expect(used).toEqual([{ authority: 'kisa', counter: 'items', used: 3 }]);
});

test('concurrent changes cannot pass a bound together', async () => {
  unwrap(await settings({ operationItems: 20, hourlyItems: 50 }));
  const made = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      make('block', numbers(index * 100, 20), {}, { ...ADMIN, name: `token:${index}` }),
    ),
  );
  expect(made.map(codeOf).toSorted()).toEqual([
    'GUARD_HIT',
    'GUARD_HIT',
    'GUARD_HIT',
    'GUARD_HIT',
    'ok',
    'ok',
  ]);
});

test('a dry run answers what would change, changes nothing, and costs its budget', async () => {
  unwrap(await make('block', numbers(0, 2)));
  // The copy of the head in KV is written in the background.
  const state = async () => {
    const { kvSeq: _, ...status } = await coordinator().status();
    return [status, await coordinator().audit(0, 100)];
  };
  const before = await state();
  const tried = unwrap(
    await coordinator().changeEntries(asAdmin('test', 'key'), {
      ...{ op: 'unblock', items: numbers(0, 3), subjects: ['from', 'to'], dryRun: true },
      ...{ code: 'SENDER_REPORTED', until: null, reason: 'test' },
    }),
  );
  expect(tried).toEqual({
    ...{ seq: 1, changed: 3, operation: null },
    dryRun: { entries: 6, replaced: 2, guards: [] },
  });
  expect(await state()).toEqual(before);
  expect((await budgets()).find(({ budget }) => budget === 'entries')!.used).toBe(2 + 6);
  const rows = await runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec('SELECT key FROM answers').toArray(),
  );
  expect(rows).toEqual([]);
  expect(codeOf(await make('block', [{ number: '112' }], { dryRun: true }))).toBe('ENTRY_PROTECTED');
});

test('an undo is exempt, and gives nothing back', async () => {
  unwrap(await settings({ operationItems: 20, hourlyItems: 20, hourlyUnblocks: 1 }));
  const { operation } = unwrap(await make('block', numbers(0, 20)));
  unwrap(await coordinator().undoOperation(asAdmin(), operation!, {}));
  expect(await hits('block', numbers(0, 1))).toEqual(['hourly-items']);
});
