/**
 * The live layer in the coordinator: operations, bulk operations, and repeated requests.
 */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, test, vi } from 'vitest';
import type { EntryItem } from '../../../shared/admin/entries.ts';
import {
  BULK_ENTRIES_MAX,
  SEGMENT_ENTRIES_MAX,
  UNSEALED_ENTRIES_MAX,
} from '../../../shared/limits/control.ts';
import { numberKey } from '../../../shared/live/entry.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { sourceKey } from '../../shared/support/sources.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  ALL_LIVE_GUARDS,
  asAdmin,
  codeOf,
  coordinator,
  readHead,
  stub,
  unwrap,
} from '../support/coordinator.ts';

const CHANGE = { code: 'SENDER_REPORTED', subjects: ['from', 'to'], until: null, reason: 'test' } as const;

function change(op: 'block' | 'unblock' | 'clear', items: readonly EntryItem[], more: object = {}) {
  const overrides = ALL_LIVE_GUARDS;
  return { ...CHANGE, subjects: [...CHANGE.subjects], op, items: [...items], overrides, ...more };
}

async function opOf(n: number): Promise<string | undefined> {
  const key = numberKey(n);
  return (await readHead())!.live.find(key.kind, key.high, key.low, 1, 0, Math.floor(Date.now() / 1000))?.op;
}

describe('an entry that is', () => {
  const REFUSED: Record<string, [string, EntryItem]> = {
    'an emergency number': ['ENTRY_PROTECTED', { number: '+82119' }],
    'an emergency number behind an area code': ['ENTRY_PROTECTED', { number: '02-119' }],
    'a short code': ['ENTRY_PROTECTED', { number: '1335' }],
    'a test number': ['ENTRY_PROTECTED', { number: '010-0000-0003' }],
    'a whole country': ['ENTRY_TOO_WIDE', { number: '+82*' }],
    'a prefix': ['ENTRY_TOO_WIDE', { number: '+63917*' }],
    'a range': ['ENTRY_TOO_WIDE', { number: '+821000000000..+821019999999' }],
    'not a number': ['ENTRY_INVALID', { number: 'hello' }],
    'an impossible number': ['ENTRY_INVALID', { number: '+8210123' }],
    'behind a carrier prefix': ['ENTRY_INVALID', { number: '00700 63 917 123 4567' }],
    'a number as source': ['ENTRY_INVALID', { source: '010-1234-5678' }],
  };
  test.each(Object.entries(REFUSED))('%s is refused', async (_, [code, item]) => {
    const guards = { ...(await coordinator().guards()), protectedNumbers: [82221002114] };
    unwrap(await coordinator().putGuards(asAdmin(), guards));
    const good = { number: '+821012345678' };
    const result = await coordinator().changeEntries(asAdmin(), change('block', [good, item]));
    expect(codeOf(result)).toBe(code);
    expect(result.ok ? null : result.extras?.items).toMatchObject([{ index: 1, code }]);
    expect(result.ok ? '' : result.message).not.toMatch(/\d{7}/);
    expect(await readHead()).toBeNull();
  });
});

test('a protected number is blocked only with an override', async () => {
  const guards = { ...(await coordinator().guards()), protectedNumbers: [82221002114] };
  unwrap(await coordinator().putGuards(asAdmin(), guards));
  const items = [{ number: '+821012345678' }, { number: '02-2100-2114' }];
  const result = await coordinator().changeEntries(asAdmin(), change('block', items, { overrides: [] }));
  expect(result).toMatchObject({
    ...{ ok: false, code: 'GUARD_HIT' },
    extras: { guards: [{ guard: 'protected-number', figures: { numbers: 1, first: 1 } }] },
  });
  expect(JSON.stringify(result)).not.toMatch(/\d{7}/);
  expect(await readHead()).toBeNull();
  unwrap(await coordinator().changeEntries(asAdmin(), change('block', items)));
  expect(await opOf(82221002114)).toBe('block');
});

