/** From a block in the live layer to the notices of everyone whom it concerns, through the real stores. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { Notice } from '../../../shared/notices/notice.ts';
import { coordinator, unwrap } from '../support/coordinator.ts';
import { drained, feed } from '../support/feed.ts';
import '../support/fresh.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { approved } from '../support/registrations.ts';
import { registry } from '../support/registry.ts';
import { by, change, NOON, ROOT } from '../support/room.ts';
import { noticesOf, putMember, putOperators, routed, typesOf } from '../support/router.ts';

/** In the range of `skt`. */
const NUMBER = '+821020001234';
const ORGANISATIONS = ['acme', 'other', 'skt', 'kt', 'silent'];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await putMember('acme');
  await putMember('other');
  await putOperators('skt', 'kt');
  // It reads no notices, so none are kept for it.
  await putMember('silent', { roles: ['operator'] });
});

async function changed(op: 'block' | 'unblock', more: object = {}): Promise<void> {
  unwrap(await coordinator().changeEntries(by(ROOT), { ...change(op, NUMBER), subjects: ['from'], ...more }));
  await drained();
  await routed((await feed().status()).position);
}

/** Registers the number for `acme`, and waits until the registry knows. */
async function register(number = NUMBER): Promise<void> {
  await approved({ number });
  const published = async () =>
    expect(await registry().organisationsOf({ from: Number(number), to: Number(number) }, 5)).toEqual([
      'acme',
    ]);
  await vi.waitFor(published, HANG_MS);
}

const all = async () =>
  Object.fromEntries(await Promise.all(ORGANISATIONS.map(async (id) => [id, await typesOf(id)] as const)));

test('one block is a notice to who registered the number, to operators, and to the operator of its owner', async () => {
  await register();
  await changed('block');
  expect(await all()).toEqual({
    acme: ['sender.blocked'],
    other: [],
    skt: ['owner.blocked', 'recipients.guidance'],
    kt: ['recipients.guidance'],
    silent: [],
  });
  const [blocked] = (await noticesOf('acme')) as [Notice];
  expect(blocked).toMatchObject({
    ...{ version: 1, mock: false, respondBy: null },
    data: {
      number: NUMBER,
      source: null,
      effect: 'block',
      code: 'SENDER_REPORTED',
      list: 'live',
      rule: null,
    },
  });
  const [, guidance] = (await noticesOf('skt')) as [Notice, Notice];
  // The same reference as in the feed.
  expect(guidance.subject).toBe(blocked.subject);
  expect(guidance.subject).toMatch(/^[\w-]{22}$/);
  expect(Date.parse(guidance.respondBy!) - Date.parse(guidance.at)).toBe(86_400_000);
  expect(guidance.data).toMatchObject({ number: NUMBER, code: 'SENDER_REPORTED', kind: null });
});

test('the unblock is one notice to each of them, and a block of other codes concerns only who registered it', async () => {
  await register();
  await changed('block');
  await changed('unblock');
  expect(await all()).toEqual({
    acme: ['sender.blocked', 'sender.unblocked'],
    other: [],
    skt: ['owner.blocked', 'recipients.guidance', 'sender.unblocked', 'owner.unblocked'],
    kt: ['recipients.guidance', 'sender.unblocked'],
    silent: [],
  });
  await changed('block', { code: 'NUMBER_SUSPENDED' });
  expect((await typesOf('acme')).at(-1)).toBe('sender.blocked');
  expect((await noticesOf('acme')).at(-1)!.data).toMatchObject({ code: 'NUMBER_SUSPENDED' });
  expect(await typesOf('kt')).toHaveLength(2);
});

test('a mock registration of the number gets no notice', async () => {
  // A mock client registers test numbers and others; its registrations are never published.
  await approved({ number: NUMBER, clients: ['acme-mock'] }).catch(() => undefined);
  await changed('block');
  expect(await typesOf('acme')).toEqual([]);
});
