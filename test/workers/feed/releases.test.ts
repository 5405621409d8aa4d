/** A feed whose release is gone, or that has no room: it goes on with the current release. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { Tables } from '../../../workers/feed/tables.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, unwrap } from '../support/coordinator.ts';
import { drained, feed, feedStub, short, snapshotOf, unheard } from '../support/feed.ts';
import '../support/fresh.ts';
import { by, change, NOON, ROOT } from '../support/room.ts';

const NUMBER = '+821030000001';
const OTHER = '+821030000002';
const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

async function block(number: string, until: string | null = null): Promise<void> {
  const made = { ...change('block', number), subjects: ['from'], until };
  unwrap(await coordinator().changeEntries(by(ROOT), made as never));
}

async function promoted(base: string | null, minute: number): Promise<string> {
  const name = await stage({ lists: [], base, foldedSeq: 0, minute });
  const options = { base, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await coordinator().promote(asAdmin(), name, options));
  return name;
}

const shown = async (): Promise<string[]> => [...(await snapshotOf()).entries.values()].map(short).sort();

/** The release that the feed follows. @param name to set; none leaves it */
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
  // Something is due before the coordinator is asked.
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
