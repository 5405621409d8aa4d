/** Campaigns and hosts of lists in the feed: the content of the text store, in order, whatever fails or dies. */
import { evictDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { FEED_CHANGES_MAX, FEED_RETRY_MS, FEED_RETRY_MS_MAX } from '../../../shared/limits/feed.ts';
import type { Failure, Result } from '../../../shared/result.ts';
import { textLimits } from '../../../workers/feed/text-rows.ts';
import type { FeedProblem, FeedSnapshotPage } from '../../../workers/storage/feed-port.ts';
import { coordinator, unwrap } from '../support/coordinator.ts';
import { campaignOf, type FakeHostList, FakeText, sorted } from '../support/fake-text.ts';
import { drained, eventsAfter, feed, feedStub, ran, short, snapshotOf } from '../support/feed.ts';
import { by, change, NOON, ROOT } from '../support/room.ts';

const NUMBER = '+821030000001';
let warned: MockInstance<(...lines: unknown[]) => void>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

afterEach(() => {
  textLimits.page = FEED_CHANGES_MAX;
});

const LIST: FakeHostList = { name: 'phish', effect: 'block', authority: 'kisa', hosts: [] };

/** The events after a position, in short form. */
async function shown(after = 0): Promise<string[]> {
  const events = (await eventsAfter(null)).slice(after);
  return events.map(({ entry, before }) => (entry === null ? `delete ${short(before)}` : short(entry)));
}

function logged(event: string): number {
  return warned.mock.calls.filter(([line]) => String(line).includes(`"${event}"`)).length;
}

function answerOf<Value>(result: Result<Value, Failure<FeedProblem>>): Value {
  if (!result.ok) throw new Error('the feed has failed');
  return result.value;
}

async function block(): Promise<void> {
  const wanted = { ...change('block', NUMBER), subjects: ['from'] };
  unwrap(await coordinator().changeEntries(by(ROOT), wanted as never));
}

describe('a campaign', () => {
  test('is an entry while it is confirmed, and its revocation removes it', async () => {
    const text = new FakeText();
    text.put(campaignOf(1));
    text.put(campaignOf(2, { rule: 'loan-texts@1', stage: 'provisional' }));
    await drained();
    text.put(campaignOf(2, { rule: 'loan-texts@1', stage: 'confirmed', reporters: 40 }));
    text.put(campaignOf(1, { state: 'revoked', until: null }));
    text.put(campaignOf(3, { state: 'revoked', until: null }));
    await drained();
    text.put(campaignOf(2, { state: 'ended', until: null }));
    await drained();
    const events = await eventsAfter(null);
    // Revocations come first.
    expect(events.map(({ entry, before }) => [entry !== null, short(entry ?? before).slice(0, 13)])).toEqual([
      [true, 'campaign AQEB'],
      [true, 'campaign AgIC'],
      [false, 'campaign AQEB'],
      [true, 'campaign AgIC'],
      [false, 'campaign AgIC'],
    ]);
    expect(events[3]!.entry).toEqual({
      ...{ subject: 'campaign', fingerprint: campaignOf(2).fingerprint, textKeyId: '0123456789abcdef' },
      ...{ authority: 'kisa', rule: 'loan-texts@1', stage: 'confirmed', reporters: 40 },
      ...{ firstSeen: '2033-05-18T03:33:20.000Z', lastSeen: '2033-05-18T03:35:00.000Z' },
      until: '2042-11-19T08:53:20.000Z',
    });
    expect(new Set(events.map(({ reference }) => reference)).size).toBe(2);
    expect((await snapshotOf()).entries.size).toBe(0);
    expect(await feed().status()).toMatchObject({ position: 5, entries: 0 });
  });

  test('stays if another one with its fingerprint ends', async () => {
    const text = new FakeText();
    const { fingerprint } = campaignOf(1);
    text.put(campaignOf(1));
    text.put(campaignOf(9, { fingerprint, reporters: 3 }));
    await drained();
    text.put(campaignOf(1, { state: 'ended', until: null }));
    await drained();
    expect(
      (await eventsAfter(null)).map(({ entry }) => (entry as { reporters?: number } | null)?.reporters),
    ).toEqual([3]);
    text.put(campaignOf(9, { fingerprint, state: 'revoked', until: null }));
    await drained();
    expect((await snapshotOf()).entries.size).toBe(0);
  });

  test('that a restored text store no longer has is given up, also if the last page of the others is full', async () => {
    textLimits.page = 3;
    const text = new FakeText();
    for (const id of [1, 2, 3, 5]) text.put(campaignOf(id));
    await drained();
    text.generation = 'g2';
    text.campaigns.delete(5);
    await drained();
    expect(sorted((await snapshotOf()).entries.values())).toEqual(sorted(text.entries()));
  });

  test('that a restored text store no longer has is given up, and the others make no events', async () => {
    textLimits.page = 3;
    const text = new FakeText();
    for (let id = 1; id <= 8; id++) text.put(campaignOf(id));
    await drained();
    text.generation = 'g2';
    for (const id of [2, 3, 5, 7]) text.campaigns.delete(id);
    text.version = 1;
    await drained();
    const events = (await eventsAfter(null)).slice(8);
    expect(events.map(({ entry }) => entry)).toEqual([null, null, null, null]);
    expect(sorted((await snapshotOf()).entries.values())).toEqual(sorted(text.entries()));
  });
});

describe('hosts', () => {
  test('of the release in force are entries; a release makes events of what differs, removals first', async () => {
    const text = new FakeText();
    await text.promote('text-1', [
      { ...LIST, hosts: ['a.example', 'b.example'] },
      { ...LIST, name: 'watch', effect: 'shadow', hosts: ['c.example'] },
      { ...LIST, name: 'feed-hosts-ncsc', fromFeed: true, hosts: ['d.example'] },
      { ...LIST, name: 'good', effect: 'allow', authority: 'ktoa', hosts: ['a.example'] },
    ]);
    await drained();
    expect((await shown()).toSorted()).toEqual([
      'host a.example good allow ktoa',
      'host a.example phish block kisa',
      'host b.example phish block kisa',
    ]);
    await text.promote('text-2', [
      { ...LIST, hosts: ['b.example', 'c.example', 'a.b.example'] },
      { ...LIST, name: 'good', effect: 'label', authority: 'ktoa', hosts: ['a.example'] },
    ]);
    await drained();
    const changed = await shown(3);
    expect(changed[0]).toBe('delete host a.example phish block kisa');
    expect(changed.slice(1).toSorted()).toEqual([
      'host a.b.example phish block kisa',
      'host a.example good label ktoa',
      'host c.example phish block kisa',
    ]);
    // The same release, pushed again under another name.
    await text.promote('text-3', text.lists);
    await drained();
    expect(await shown(7)).toEqual([]);
    // A rollback to a time before host lists.
    await text.promote('none', []);
    await drained();
    expect(await shown(7)).toHaveLength(4);
    expect((await snapshotOf()).entries.size).toBe(0);
  });

  test('of a large release come in steps, with bounded work in each run; a stop between them repeats nothing', async () => {
    const hosts = Array.from({ length: 1_507 }, (_, index) => `h${index}.example`).sort();
    const text = new FakeText();
    await text.promote('text-1', [{ ...LIST, hosts }]);
    textLimits.page = 30;
    let runs = 0;
    for (let isDone = false; !isDone; runs++) {
      const before = (await feed().status()).position;
      await ran();
      const { position, pending } = await feed().status();
      // A run makes 40 steps, and each step at most this many events.
      expect(position - before).toBeLessThanOrEqual(40 * textLimits.page);
      if (runs % 2 === 0) await evictDurableObject(feedStub());
      isDone = pending === 0 && runs > 0;
    }
    expect(runs).toBeGreaterThan(1);
    expect(await feed().status()).toMatchObject({ position: hosts.length, entries: hosts.length });
    const { entries } = await snapshotOf();
    expect([...entries.values()].map((entry) => (entry as { host: string }).host).sort()).toEqual(hosts);
    // One additional host costs one event.
    await text.promote('text-2', [{ ...LIST, hosts: [...hosts, 'zz.example'] }]);
    await drained();
    expect((await feed().status()).position).toBe(hosts.length + 1);
  });

  test('whose table is damaged or missing change nothing, and numbers go on', async () => {
    const text = new FakeText();
    await text.promote('text-1', [{ ...LIST, hosts: ['a.example'] }]);
    await drained();
    const { lists } = text;
    await text.promote('text-2', [{ ...LIST, hosts: ['b.example'] }]);
    text.hosts = { ...text.hosts!, value: { ...text.hosts!.value, sha256: '0'.repeat(64) } };
    await block();
    await ran();
    expect(await shown()).toEqual([
      'host a.example phish block kisa',
      `from ${NUMBER} block SENDER_REPORTED`,
    ]);
    expect(logged('feedTextFailed')).toBe(1);
    await text.promote('text-1', lists);
    vi.setSystemTime(Date.now() + FEED_RETRY_MS_MAX);
    await drained();
    expect((await snapshotOf()).entries.size).toBe(2);
  });
});

test('numbers and sender IDs do not wait for a text store that does not respond', async () => {
  const text = new FakeText();
  text.fault = () => 'before';
  await block();
  await drained();
  expect(await shown()).toEqual([`from ${NUMBER} block SENDER_REPORTED`]);
  expect((await feed().status()).lagMs).toBeNull();
  const { calls } = text;
  await ran();
  expect(text.calls).toBe(calls);
  text.fault = () => null;
  text.put(campaignOf(1));
  vi.setSystemTime(Date.now() + FEED_RETRY_MS);
  await drained();
  expect(await shown(1)).toHaveLength(1);
  expect((await feed().status()).lagMs).toBe(0);
});

test('a page of the snapshot has parties before texts, and is never empty before the end', async () => {
  const text = new FakeText();
  await block();
  for (let id = 1; id <= 5; id++) text.put(campaignOf(id));
  await drained();
  const sizes: number[] = [];
  const seen = new Set<string>();
  for (let after: number | null = 0; after !== null; ) {
    const page: FeedSnapshotPage = answerOf(await feed().snapshot(after, 2));
    sizes.push(page.entries.length);
    for (const { reference } of page.entries) seen.add(reference);
    after = page.next;
  }
  expect(seen.size).toBe(6);
  expect(sizes.slice(0, 3)).toEqual([2, 2, 2]);
  expect((await snapshotOf()).entries.size).toBe(6);
  // A bouncer gets only numbers.
  const decisions = answerOf(await feed().decisions('bouncer', false));
  expect(decisions.isStart).toBe(true);
});
