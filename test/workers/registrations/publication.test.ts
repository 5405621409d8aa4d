/** What the registry receives: everything, in order and once. Also what happens if the registry fails or is full. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { PUBLISH_RETRY_MS_MAX, PUBLISHED_CHANGES_MAX } from '../../../shared/limits/registrations.ts';
import { fail, ok } from '../../../shared/result.ts';
import type { PublishedChange } from '../../../workers/storage/registry-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  accepted,
  act,
  approved,
  asReviewer,
  asSender,
  content,
  create,
  facts,
  SERVICE_USE,
  type SentBatch,
  store,
  stub,
  withRegistry,
} from '../support/registrations.ts';

const short = ({ client, from, to, op }: PublishedChange) =>
  `${op} ${client} ${from % 10_000}-${to % 10_000}`;
const changesOf = (sent: readonly SentBatch[]) => sent.flatMap(({ changes }) => changes.map(short));
const published = (id: number) =>
  vi.waitFor(async () => expect((await store().get(id))!.publication).toBe('published'), HANG_MS);

test('batches are numbered without gaps, with the queue of reviewers', async () => {
  const sent = await withRegistry();
  await approved();
  await published(1);
  accepted(await act('1', 'suspend'));
  await published(1);
  expect(sent.map(({ n }) => n)).toEqual(sent.map((_, index) => index + 1));
  expect(changesOf(sent)).toEqual(['addOwn acme/acme-main 1234-1234', 'remove acme/acme-main 1234-1234']);
  const queue = sent.flatMap(({ queue: changes }) => changes);
  expect(queue.map(({ id, state, claimedBy }) => `${id} ${state} ${claimedBy}`)).toEqual([
    ...['1 submitted null', '1 inReview token:kisa', '1 approved null'],
  ]);
});

test('a number that other registrations cover stays what they make it', async () => {
  const sent = await withRegistry();
  const holder = { kind: 'person', name: 'Kim' } as const;
  const proofs = (['serviceUse', 'powerOfAttorney'] as const).map((kind) => ({
    ...{ kind, sha256: 'ab'.repeat(32), reference: null, expires: null },
  }));
  await approved({ number: '1588-1000..1588-1099', basis: 'delegated', holder, proofs });
  await approved({ number: '1588-1050' });
  await approved({ number: '1588-1090..1588-1109', basis: 'delegated', holder, proofs });
  accepted(await act('1', 'close'));
  accepted(await act('2', 'close'));
  await published(2);
  await published(1);
  expect(changesOf(sent)).toEqual([
    ...['add acme/acme-main 1000-1099', 'addOwn acme/acme-main 1050-1050', 'add acme/acme-main 1090-1109'],
    ...[
      'remove acme/acme-main 1000-1049',
      'remove acme/acme-main 1051-1089',
      ...[
        'add acme/acme-main 1090-1099',
        'addOwn acme/acme-main 1050-1050',
        'remove acme/acme-main 1050-1050',
      ],
    ],
  ]);
});

test('what the registry does not take is sent again, in order, also by a new object', async () => {
  let isDown = true;
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  await withRegistry(() => {
    if (isDown) throw new Error('down');
    return ok({ version: 1 });
  });
  await approved();
  expect((await store().get(1))!.publication).toBe('pending');
  await vi.waitFor(() => expect(warned).toHaveBeenCalled(), HANG_MS);
  await evictDurableObject(stub());
  isDown = false;
  const sent = await withRegistry();
  await runDurableObjectAlarm(stub());
  await published(1);
  // Everything that waited is one batch.
  expect(sent.map(({ n }) => n)).toEqual([3]);
  expect(changesOf(sent)).toEqual(['addOwn acme/acme-main 1234-1234']);
});

test('an addition waits while the registry is full, removals do not, and what is closed meanwhile is not added', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  let isFull = true;
  const sent = await withRegistry(({ changes, n }) =>
    isFull && changes.some(({ op }) => op !== 'remove')
      ? fail('REGISTRATIONS_FULL', 'full')
      : ok({ version: n }),
  );
  await approved();
  await approved({ number: '1588-2000' });
  const publications = async () =>
    (await store().page({}, 0, 10)).registrations.map(({ publication }) => publication).join();
  await vi.waitFor(async () => expect(await publications()).toBe('waiting,waiting'), HANG_MS);
  accepted(await act('2', 'suspend'));
  await vi.waitFor(async () => expect(await publications()).toBe('waiting,published'), HANG_MS);
  expect(changesOf(sent)).toEqual(['remove acme/acme-main 2000-2000']);
  isFull = false;
  vi.setSystemTime(Date.now() + PUBLISH_RETRY_MS_MAX);
  await runDurableObjectAlarm(stub());
  await vi.waitFor(async () => expect(await publications()).toBe('published,published'), HANG_MS);
  expect(changesOf(sent)).toEqual(['remove acme/acme-main 2000-2000', 'addOwn acme/acme-main 1234-1234']);
  expect(sent.map(({ n }) => n)).toEqual(sent.map((_, index) => index + 1));
});

test('what waits is sent a batch at a time, and one refusal ends the attempt', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const COUNT = 3 * PUBLISHED_CHANGES_MAX;
  let isFull = true;
  const [refused, sizes] = [[] as number[], [] as number[]];
  const sent = await withRegistry(({ n, changes }) => {
    if (isFull && changes.some(({ op }) => op !== 'remove')) {
      refused.push(changes.length);
      return fail('REGISTRATIONS_FULL', 'full');
    }
    sizes.push(changes.length);
    return ok({ version: n });
  });
  await approved();
  await vi.waitFor(async () => expect((await store().get(1))!.publication).toBe('waiting'), HANG_MS);
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       INSERT INTO pairs SELECT 'acme-main', 821520000000 + n, 821520000000 + n, 1, 1 FROM numbers`,
      COUNT,
    );
    storage.sql.exec(
      `INSERT OR REPLACE INTO waiting SELECT 'acme/' || client, number_from, number_to FROM pairs`,
    );
  });
  refused.length = 0;
  vi.setSystemTime(Date.now() + PUBLISH_RETRY_MS_MAX);
  await runDurableObjectAlarm(stub());
  expect(refused).toEqual([PUBLISHED_CHANGES_MAX]);
  isFull = false;
  sizes.length = 0;
  vi.setSystemTime(Date.now() + PUBLISH_RETRY_MS_MAX);
  await runDurableObjectAlarm(stub());
  await vi.waitFor(async () => expect((await store().get(1))!.publication).toBe('published'), HANG_MS);
  expect(sizes).toEqual([PUBLISHED_CHANGES_MAX, PUBLISHED_CHANGES_MAX, PUBLISHED_CHANGES_MAX]);
  const numbers = sent.flatMap(({ changes }) => changes.map(({ from }) => from));
  expect([numbers.length, new Set(numbers).size]).toEqual([COUNT, COUNT]);
});

test('whatever is approved, suspended, resumed and closed, the registry has what is in force', async () => {
  const sent = await withRegistry();
  const moves = fc.sample(
    fc.array(
      fc.oneof(
        fc.record({ from: fc.nat(20), length: fc.nat(6), both: fc.boolean() }),
        fc.record({ action: fc.constantFrom('suspend', 'resume', 'close'), at: fc.nat(30) }),
      ),
      { minLength: 60, maxLength: 60 },
    ),
    { seed: 15, numRuns: 1 },
  )[0]!;
  const inForce = new Map<string, { client: string; from: number; to: number }[]>();
  const suspended = new Map<string, { client: string; from: number; to: number }[]>();
  for (const move of moves) {
    if ('action' in move) {
      const ids = [...(move.action === 'resume' ? suspended : inForce).keys()];
      const id = ids[move.at % Math.max(ids.length, 1)];
      if (id === undefined) continue;
      accepted(await act(id, move.action as 'suspend', move.action === 'close' ? undefined : asReviewer()));
      const own = inForce.get(id) ?? suspended.get(id)!;
      inForce.delete(id);
      suspended.delete(id);
      if (move.action === 'suspend') suspended.set(id, own);
      if (move.action === 'resume') inForce.set(id, own);
    } else {
      const [from, to] = [82_1588_0100 + move.from, 82_1588_0100 + move.from + move.length];
      const clients = move.both ? ['acme-main', 'acme-other'] : ['acme-main'];
      const { id } = await approved({ number: `+${from}..+${to}`, clients });
      inForce.set(
        id,
        clients.map((client) => ({ client: `acme/${client}`, from, to })),
      );
    }
  }
  const expected = new Set<string>();
  for (const { client, from, to } of [...inForce.values()].flat()) {
    for (let n = from; n <= to; n++) expected.add(`${client} ${n}`);
  }
  const lastN = () => sent.at(-1)?.n ?? 0;
  const seen = new Set<string>();
  await vi.waitFor(async () => {
    const open = (await store().page({}, 0, 100)).registrations;
    expect(open.filter(({ publication }) => publication === 'pending')).toEqual([]);
  }, HANG_MS);
  expect(sent.map(({ n }) => n)).toEqual(Array.from({ length: lastN() }, (_, index) => index + 1));
  for (const { client, from, to, op } of sent.flatMap(({ changes }) => changes)) {
    for (let n = from; n <= to; n++) {
      if (op === 'remove') seen.delete(`${client} ${n}`);
      else seen.add(`${client} ${n}`);
    }
  }
  expect([...seen].sort()).toEqual([...expected].sort());
  // Overlapping registrations are each counted.
  const pairs = [...inForce.values()].flat().reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const used = await runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec('SELECT * FROM pairs_used').one(),
  );
  expect(used).toEqual({ pairs, ranges: 0 });
  expect(expected.size).toBeGreaterThan(10);
});

test('whatever becomes own or another basis while room comes and goes, no number stays own that is not', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  let isFull = false;
  const seen = new Map<number, PublishedChange['op']>();
  await withRegistry(({ n, changes }) => {
    // Like the registry: a pair that the same batch removes takes no room for additions.
    const removed = new Set(
      changes.filter(({ op }) => op === 'remove').map(({ from, to }) => `${from} ${to}`),
    );
    if (isFull && changes.some(({ from, to, op }) => op !== 'remove' && !removed.has(`${from} ${to}`)))
      return fail('REGISTRATIONS_FULL', 'full');
    for (const { from, to, op } of changes) for (let at = from; at <= to; at++) seen.set(at, op);
    return ok({ version: n });
  });
  const moves = fc.sample(
    fc.record({ id: fc.integer({ min: 1, max: 4 }), own: fc.boolean(), from: fc.nat(8), full: fc.boolean() }),
    { seed: 21, numRuns: 40 },
  );
  const delegated = {
    ...({ basis: 'delegated', holder: { kind: 'person', name: 'Kim' } } as const),
    proofs: [SERVICE_USE, { ...SERVICE_USE, kind: 'powerOfAttorney' as const }],
  };
  const inForce = new Map<string, { own: boolean; from: number }>();
  const check = async (isSettled: boolean) => {
    await vi.waitFor(async () => {
      const open = (await store().page({}, 0, 100)).registrations;
      const unfinished = isSettled ? ['pending', 'waiting'] : ['pending'];
      expect(open.filter(({ publication }) => unfinished.includes(publication!))).toEqual([]);
    }, HANG_MS);
    for (let at = 82_1588_0100; at < 82_1588_0120; at++) {
      const covering = [...inForce.values()].filter(({ from }) => at >= from && at < from + 5);
      const isOwn = covering.some(({ own }) => own);
      const expected = isOwn ? 'addOwn' : covering.length > 0 ? 'add' : 'remove';
      const found = seen.get(at) ?? 'remove';
      if (isSettled) expect(found).toBe(expected);
      else if (found === 'addOwn') expect(expected).toBe('addOwn');
    }
  };
  for (const { id, own, from: at, full } of moves) {
    isFull = full;
    const from = 82_1588_0100 + at;
    const more = { number: `+${from}..+${from + 4}`, ...(own ? {} : delegated) };
    const known = [...inForce.keys()][id - 1];
    if (known === undefined) inForce.set((await approved(more)).id, { own, from });
    else {
      accepted(await store().edit(asSender(), facts(), Number(known), content(more), { match: null }));
      const { state } = (await store().get(Number(known)))!;
      if (state !== 'draft') continue;
      for (const action of ['submit', 'claim', 'approve'] as const) accepted(await act(known, action));
      inForce.set(known, { own, from });
    }
    await check(false);
  }
  isFull = false;
  vi.setSystemTime(Date.now() + PUBLISH_RETRY_MS_MAX);
  await runDurableObjectAlarm(stub());
  await check(true);
});

test('the pairs in force are paged in order, each once', async () => {
  await approved({ number: '1588-1234', clients: ['acme-other', 'acme-main'] });
  await approved({ number: '1588-1234' });
  await approved({ number: '1588-0001..1588-0009' });
  const pages: string[] = [];
  for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
    const { pairs, next } = await store().published(after, 1);
    pages.push(...pairs.map(short));
    after = next;
  }
  expect(pages).toEqual([
    ...['addOwn acme/acme-main 1-9', 'addOwn acme/acme-main 1234-1234', 'addOwn acme/acme-other 1234-1234'],
  ]);
  await create();
  expect(await store().queued(0, 10)).toMatchObject([{ id: '4', state: 'submitted', claimedBy: null }]);
});