test('a protected number can be unblocked', async () => {
  const guards = { ...(await coordinator().guards()), protectedNumbers: [82221002114] };
  unwrap(await coordinator().putGuards(asAdmin(), guards));
  unwrap(await coordinator().changeEntries(asAdmin(), change('unblock', [{ number: '02-2100-2114' }])));
  expect(await opOf(82221002114)).toBe('unblock');
});

test('a sender ID is listed by its fingerprint', async () => {
  unwrap(await coordinator().changeEntries(asAdmin(), change('block', [{ source: 'KB-Bank' }])));
  const { live } = (await readHead())!;
  const key = sourceKey('kb-bank', testKeys.sourceSeed);
  expect(live.find(key.kind, key.high, key.low, 1, 0, 0)).toMatchObject({ op: 'block', authority: 'kisa' });
  expect(unwrap(await coordinator().findEntries({ source: 'KB BANK' }))).toEqual([]);
  expect(unwrap(await coordinator().findEntries({ source: 'kb-bank' }))).toMatchObject([
    { source: 'KB-Bank' },
  ]);
});

test('the same Idempotency-Key gets the same response, and changes nothing again', async () => {
  const block = change('block', [{ number: '+821012345678' }]);
  const first = unwrap(await coordinator().changeEntries(asAdmin('a', 'key-1'), block));
  expect(unwrap(await coordinator().changeEntries(asAdmin('a', 'key-1'), block))).toEqual(first);
  expect(codeOf(await coordinator().changeEntries(asAdmin('a', 'key-1', 'other'), block))).toBe(
    'IDEMPOTENCY_CONFLICT',
  );
  expect((await coordinator().status()).seq).toBe(1);
  const many = await Promise.all(
    Array.from({ length: 20 }, () => coordinator().changeEntries(asAdmin('a', 'key-2'), block)),
  );
  expect(new Set(many.map((result) => unwrap(result).seq))).toEqual(new Set([2]));
});

test('an entry ends on time, and the alarm removes it', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const until = new Date(Date.UTC(2040, 0, 1, 0, 1)).toISOString();
  unwrap(await coordinator().changeEntries(asAdmin(), change('block', [{ number: '+821012345678' }])));
  unwrap(
    await coordinator().changeEntries(asAdmin(), change('unblock', [{ number: '+821012345678' }], { until })),
  );
  expect(await opOf(821012345678)).toBe('unblock');
  vi.setSystemTime(Date.UTC(2040, 0, 1, 0, 1));
  expect(await opOf(821012345678)).toBe('block');
  await runDurableObjectAlarm(stub());
  const status = await coordinator().status();
  expect([status.seq, status.live.entries]).toEqual([3, 2]);
  expect((await coordinator().audit(0, 10)).at(-1)).toMatchObject({
    actor: 'numgate',
    action: 'entries.end',
    after: null,
  });
});

test('the unsealed entries stay few: older ones are sealed, and none is lost', async () => {
  const numberAt = (index: number): string => `+8210${String(30_000_000 + index * 7)}`;
  const BULK = 9_000;
  for (let bulk = 0; bulk < 4; bulk++) {
    const items = Array.from({ length: BULK }, (_, index) => ({ number: numberAt(bulk * BULK + index) }));
    unwrap(await coordinator().changeEntries(asAdmin(), change('block', items)));
  }
  for (let index = 0; index < 20; index++) {
    unwrap(await coordinator().changeEntries(asAdmin(), change('unblock', [{ number: numberAt(index) }])));
  }
  await vi.waitFor(
    async () => expect((await coordinator().status()).live.tail).toBeLessThanOrEqual(UNSEALED_ENTRIES_MAX),
    HANG_MS,
  );
  const { live } = await coordinator().status();
  expect(live.segments).toBeGreaterThanOrEqual(Math.floor((4 * BULK) / SEGMENT_ENTRIES_MAX));
  expect(live.segments).toBeLessThanOrEqual(4);
  expect(live.entries).toBe(2 * 4 * BULK);
  const { head, live: layer } = (await readHead())!;
  expect(head.seq).toBe(24);
  for (let index = 0; index < 4 * BULK; index += 97) {
    const key = numberKey(Number(numberAt(index)));
    expect(layer.find(key.kind, key.high, key.low, 1, 0, 0)?.op).toBe(index < 20 ? 'unblock' : 'block');
    expect(layer.find(key.kind, key.high, key.low + 1, 1, 0, 0)).toBeNull();
  }
  // All pages together contain every entry once.
  const seen = new Set<string | null>();
  let after = '';
  for (;;) {
    const page = await coordinator().entries(after, null, 1_000);
    for (const { number } of page.entries) seen.add(number);
    if (page.next === null) break;
    after = page.next;
  }
  expect(seen.size).toBe(4 * BULK);
});

