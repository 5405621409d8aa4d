/** Changes of the live layer become events in order, at the time at which they take effect. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FEED_WAIT_MS_MAX, FEED_WAITING_MAX } from '../../../shared/limits/feed.ts';
import { Waiting } from '../../../workers/feed/waiting.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, unwrap } from '../support/coordinator.ts';
import {
  drained,
  eventsAfter,
  feed,
  feedStub,
  pageAfter,
  partyOf,
  screenedBy,
  short,
  snapshotOf,
  unheard,
} from '../support/feed.ts';
import { by, change, HOUR, NOON, ROOT } from '../support/room.ts';
import { applyRules, ruleChange } from '../support/rule-entries.ts';

const NUMBER = '+821030000001';
const OTHER = '+821030000002';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

const inHours = (hours: number): string => new Date(NOON + hours * HOUR).toISOString();

async function make(op: 'block' | 'unblock' | 'clear', more: object = {}): Promise<number> {
  const wanted = { ...change(op, NUMBER), subjects: ['from'], ...more };
  return unwrap(await coordinator().changeEntries(by(ROOT), wanted as never)).operation ?? 0;
}

async function changed(...made: Parameters<typeof make>): Promise<number> {
  const operation = await make(...made);
  await drained();
  return operation;
}

/** The events after a position, in short form. */
async function shown(after = 0): Promise<string[]> {
  const events = (await eventsAfter(null)).slice(after);
  return events.map(({ entry, before }) => (entry === null ? `delete ${short(before)}` : short(entry)));
}

/** Lets time pass until the alarm of the feed. */
async function passed(ms: number): Promise<void> {
  vi.setSystemTime(ms);
  expect(await runDurableObjectAlarm(feedStub())).toBe(true);
}

test('a block, an unblock and a clear are an entry, another one, and its removal', async () => {
  await changed('block');
  await changed('unblock');
  await changed('clear');
  expect(await shown()).toEqual([
    `from ${NUMBER} block SENDER_REPORTED`,
    `from ${NUMBER} allow`,
    `delete from ${NUMBER} allow`,
  ]);
  expect((await snapshotOf()).entries.size).toBe(0);
  expect(await feed().status()).toMatchObject({ position: 3, entries: 0, pending: 0 });
});

test('each subject has an entry of its own, and a reference that is stable', async () => {
  await changed('block', { subjects: ['from', 'to'] });
  await changed('clear', { subjects: ['from'] });
  await changed('block', { subjects: ['from'] });
  const events = await eventsAfter(null);
  expect(events.map(({ entry, before }) => (entry ?? before)!.subject)).toEqual([
    'from',
    'to',
    'from',
    'from',
  ]);
  const references = events.map(({ reference }) => reference);
  expect(references).toEqual([references[0], references[1], references[0], references[0]]);
  expect(references[0]).toMatch(/^[\w-]{22}$/);
  expect(references[0]).not.toBe(references[1]);
});

test('a change that changes nothing for readers makes no event', async () => {
  await changed('block', { until: inHours(1) });
  await changed('block', { until: inHours(1) });
  expect(await shown()).toHaveLength(1);
});

test('a block of a rule has its rule and stage, and a confirmed one replaces the provisional one', async () => {
  await applyRules(ruleChange('block', Number(NUMBER), { until: NOON + HOUR }));
  await drained();
  await applyRules(ruleChange('block', Number(NUMBER), { until: NOON + 2 * HOUR, stage: 'confirmed' }));
  await drained();
  await applyRules(ruleChange('lift', Number(NUMBER), { until: NOON + 2 * HOUR }));
  await drained();
  const confirmed = `from ${NUMBER} block SENDER_REPORTED kr-50@3 confirmed ${inHours(2)}`;
  expect(await shown()).toEqual([
    `from ${NUMBER} block SENDER_REPORTED kr-50@3 provisional ${inHours(1)}`,
    confirmed,
    `delete ${confirmed}`,
  ]);
});

test('an undo gives back what was there', async () => {
  await changed('block', { code: 'NUMBER_SUSPENDED' });
  const operation = await changed('unblock');
  unwrap(await coordinator().undoOperation(by(ROOT), operation, {}));
  await drained();
  expect(await shown(2)).toEqual([`from ${NUMBER} block NUMBER_SUSPENDED`]);
});

