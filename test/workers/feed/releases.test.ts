/** The feed follows the current release: when its own release is gone, without room, and when releases come often. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { FEED_CHECKS_MAX, FEED_READS_MAX } from '../../../shared/limits/feed.ts';
import { readLimits } from '../../../workers/feed/released-lists.ts';
import { Tables } from '../../../workers/feed/tables.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, unwrap } from '../support/coordinator.ts';
import { drained, feed, feedStub, ran, short, snapshotOf, unheard } from '../support/feed.ts';
import { by, change, NOON, ROOT } from '../support/room.ts';

const NUMBER = '+821030000001';
const OTHER = '+821030000002';
const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

async function changed(
  op: 'block' | 'clear',
  items: readonly { readonly number: string }[],
  more: object = {},
) {
  const made = { ...change(op), items, subjects: ['from'], ...more };
  unwrap(await coordinator().changeEntries(by(ROOT), made as never));
}

const block = (number: string, until: string | null = null) => changed('block', [{ number }], { until });

async function promoted(
  base: string | null,
  minute: number,
  listed: readonly number[] = [],
): Promise<string> {
  const numbers = listed.map((n) => ({ n, ...EVER }));
  const lists = listed.length === 0 ? [] : [plainList('listed', { numbers })];
  const name = await stage({ lists, base, foldedSeq: 0, minute });
  const options = { base, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await coordinator().promote(asAdmin(), name, options));
  return name;
}

const shown = async (): Promise<string[]> => [...(await snapshotOf()).entries.values()].map(short).sort();

/** The release that the feed follows. @param name sets it, if given */
function release(name?: string): Promise<string> {
  return runInDurableObject(feedStub(), (_: unknown, { storage: { sql } }: DurableObjectState) => {
    if (name !== undefined) sql.exec("UPDATE meta SET value = ? WHERE key = 'release'", name);
    return sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = 'release'").one().value;
  });
}

test('a feed that has slept until its release is gone goes on with the current one', async () => {
  await block(NUMBER, new Date(NOON + HOUR).toISOString());
  const current = await promoted(null, 0);
  await drained();
  expect(await release()).toBe(current);
  await release('20200101T0000Z-00000000');
  await evictDurableObject(feedStub());
  // Something is due before the feed calls the coordinator.
  vi.setSystemTime(NOON + 2 * HOUR);
  await drained();
  expect(await shown()).toEqual([]);
  expect(await release()).toBe(current);
});

test('without room, changes wait, and the feed follows releases and has not caught up', async () => {
  await block(OTHER);
  const first = await promoted(null, 0);
  await drained();
  const full = vi.spyOn(Tables.prototype, 'isFull', 'get').mockReturnValue(true);
  await unheard(() => block(NUMBER));
  vi.setSystemTime(NOON + HOUR);
  const next = await promoted(first, 1);
  await drained();
  expect(await release()).toBe(next);
  expect(await shown()).toEqual([`from ${OTHER} block SENDER_REPORTED`]);
  expect((await feed().status()).lagMs).toBeGreaterThanOrEqual(HOUR);
  full.mockRestore();
  await drained();
  expect(await shown()).toHaveLength(2);
  expect((await feed().status()).lagMs).toBe(0);
});

test('releases that come faster than all entries are looked up leave none out', async () => {
  const first = 821_033_000_000;
  const last = first + 2 * FEED_CHECKS_MAX;
  const items = Array.from({ length: 2 * FEED_CHECKS_MAX }, (_, index) => ({ number: `+${first + index}` }));
  let base = await promoted(null, 0, [last]);
  await changed('block', items);
  await changed('block', [{ number: `+${last}` }]);
  await changed('clear', [{ number: `+${last}` }]);
  await drained();
  const ofLast = async () => (await shown()).filter((words) => words.includes(`+${last}`));
  expect(await ofLast()).toEqual([`from +${last} block NUMBER_SUSPENDED`]);
  // A run then ends before it has looked up all of them.
  readLimits.reads = 1;
  try {
    for (let minute = 1; minute <= 4; minute++) {
      base = await unheard(() => promoted(base, minute, [first + minute]));
      vi.setSystemTime(NOON + minute * 60_000);
      await ran();
    }
    expect(await ofLast()).toEqual([]);
  } finally {
    readLimits.reads = FEED_READS_MAX;
  }
  vi.setSystemTime(NOON + HOUR);
  await drained();
  expect((await feed().status()).pending).toBe(0);
});