test('more entries than fit a segment are refused, even when fewer items create them', async () => {
  expect(UNSEALED_ENTRIES_MAX + BULK_ENTRIES_MAX).toBeLessThanOrEqual(SEGMENT_ENTRIES_MAX);
  // With a Cyrillic letter, so it is listed by its spelling and by its look-alike.
  const alike = (count: number): EntryItem[] =>
    Array.from({ length: count }, (_, index) => ({ source: `\u0410${index}` }));
  const block = change('block', alike(BULK_ENTRIES_MAX / 2 + 1), { subjects: ['from'] });
  expect(await coordinator().changeEntries(asAdmin(), block)).toMatchObject({
    ...{ ok: false, code: 'FIELD_VALUE', field: 'items' },
    message: expect.stringMatching(/^"items" creates 10002 entries, but at most 10000 are allowed/),
  });
  const most = { ...block, items: block.items.slice(1) };
  expect(unwrap(await coordinator().changeEntries(asAdmin(), most)).seq).toBe(1);
  expect(unwrap(await coordinator().changeEntries(asAdmin(), { ...most, op: 'clear' })).seq).toBe(2);
});

test('concurrent large operations are applied one after the other, and none is lost', async () => {
  const BULK = 7_000;
  const bulk = (first: number): EntryItem[] =>
    Array.from({ length: BULK }, (_, index) => ({ number: `+8210${40_000_000 + first + index}` }));
  const reading = Array.from({ length: 8 }, () => readHead());
  const changes = [0, 1, 2, 3].map((index) =>
    coordinator().changeEntries(asAdmin(), change('block', bulk(index * BULK))),
  );
  await Promise.all([...changes, ...reading]);
  expect((await coordinator().status()).live.entries).toBe(2 * 4 * BULK);
  const { live } = (await readHead())!;
  for (let index = 0; index < 4 * BULK; index += 501) {
    expect(live.find('number', 8210, 40_000_000 + index, 1, 0, 0)?.op).toBe('block');
  }
});

test('a large operation does not wait for a pause in other changes', async () => {
  const BULK = 9_000;
  let going = true;
  const others = (async () => {
    for (let index = 0; going; index++) {
      const item = { number: `+8210${70_000_000 + index}` };
      unwrap(await coordinator().changeEntries(asAdmin(), change('block', [item])));
    }
  })();
  for (let bulk = 0; bulk < 4; bulk++) {
    const items = Array.from({ length: BULK }, (_, index) => ({
      number: `+8210${50_000_000 + bulk * BULK + index}`,
    }));
    unwrap(await coordinator().changeEntries(asAdmin(), change('block', items)));
    expect((await coordinator().status()).live.tail).toBeLessThanOrEqual(SEGMENT_ENTRIES_MAX);
  }
  going = false;
  await others;
  expect((await readHead())!.live.find('number', 8210, 50_000_000, 1, 0, 0)?.op).toBe('block');
});
