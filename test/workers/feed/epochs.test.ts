/** Pages, cursors and epochs of the log. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { formatCursor, parseCursor } from '../../../shared/feed/cursor.ts';
import { digestOf } from '../../../shared/feed/digest.ts';
import { parseFeedCheckpoint } from '../../../shared/feed/statement.ts';
import { notesIn, openSigner, openVerifier, verifyNote } from '../../../shared/signed-note.ts';
import { epochLimits } from '../../../workers/feed/epochs.ts';
import { coordinator, unwrap } from '../support/coordinator.ts';
import {
  drained,
  eventsAfter,
  feed,
  feedStub,
  pageAfter,
  partyOf,
  replayed,
  snapshotOf,
  startOf,
} from '../support/feed.ts';
import { by, change, DAY, NOON, ROOT } from '../support/room.ts';

const before = { ...epochLimits };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  Object.assign(epochLimits, { events: 10, pageEvents: 4 });
});
afterEach(() => void Object.assign(epochLimits, before));

let next = 0;

/** Appends events for this many different numbers. */
async function append(count: number): Promise<void> {
  const items = Array.from({ length: count }, () => ({ number: `+8210${31_000_000 + next++}` }));
  unwrap(
    await coordinator().changeEntries(by(ROOT), { ...change('block'), items, subjects: ['from'] } as never),
  );
  await drained();
}

const codeOf = async (cursor: string | null): Promise<string> => {
  const page = await feed().read(cursor, 0);
  return page.ok ? 'ok' : page.code;
};

test('a page has fixed boundaries, and a full one never changes', async () => {
  await append(3);
  const part = await pageAfter(null);
  expect([part.events.length, part.isFull, part.more]).toEqual([3, false, false]);
  await append(3);
  const full = await pageAfter(null);
  expect([full.events.length, full.isFull, full.more]).toEqual([4, true, true]);
  expect(full.events.slice(0, 3)).toEqual(part.events);
  await append(1);
  await append(8);
  expect(await pageAfter(null)).toEqual(full);
  // From within a page to its end.
  const rest = await pageAfter(part.next);
  expect([rest.events.map(({ position }) => position), rest.isFull]).toEqual([[4], true]);
});

test('a new epoch opens when one has enough events, and follows its last digest', async () => {
  await append(8);
  await append(5);
  await append(1);
  const events = await eventsAfter(null);
  expect(events.map(({ position, epoch }) => `${epoch}.${position}`)).toEqual([
    ...Array.from({ length: 13 }, (_, index) => `1.${index + 1}`),
    '2.14',
  ]);
  const start = await startOf(2, events[12]!.digest);
  expect(digestOf(start, events[13]!)).toBe(events[13]!.digest);
  // The last page of an epoch counts as full, however few events it has.
  const last = await pageAfter(formatCursor({ ...parseCursor((await pageAfter(null)).next)!, position: 12 }));
  expect([last.events.length, last.isFull, last.more]).toEqual([1, true, true]);
});

test('an epoch ends after 90 days, if it has events', async () => {
  await append(1);
  vi.setSystemTime(NOON + 91 * DAY);
  await append(1);
  await append(1);
  vi.setSystemTime(NOON + 400 * DAY);
  await drained();
  await drained();
  expect(await feed().status()).toMatchObject({ epoch: 2, position: 3 });
  expect((await eventsAfter(null)).map(({ epoch }) => epoch)).toEqual([1, 2, 2]);
  expect((await feed().epoch(3)).ok && (await feed().epoch(3))).toMatchObject({ value: null });
});

test('the epoch before the current one is kept, and older ones are gone', async () => {
  await append(10);
  const first = (await pageAfter(null)).next;
  const { entries, cursor } = await snapshotOf();
  await append(10);
  expect(await codeOf(null)).toBe('ok');
  expect(await codeOf(first)).toBe('ok');
  await append(10);
  expect(await codeOf(null)).toBe('CURSOR_GONE');
  expect(await codeOf(first)).toBe('CURSOR_GONE');
  // The end of the removed epoch is where the oldest kept epoch begins.
  const events = await eventsAfter(cursor);
  expect(events.map(({ position }) => position)).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 11),
  );
  expect(replayed(entries, events)).toEqual((await snapshotOf()).entries);
  expect((await feed().epoch(1)).ok && (await feed().epoch(1))).toMatchObject({ value: null });
  const held = await runInDurableObject(feedStub(), (_: unknown, { storage }: DurableObjectState) =>
    storage.sql.exec<{ many: number }>('SELECT COUNT(*) AS many FROM events').one(),
  );
  expect(held.many).toBe(20);
});

