/** Registered numbers that change hands: events, suspensions, and numbers that a new release lists as terminated. */
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { CHECKED_NUMBERS_AT_ONCE } from '../../../shared/limits/registrations.ts';
import type { NumberChange } from '../../../shared/senders/number-event.ts';
import type { ImportLine } from '../../../shared/senders/registration-import.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { EVER, type PlainList, plainList } from '../../shared/support/plain-model.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, unwrap } from '../support/coordinator.ts';
import {
  accepted,
  act,
  approved,
  asReviewer,
  asSender,
  content,
  create,
  facts,
  ORGANISATION,
  store,
  withRegistry,
} from '../support/registrations.ts';

const NUMBER = 82_1588_1234;
const AT = Date.UTC(2026, 10, 20, 3);

async function changed(change: Partial<NumberChange>) {
  const numbers = change.numbers ?? [NUMBER];
  const whole = { event: 'terminated', at: AT, listed: [], operation: null, ...change, numbers } as const;
  return accepted(await store().numbersChanged(asReviewer(), ORGANISATION, whole));
}

const events = async () =>
  (await store().events(0, 1_000))
    .map(({ type, registration }) => `${registration} ${type}`)
    .filter((event) => !/approved/.test(event));

test('a ported number raises an event and stays in force, with what its sender must do', async () => {
  await approved();
  expect(await changed({ event: 'ported', listed: [NUMBER] })).toEqual([
    { organisation: 'acme', id: '1', state: 'approved' },
  ]);
  expect(await events()).toEqual(['1 numberPorted']);
  expect(await store().get(1)).toMatchObject({
    state: 'approved',
    approvedVersion: 1,
    reasons: [
      { field: 'number', code: 'NUMBER_PORTED', detail: 'the number was ported at 2026-11-20T03:00:00.000Z' },
    ],
  });
  // Another operator reports it again.
  await changed({ event: 'ported' });
  expect(await events()).toEqual(['1 numberPorted']);
});

test('a terminated number suspends its registrations only if the termination is on a list', async () => {
  const sent = await withRegistry();
  await approved();
  await approved({ clients: ['acme-other'], reference: 'other' });
  expect((await changed({})).map(({ state }) => state)).toEqual(['approved', 'approved']);
  expect(await events()).toEqual(['1 numberTerminated', '2 numberTerminated']);
  expect((await changed({ listed: [NUMBER] })).map(({ state }) => state)).toEqual(['suspended', 'suspended']);
  expect(await events()).toEqual([
    ...['1 numberTerminated', '2 numberTerminated', '1 suspended', '2 suspended'],
  ]);
  await vi.waitFor(
    () =>
      expect(sent.flatMap(({ changes }) => changes).filter(({ op }) => op === 'remove')).toEqual([
        { client: 'acme/acme-main', from: NUMBER, to: NUMBER, op: 'remove' },
        { client: 'acme/acme-other', from: NUMBER, to: NUMBER, op: 'remove' },
      ]),
    HANG_MS,
  );
  // No registration of the number is in force now, so nothing more happens.
  expect(await changed({ listed: [NUMBER] })).toEqual([]);
});

test('every number of a range has an event of its own, and so has every later change', async () => {
  await approved({ number: '+82221230000..+82221230099' });
  const detail = async () => (await store().get(1))!.reasons.map((reason) => reason.detail);
  await changed({ numbers: [82_2_2123_0001] });
  await changed({ numbers: [82_2_2123_0002] });
  expect(await detail()).toEqual([
    'the number that ends with 0002 was terminated at 2026-11-20T03:00:00.000Z',
  ]);
  await changed({ numbers: [82_2_2123_0002], listed: [82_2_2123_0002] });
  expect(await detail()).toEqual(['the number that ends with 0002 is listed as terminated']);
  for (const at of [AT, AT + 1]) await changed({ event: 'ported', at, numbers: [82_2_2123_0002] });
  const { length } = (await events()).filter((event) => event === '1 numberTerminated');
  expect([length, (await events()).length]).toEqual([3, 5]);
});

test('what a reviewer wants to have changed stays among the reasons', async () => {
  const { id } = await approved();
  const edited = { clients: ['acme-other'] };
  accepted(await store().edit(asSender(), facts(), Number(id), edited, { match: null }));
  for (const action of ['submit', 'claim', 'requestUpdate'] as const) accepted(await act(id, action));
  await changed({ event: 'ported' });
  expect((await store().get(1))!).toMatchObject({
    state: 'needsUpdate',
    reasons: [{ code: 'NUMBER_PORTED' }, { code: 'PROOF_UNREADABLE' }],
  });
});

