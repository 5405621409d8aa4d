/** Webhooks get each notice at least once and in order, whatever a receiver does. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { WEBHOOK_ATTEMPTS_MAX } from '../../../shared/limits/notices.ts';
import { WEBHOOK_PAUSES_MS } from '../../../shared/notices/ladder.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  accepted,
  add,
  addWebhook,
  deliver,
  HOST,
  info,
  notice,
  pass,
  putOrganisation,
  Receiver,
  request,
  resetBatches,
  START,
  store,
} from '../support/notices.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
let receiver: Receiver;
let logged: Record<string, unknown>[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  logged = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => {
    logged.push(JSON.parse(line) as Record<string, unknown>);
  });
  // No jitter.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  resetBatches();
  await putOrganisation();
  receiver = new Receiver();
});

const events = (): unknown[] => logged.map(({ event }) => event);
const deliveriesOf = async (id: string) => accepted(await store().deliveries(id, null, null, 100)).deliveries;

describe('deliveries', () => {
  it('go to each webhook in order, each of its types, as CloudEvents with the same ID', async () => {
    await add(notice('before'));
    await addWebhook('one');
    await addWebhook('two', ['sender.unblocked']);
    await add(notice('a'), notice('b', { type: 'sender.unblocked', mock: true, respondBy: START + HOUR }));
    await deliver();
    // Notices from before a webhook are only available with GET.
    expect(receiver.versions('one')).toEqual([2, 3]);
    expect(receiver.versions('two')).toEqual([3]);
    const { headers, body, redirect } = receiver.received.find(({ path }) => path === 'two')!;
    expect(headers.get('content-type')).toBe('application/cloudevents+json; charset=utf-8');
    expect([redirect, headers.get('webhook-timestamp')]).toEqual(['manual', String(START / 1000)]);
    expect(JSON.parse(body)).toEqual({
      ...{ specversion: '1.0', id: 'acme-3', source: 'https://numgate.example' },
      ...{ type: 'kr.numgate.sender.unblocked.v1', subject: 'reference-b', time: '2040-01-01T00:00:00.000Z' },
      ...{
        datacontenttype: 'application/json',
        version: 3,
        respondby: '2040-01-01T01:00:00.000Z',
        mock: true,
      },
      data: { number: '+821012345678', code: 'SENDER_REPORTED' },
    });
    expect(JSON.parse(receiver.received.find(({ version }) => version === 2)!.body)).not.toHaveProperty(
      'mock',
    );
    expect(await store().status()).toMatchObject({
      notices: 3,
      pending: 0,
      failed: 0,
      oldestPendingAt: null,
    });
  });

  it('follow the ladder of Standard Webhooks, are given up after it, and the next notice follows', async () => {
    const { webhook } = await addWebhook();
    await add(notice('a'), notice('b'));
    receiver.answer = ({ version }) => (version === 1 ? 500 : 204);
    await deliver();
    for (const [index, pause] of WEBHOOK_PAUSES_MS.entries()) {
      expect(receiver.versions()).toHaveLength(index + 1);
      await pass(pause - 1);
      expect(receiver.versions()).toHaveLength(index + 1);
      await pass(1);
    }
    expect(receiver.versions()).toEqual([...Array<number>(WEBHOOK_ATTEMPTS_MAX).fill(1), 2]);
    const [second, first] = await deliveriesOf(webhook.id);
    expect(first).toMatchObject({ version: 1, state: 'failed', attempts: WEBHOOK_ATTEMPTS_MAX });
    expect(first!.log.at(-1)).toMatchObject({ status: 500, error: 'HTTP_500' });
    expect(second).toMatchObject({ version: 2, state: 'delivered', attempts: 1 });
    expect(events()).toEqual(['noticeGivenUp']);
    expect(await info(webhook.id)).toMatchObject({ state: 'enabled', position: 2, failingSince: null });
    expect(await store().status()).toMatchObject({ pending: 0, failed: 1 });
  });

  it('vary their pauses by a tenth', async () => {
    await addWebhook();
    receiver.answer = () => 500;
    vi.spyOn(Math, 'random').mockReturnValue(0);
    await add(notice('a'));
    await deliver();
    await pass(4_499);
    expect(receiver.versions()).toHaveLength(1);
    vi.spyOn(Math, 'random').mockReturnValue(1);
    await pass(1);
    expect(receiver.versions()).toHaveLength(2);
    await pass(330_000 - 1);
    expect(receiver.versions()).toHaveLength(2);
    await pass(1);
    expect(receiver.versions()).toHaveLength(3);
  });

  it('to a receiver that fails for an hour all arrive afterwards, in order, and repeated ones can be dropped', async () => {
    const { webhook } = await addWebhook();
    // Worse than an outage: the receiver takes the notices, but fails to answer.
    const inbox: string[] = [];
    const took = new Set<string>();
    const isDown = (): boolean => Date.now() < START + HOUR;
    receiver.answer = ({ id }) => {
      if (!took.has(id)) inbox.push(id);
      took.add(id);
      return isDown() ? new Error('connection reset') : 204;
    };
    for (let minute = 0; minute < 60; minute++) {
      await add(notice(`n${minute}`));
      await pass(MINUTE);
    }
    expect(await info(webhook.id)).toMatchObject({ state: 'enabled', position: 0, waiting: 60 });
    expect(await store().status()).toMatchObject({ pending: 60, oldestPendingAt: START });
    await pass(2 * HOUR);
    expect(inbox).toEqual(Array.from({ length: 60 }, (_, index) => `acme-${index + 1}`));
    expect(receiver.received.length).toBeGreaterThan(60);
    expect((await deliveriesOf(webhook.id)).every(({ state }) => state === 'delivered')).toBe(true);
    expect(await info(webhook.id)).toMatchObject({ waiting: 0, failingSince: null });
  });

  it('wait as long as Retry-After says, a day at most, and never less than the ladder', async () => {
    await addWebhook();
    for (const [key, header, ms] of [
      ['a', '90', 90 * SECOND],
      ['b', new Date(START + 10 * DAY).toUTCString(), DAY],
      ['c', '1', 5 * SECOND],
      ['d', 'soon', 5 * SECOND],
      ['e', '99999999', DAY],
    ] as const) {
      const before = receiver.received.length;
      receiver.answer = () => ({ status: 503, headers: { 'retry-after': header } });
      await add(notice(key));
      await deliver();
      receiver.answer = () => 204;
      await pass(ms - 1);
      expect([key, receiver.received.length - before]).toEqual([key, 1]);
      await pass(1);
      expect([key, receiver.received.length - before]).toEqual([key, 2]);
    }
  });

  it('end with 410: the webhook is gone until an admin enables it, and then nothing is lost', async () => {
    const { webhook } = await addWebhook();
    receiver.answer = () => 410;
    await add(notice('a'), notice('b'));
    await deliver();
    await pass(10 * DAY);
    expect(receiver.versions()).toEqual([1]);
    expect(await info(webhook.id)).toMatchObject({ state: 'gone', stateReason: 'GONE', waiting: 2 });
    expect(events()).toEqual(['webhookGone']);
    receiver.answer = () => 204;
    accepted(await store().enableWebhook(request(), webhook.id, false));
    await deliver();
    expect(receiver.versions()).toEqual([1, 1, 2]);
    const audit = await store().audit(0, 10);
    expect(audit.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      ...['token:acme webhooks.add', 'numgate webhooks.disable', 'token:acme webhooks.enable'],
    ]);
  });

  it('end after 5 days in which every attempt failed, and go on where they ended', async () => {
    const { webhook } = await addWebhook();
    receiver.answer = () => 500;
    await add(notice('a'), notice('b'), notice('c'));
    await deliver();
    for (let hour = 0; hour < 7 * 24; hour++) await pass(HOUR);
    expect(await info(webhook.id)).toMatchObject({ state: 'disabled', stateReason: 'FAILING', position: 1 });
    expect(events()).toEqual(['noticeGivenUp', 'webhookDisabled']);
    expect(receiver.versions().at(-1)).toBe(2);
    receiver.answer = () => 204;
    accepted(await store().enableWebhook(request(), webhook.id, false));
    await deliver();
    expect(receiver.accepted).toEqual(['one 2', 'one 3']);
    // The first notice was given up. An admin sends it again.
    const since = new Date(START).toISOString();
    expect(accepted(await store().replay(request(), webhook.id, { version: undefined, since }))).toEqual({
      ...{ replayed: 1, more: false },
    });
    await deliver();
    expect(receiver.accepted).toEqual(['one 2', 'one 3', 'one 1']);
    expect((await deliveriesOf(webhook.id)).map(({ state }) => state)).toEqual(Array(3).fill('delivered'));
  });

  it('do not end because of one failure after days without notices', async () => {
    const { webhook } = await addWebhook();
    receiver.answer = () => 500;
    await add(notice('a'));
    for (let hour = 0; hour < 80; hour++) await pass(HOUR);
    expect(await info(webhook.id)).toMatchObject({ state: 'enabled', position: 1 });
    vi.setSystemTime(Date.now() + 20 * DAY);
    await add(notice('b'));
    await deliver();
    expect(await info(webhook.id)).toMatchObject({ state: 'enabled', attempts: 1 });
  });

  it.each([
    ['a redirect', 302, 'REDIRECT'],
    ['a refusal', 401, 'HTTP_401'],
    ['a failure of the connection', new Error('refused'), 'UNREACHABLE'],
    ['no response in time', new DOMException('timed out', 'TimeoutError'), 'TIMEOUT'],
  ] as const)('have a named error for %s, and are retried', async (_what, answer, error) => {
    const { webhook } = await addWebhook();
    receiver.answer = () => answer;
    await add(notice('a'));
    await deliver();
    const [delivery] = await deliveriesOf(webhook.id);
    expect(delivery).toMatchObject({ state: 'retrying', log: [{ error }] });
    receiver.answer = () => 204;
    await pass(5 * SECOND);
    expect((await deliveriesOf(webhook.id))[0]).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  it('send nothing to a host that left the list, and go on when it is back', async () => {
    const { webhook } = await addWebhook();
    await putOrganisation({ webhookHosts: ['other.example'] });
    await add(notice('a'));
    await deliver();
    expect(receiver.received).toEqual([]);
    const log = [{ status: null, error: 'WEBHOOK_HOST_NOT_ALLOWED' }];
    expect((await deliveriesOf(webhook.id))[0]).toMatchObject({ state: 'retrying', log });
    await putOrganisation({ webhookHosts: [HOST] });
    await pass(MINUTE);
    expect(receiver.versions()).toEqual([1]);
  });

  it('pause while the organisation is suspended, without using up attempts', async () => {
    const { webhook } = await addWebhook();
    await putOrganisation({ state: 'suspended' });
    await add(notice('a'));
    await deliver();
    for (let hour = 0; hour < 24; hour++) await pass(HOUR);
    expect(receiver.received).toEqual([]);
    expect(await info(webhook.id)).toMatchObject({ attempts: 0, waiting: 1, state: 'enabled' });
    expect(new Set(events())).toEqual(new Set(['webhooksBlocked']));
    await putOrganisation();
    await pass(HOUR);
    expect(receiver.versions()).toEqual([1]);
  });

  it('to a slow webhook hold no other one, and a new notice goes out while it is waited for', async () => {
    await addWebhook('slow');
    await addWebhook('fast');
    receiver.answer = ({ path }) => (path === 'slow' ? 'hang' : 204);
    await add(notice('a'), notice('b'));
    const running = deliver();
    await vi.waitFor(() => expect(receiver.versions('fast')).toEqual([1, 2]), { timeout: HANG_MS });
    await add(notice('c'));
    await vi.waitFor(() => expect(receiver.versions('fast')).toEqual([1, 2, 3]), { timeout: HANG_MS });
    expect(receiver.versions('slow')).toEqual([1]);
    receiver.release();
    await running;
    expect(await store().status()).toMatchObject({ pending: 3 });
  });
});