describe('an entry with an end', () => {
  test('is removed at that time, without any call', async () => {
    await changed('block', { until: inHours(1) });
    const { cursor } = await snapshotOf();
    await passed(NOON + HOUR);
    const [event, ...others] = await eventsAfter(cursor);
    expect([event!.entry, event!.at, others]).toEqual([null, inHours(1), []]);
    expect((await snapshotOf()).entries.size).toBe(0);
  });

  test('gives way to a longer one that it covered', async () => {
    await changed('block', { code: 'NUMBER_SUSPENDED', until: inHours(5) });
    await changed('unblock', { until: inHours(1) });
    await passed(NOON + HOUR);
    expect(await shown(2)).toEqual([`from ${NUMBER} block NUMBER_SUSPENDED ${inHours(5)}`]);
    await passed(NOON + 5 * HOUR);
    expect(await shown(3)).toEqual([`delete from ${NUMBER} block NUMBER_SUSPENDED ${inHours(5)}`]);
  });

  test('is removed while the coordinator does not respond', async () => {
    await changed('block', { until: inHours(1) });
    const { cursor } = await snapshotOf();
    const { COORDINATOR } = (await import('cloudflare:workers')).env as never as {
      COORDINATOR: { getByName(name: string): object };
    };
    const watched = vi.spyOn(COORDINATOR, 'getByName').mockImplementation(() => {
      throw new Error('gone');
    });
    await passed(NOON + HOUR);
    watched.mockRestore();
    expect((await eventsAfter(cursor)).map(({ entry }) => entry)).toEqual([null]);
  });
});

describe('lists of the current release', () => {
  const SECONDS = NOON / 1000;
  async function promoted(
    minute: number,
    base: string | null,
    ...lists: Parameters<typeof stage>[0]['lists']
  ) {
    const name = await stage({ lists, base, minute });
    unwrap(
      await coordinator().promote(asAdmin(), name, { base, share: 1, overrides: ALL_GUARDS, reason: 'test' }),
    );
    await drained();
    return name;
  }
  const listed = (name: string, dates = EVER, effect: 'block' | 'label' | 'shadow' = 'block') => {
    const list = plainList(name, { numbers: [{ n: Number(NUMBER), ...dates }] });
    return { ...list, info: { ...list.info, effect } };
  };

  test('decide again after a clear: the entry names the list', async () => {
    await promoted(0, null, listed('suspended'));
    await changed('unblock');
    await changed('clear');
    const events = await eventsAfter(null);
    expect(
      events.map(({ entry }) => partyOf(entry)).map((entry) => [entry?.effect, entry?.list, entry?.code]),
    ).toEqual([
      ['allow', 'live', null],
      ['block', 'suspended', 'NUMBER_SUSPENDED'],
    ]);
  });

  test('are looked up again when another release becomes current, and when it is rolled back', async () => {
    const first = await promoted(0, null, listed('suspended'));
    await changed('block', { code: 'SENDER_REPORTED' });
    await changed('clear');
    await promoted(1, first, listed('suspended', EVER, 'label'));
    await promoted(2, (await coordinator().status()).current!.release, listed('other', EVER, 'shadow'));
    unwrap(await coordinator().rollback(asAdmin(), { reason: 'test' }));
    await drained();
    expect((await shown(1)).map((words) => words.split(' ').slice(0, -1).join(' '))).toEqual([
      `from ${NUMBER} block`,
      `from ${NUMBER} label`,
      `delete from ${NUMBER} label`,
      `from ${NUMBER} label`,
    ]);
  });

  test('with a list entry that begins and ends later, it is followed at those times', async () => {
    await promoted(0, null, listed('suspended', { since: SECONDS + 60, until: SECONDS + 120 }));
    await changed('block', { until: inHours(1), code: 'SENDER_REPORTED', subjects: ['from'] });
    await changed('clear', {});
    await make('block', { code: 'SENDER_REPORTED', until: new Date(NOON + 30_000).toISOString() });
    await changed('clear', { until: inHours(2) });
    const before = (await shown()).length;
    await passed(NOON + 60_000);
    await passed(NOON + 120_000);
    const until = new Date(NOON + 120_000).toISOString();
    const suspended = `from ${NUMBER} block NUMBER_SUSPENDED ${until}`;
    expect(await shown(before)).toEqual([suspended, `delete ${suspended}`]);
  });
});