test('no number of drafts hides the registration in force', async () => {
  const lines: ImportLine[] = Array.from({ length: 1_001 }, (_, index) => ({
    ...{ line: index + 2, reference: String(index), id: null, reasons: [] },
    content: content({ reference: String(index) }),
  }));
  const options = { submit: false, skipInvalid: false, dryRun: false };
  accepted(await store().import(asSender(), facts(), lines, options));
  const { id } = await approved();
  expect(await changed({ listed: [NUMBER] })).toMatchObject([{ id, state: 'suspended' }]);
});

test('a range is suspended once all of its numbers are gone', async () => {
  await approved({ number: '+82221230000..+82221230002' });
  const [first, ...rest] = [82_2_2123_0000, 82_2_2123_0001, 82_2_2123_0002];
  expect(await changed({ numbers: [first!], listed: [first!] })).toMatchObject([{ state: 'approved' }]);
  expect(await events()).toEqual(['1 numberTerminated']);
  const all = [first!, ...rest];
  expect(await changed({ numbers: all, listed: all })).toMatchObject([{ state: 'suspended' }]);
});

test('leaves drafts, closed and mock registrations, and other numbers alone', async () => {
  await create({}, false);
  const { id } = await approved({ reference: 'closed' });
  accepted(await act(id, 'close'));
  await create({ number: '1588-1230', clients: ['acme-mock'], reference: 'mock' });
  const numbers = [NUMBER, 82_1588_1230, 82_1588_9999];
  expect(await changed({ numbers, listed: numbers })).toEqual([]);
  expect(await events()).toEqual([]);
});

test('the version in force counts, not a newer one with another number', async () => {
  const { id } = await approved();
  const request = { ...asReviewer(), actor: { ...asReviewer().actor, root: true } };
  accepted(await store().edit(request, facts(), Number(id), { number: '1588-4321' }, { match: null }));
  expect(await changed({ numbers: [82_1588_4321], listed: [82_1588_4321] })).toEqual([]);
  expect(await changed({ listed: [NUMBER] })).toMatchObject([{ id, state: 'suspended' }]);
});

/** Makes a release current that lists these numbers as terminated. */
async function listed(numbers: readonly number[], base: string | null = null): Promise<string> {
  const list = plainList('gone', { numbers: numbers.map((n) => ({ n, ...EVER })) });
  const gone: PlainList = { ...list, info: { ...list.info, reason: 'NUMBER_TERMINATED' } };
  const release = await stage({ lists: [gone], base });
  unwrap(
    await coordinator().promote(asAdmin(), release, {
      base,
      share: 1,
      overrides: ALL_GUARDS,
      reason: 'test',
    }),
  );
  return release;
}

test('a release suspends the registrations of the numbers that it lists, and is checked once', async () => {
  await approved();
  await approved({ number: '1588-4321', reference: 'other' });
  const release = await listed([NUMBER]);
  expect(await store().checkRelease(release)).toBe(true);
  expect(await store().get(1)).toMatchObject({
    state: 'suspended',
    reasons: [{ code: 'NUMBER_TERMINATED' }],
  });
  expect(await store().get(2)).toMatchObject({ state: 'approved' });
  expect((await store().audit(0, 100)).at(-1)).toMatchObject({
    ...{ actor: 'numgate', action: 'registrations.suspend' },
    reason: `release ${release} lists the number as terminated`,
  });
  const reads = vi.spyOn(env.LISTS, 'get');
  expect(await store().checkRelease(release)).toBe(true);
  expect(reads).not.toHaveBeenCalled();
});

test('a release whose values are not there yet is checked later', async () => {
  await approved();
  const release = await listed([NUMBER]);
  const { keys } = await env.LISTS.list({ prefix: 'shard/' });
  const values = new Map<string, ArrayBuffer>();
  for (const { name } of keys) {
    values.set(name, (await env.LISTS.get(name, 'arrayBuffer'))!);
    await env.LISTS.delete(name);
  }
  expect(await store().checkRelease(release)).toBe(false);
  expect(await store().get(1)).toMatchObject({ state: 'approved' });
  for (const [name, value] of values) await env.LISTS.put(name, value);
  expect(await store().checkRelease(release)).toBe(true);
  expect(await store().get(1)).toMatchObject({ state: 'suspended' });
});

test('many numbers are checked in steps', async () => {
  const blocks = CHECKED_NUMBERS_AT_ONCE / 10_000 + 2;
  const starts = Array.from({ length: blocks }, (_, index) => 82_2_2123_0000 + index * 10_000);
  for (const start of starts)
    await approved({ number: `+${start}..+${start + 9_999}`, reference: String(start) });
  await approved({ number: `+${starts.at(-1)! + 10_000}`, reference: 'last' });
  const release = await listed([starts.at(-1)! + 10_000, starts[0]!, 82_1588_9999]);
  expect(await store().checkRelease(release)).toBe(true);
  expect(await events()).toEqual([
    '1 numberTerminated',
    `${blocks + 1} numberTerminated`,
    `${blocks + 1} suspended`,
  ]);
});
