/** From a block in the live layer to the notices of every affected organisation, through the real stores. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { Notice } from '../../../shared/notices/notice.ts';
import { guidanceTexts } from '../../../shared/notices/texts.ts';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import { shardOf } from '../../../workers/storage/reports-port.ts';
import { RESPONSE_NAME } from '../../../workers/storage/response-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { coordinator, unwrap } from '../support/coordinator.ts';
import { drained, feed } from '../support/feed.ts';
import { approved, create } from '../support/registrations.ts';
import { registry } from '../support/registry.ts';
import { bindings, SOURCE, subjects } from '../support/reports.ts';
import { by, change, NOON, ROOT } from '../support/room.ts';
import { noticesOf, putMember, putOperators, routed, typesOf } from '../support/router.ts';

/** A number in the range of `skt`. */
const NUMBER = '+821020001234';
const ORGANISATIONS = ['acme', 'other', 'skt', 'kt', 'silent'];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await putMember('acme');
  await putMember('other');
  await putOperators('skt', 'kt');
  // This operator reads no notices, so none are kept for it.
  await putMember('silent', { roles: ['operator'] });
});

async function changed(op: 'block' | 'unblock', more: object = {}): Promise<void> {
  unwrap(await coordinator().changeEntries(by(ROOT), { ...change(op, NUMBER), subjects: ['from'], ...more }));
  await drained();
  await routed((await feed().status()).position);
}

/** Registers the number for `acme`, and waits until the registry knows the registration. */
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

test('guidance says what was reported about the sender', async () => {
  const n = Number(NUMBER);
  const keys = await ReportKeys.open(
    new Uint8Array(await bindings.RESPONSE.getByName(RESPONSE_NAME).reportKey()),
  );
  const subject = await keys.subject({ kind: 'number', n }, false);
  const rows = (['loan', 'loan', 'adult', 'notSpam'] as const).map((spam, index) => ({
    ...{ op: 'report' as const, seq: index + 1, subject, reporter: `R${index}`.padEnd(22, '_') },
    ...{
      at: NOON - index * 60_000,
      channel: 'voice' as const,
      spam,
      origin: 'domestic' as const,
      isCounted: true,
    },
  }));
  const seals = { [subject]: await keys.seal({ kind: 'number', n }) };
  await subjects(shardOf(subject)).apply(SOURCE, 1, rows, seals);
  await changed('block');
  expect((await noticesOf('kt'))[0]!.data).toMatchObject({
    ...{ channel: 'voice', kind: 'loan', firstSeenAt: new Date(NOON - 3_600_000).toISOString() },
    lastSeenAt: new Date(NOON + 3_600_000).toISOString(),
    texts: guidanceTexts('voice', 'loan'),
  });
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
  expect(await create({ number: NUMBER, clients: ['acme-mock'] })).toMatchObject({
    ...{ state: 'approved', mock: true },
  });
  await changed('block');
  expect(await typesOf('acme')).toEqual([]);
});