test('a cursor of another feed, of another epoch, or of the future is refused by name', async () => {
  expect(await codeOf(null)).toBe('ok');
  await append(10);
  await append(1);
  const { next: text } = await pageAfter(null);
  const cursor = parseCursor(text)!;
  const some = (changed: Partial<typeof cursor>): Promise<string> =>
    codeOf(formatCursor({ ...cursor, ...changed }));
  expect(await some({})).toBe('ok');
  expect(await some({ position: 0 })).toBe('ok');
  expect(await some({ epoch: 2, position: 11 })).toBe('ok');
  expect(await some({ feed: '0'.repeat(16) })).toBe('CURSOR_FOREIGN');
  expect(await some({ epoch: 2, position: 4 })).toBe('CURSOR_FOREIGN');
  expect(await some({ epoch: 2, position: 9 })).toBe('CURSOR_FOREIGN');
  expect(await some({ epoch: 1, position: 11 })).toBe('CURSOR_FOREIGN');
  expect(await some({ epoch: 2, position: 12 })).toBe('CURSOR_AHEAD');
  expect(await some({ epoch: 3, position: 11 })).toBe('CURSOR_AHEAD');
  for (const broken of ['', '1', `${text}x`, `${text}.1`, '-1', 'a.1.1', `${cursor.feed}.01.1`])
    expect([broken, await codeOf(broken)]).toEqual([broken, 'CURSOR_INVALID']);
});

test('the place before the first event of an epoch has a cursor of either epoch', async () => {
  await append(10);
  await append(10);
  await append(10);
  const { feed: id } = await feed().status();
  for (const [ended, position] of [
    [1, 10],
    [2, 20],
  ] as const)
    for (const epoch of [ended, ended + 1])
      expect((await pageAfter(formatCursor({ feed: id, epoch, position }))).events[0]).toMatchObject({
        epoch: ended + 1,
        position: position + 1,
      });
});

test('the checkpoint is signed, and has the digest of the newest event', async () => {
  await append(3);
  const checkpoint = await feed().checkpoint();
  const [{ note } = { note: null }] = notesIn(checkpoint.ok ? checkpoint.value : '');
  const { CHECKPOINT_KEY } = env as unknown as { CHECKPOINT_KEY: string };
  const verifier = await openVerifier((await openSigner(CHECKPOINT_KEY))!.verifierKey);
  expect(await verifyNote(note!, verifier!)).toBe(null);
  const { digest, position } = (await eventsAfter(null)).at(-1)!;
  const { feed: id } = await feed().status();
  expect(parseFeedCheckpoint(note!.text)).toEqual({
    feed: id,
    epoch: 1,
    position,
    digest,
    at: expect.any(String),
  });
  const statement = await feed().epoch(1);
  const [opened] = notesIn(statement.ok ? statement.value! : '');
  expect(await verifyNote(opened!.note!, verifier!)).toBe(null);
});

test('before the first event, the snapshot has a cursor from which everything is read', async () => {
  const { cursor, entries } = await snapshotOf();
  expect(entries.size).toBe(0);
  await append(2);
  expect(await eventsAfter(cursor)).toHaveLength(2);
});

test('the decision stream repeats what may be lost, and gives the newest state', async () => {
  await append(2);
  const start = await feed().decisions('crowdsec', false);
  expect(start).toMatchObject({ ok: true, value: { position: 2, events: [], isStart: true } });
  await append(1);
  const decisions = async () => {
    const found = await feed().decisions('crowdsec', false);
    return found.ok
      ? found.value.events.map(({ position, entry }) => `${position} ${partyOf(entry)?.effect ?? 'none'}`)
      : [];
  };
  expect(await decisions()).toEqual(['3 block']);
  // The client may not have received the last answer.
  expect(await decisions()).toEqual(['3 block']);
  expect(await decisions()).toEqual([]);
  const items = [{ number: `+8210${31_000_000 + next - 1}` }];
  const made = { ...change('unblock'), items, subjects: ['from'] };
  unwrap(await coordinator().changeEntries(by(ROOT), made as never));
  await drained();
  unwrap(await coordinator().changeEntries(by(ROOT), { ...made, op: 'clear' } as never));
  await drained();
  expect(await decisions()).toEqual(['5 none']);
  expect(
    (await feed().decisions('crowdsec', true)).ok && (await feed().decisions('other', false)),
  ).toMatchObject({
    value: { isStart: true },
  });
});