test('removals and lifts come first in a page', async () => {
  const items = Array.from({ length: 40 }, (_, index) => ({ number: `+82103000${1_000 + index}` }));
  await changed('block', { items: items.slice(0, 20) });
  const { cursor } = await snapshotOf();
  await unheard(async () => {
    await make('block', { items: items.slice(20) });
    await make('unblock', { items: items.slice(0, 10) });
    await make('clear', { items: items.slice(10, 20) });
  });
  await drained();
  const effects = (await eventsAfter(cursor)).map(({ entry }) => partyOf(entry)?.effect ?? 'none');
  expect(effects.filter((effect) => effect === 'allow')).toHaveLength(10);
  expect(effects.slice(20)).toEqual(Array.from({ length: 20 }, () => 'block'));
});

describe('a sender ID', () => {
  const HOMOGLYPH = 'PAYP\u0410L';

  test('with look-alike letters is one entry, and stays blocked when a look-alike is unblocked', async () => {
    await changed('block', { items: [{ source: HOMOGLYPH }] });
    await changed('unblock', { items: [{ source: 'PAYPAL' }] });
    const { entries } = await snapshotOf();
    expect([...entries.values()].map(short).sort()).toEqual([
      'from PAYPAL allow',
      `from ${HOMOGLYPH} block SENDER_REPORTED`,
    ]);
    const parties = [HOMOGLYPH, 'PAYPAL'].map((source) => ({
      party: source,
      source,
      subject: 'from' as const,
    }));
    expect((await screenedBy(parties)).map(({ words }) => words).sort()).toEqual(
      [...entries.values()].map(short).sort(),
    );
    await changed('clear', { items: [{ source: HOMOGLYPH }] });
    // This also lifts the entry of the skeleton.
    expect((await snapshotOf()).entries.size).toBe(0);
    expect((await screenedBy(parties)).map(({ words }) => words)).toEqual(['none', 'none']);
  });

  test('depends on a block of its skeleton', async () => {
    await changed('block', { items: [{ source: 'PAYPAL' }], until: inHours(1) });
    await changed('unblock', { items: [{ source: HOMOGLYPH }], until: inHours(2) });
    expect((await shown()).at(-1)).toBe(`from ${HOMOGLYPH} allow ${inHours(2)}`);
    await changed('clear', { items: [{ source: HOMOGLYPH }] });
    expect((await snapshotOf()).entries.size).toBe(0);
  });

  test('of a trunk is not shared, and one of an operator is', async () => {
    await changed('block', { items: [{ source: 'trunk:MNL-2' }, { source: 'operator:515-02' }] });
    expect(await shown()).toEqual(['from operator:51502 block SENDER_REPORTED']);
  });
});

test('a request that waits is answered by the next event', async () => {
  await changed('block');
  const { next } = await pageAfter(null);
  const waiting = feed().read(next, 20_000);
  await vi.waitFor(async () => expect((await feed().status()).waiting).toBe(1), HANG_MS);
  await changed('block', { items: [{ number: OTHER }] });
  const page = await waiting;
  expect(page.ok && page.value.events.map(({ entry }) => partyOf(entry)?.number)).toEqual([OTHER]);
  expect((await feed().status()).waiting).toBe(0);
});

test('of too many requests that wait, the last one is answered at once', async () => {
  const waiting = new Waiting();
  const all = Array.from({ length: FEED_WAITING_MAX }, () => waiting.next(FEED_WAIT_MS_MAX));
  expect(waiting.count).toBe(FEED_WAITING_MAX);
  await waiting.next(FEED_WAIT_MS_MAX);
  expect(waiting.count).toBe(FEED_WAITING_MAX);
  waiting.wakeAll();
  await Promise.all(all);
  expect(waiting.count).toBe(0);
});
