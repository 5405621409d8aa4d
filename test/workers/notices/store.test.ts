/** What the store keeps of notices: each batch once, for a limited time and in limited room, with exact counts. */
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  NOTICE_BATCH_MAX,
  NOTICE_DATA_BYTES_MAX,
  NOTICE_KEPT_MS,
  NOTICES_COUNTED_MAX,
  NOTICES_FULL_WARNED_MS,
  NOTICES_MAX,
} from '../../../shared/limits/notices.ts';
import {
  accepted,
  add,
  addWebhook,
  deliver,
  info,
  notice,
  ORGANISATION,
  pass,
  putOrganisation,
  Receiver,
  request,
  resetBatches,
  START,
  store,
  stub,
} from '../support/notices.ts';

const [HOUR, DAY] = [3_600_000, 86_400_000];
let receiver: Receiver;
let logged: Record<string, unknown>[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  logged = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => {
    logged.push(JSON.parse(line) as Record<string, unknown>);
  });
  resetBatches();
  await putOrganisation();
  receiver = new Receiver();
});

const guidance = (key: string, rest: object = {}) =>
  notice(key, { type: 'recipients.guidance', respondBy: Date.now() + DAY, ...rest });
const answer = (informed: number, rest: object = {}) => ({
  ...{ informed, at: new Date(Date.now()).toISOString(), note: null },
  ...rest,
});
const CLIENT = { client: 'acme-main', isMock: false };
const acknowledge = (version: number, given: ReturnType<typeof answer>, by = CLIENT) =>
  store().acknowledge(version, given, by);
const keysOf = async () => (await store().page(0, 200)).notices.map(({ subject }) => subject.slice(10));

/** Adds this many notices at once, as if they had arrived one after another. */
async function fill(many: number): Promise<void> {
  await runInDurableObject(stub(), (_, { storage }) => {
    const last = Number(storage.sql.exec(`SELECT IFNULL(MAX(version), 0) AS last FROM notices`).one().last);
    storage.sql.exec(
      `WITH RECURSIVE n (version) AS (SELECT ? UNION ALL SELECT version + 1 FROM n WHERE version < ?)
       INSERT INTO notices (version, key, type, at, kept_at, subject, data, mock, attempts)
       SELECT version, 'fill ' || version, 'sender.blocked', ?, ?, 'reference', '{}', 0, 0 FROM n`,
      ...[last + 1, last + many, START, START],
    );
    storage.sql.exec(`INSERT OR REPLACE INTO meta VALUES ('lastVersion', ?)`, String(last + many));
  });
}

describe('the store of notices', () => {
  it('takes each batch once, and each key once, in order and without gaps', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((key) => notice(key));
    const send = (sender: string, n: number, ...notices: (typeof a)[]) =>
      store().add(ORGANISATION, sender, n, notices as never);
    expect(await send('router', 1, a, b)).toEqual({ last: 1, isFull: false });
    expect(await send('router', 1, c)).toEqual({ last: 1, isFull: false });
    expect(await send('registrations', 1, b, c, c)).toEqual({ last: 1, isFull: false });
    // A sender that was set back learns its last number.
    expect(await send('router', 1, c)).toEqual({ last: 1, isFull: false });
    expect(await send('router', 4)).toEqual({ last: 4, isFull: false });
    expect(await send('router', 3, notice('late'))).toEqual({ last: 4, isFull: false });
    expect(await keysOf()).toEqual(['a', 'b', 'c']);
    expect((await store().page(1, 1)).next).toBe(2);
  });

  it('leaves out a notice that exceeds a limit, says so without its content, and keeps the others', async () => {
    await add(
      notice('a'),
      notice('large', { data: { text: '가'.repeat(NOTICE_DATA_BYTES_MAX / 3) } }),
      notice('b'),
    );
    expect(await keysOf()).toEqual(['a', 'b']);
    expect(logged).toEqual([
      { event: 'noticeTooLarge', organisation: ORGANISATION, sender: 'router', type: 'sender.blocked' },
    ]);
  });

  it('keeps notices for 90 days, and removes them with their deliveries in bounded steps', async () => {
    await addWebhook();
    for (let batch = 0; batch < 5; batch++)
      await add(...Array.from({ length: NOTICE_BATCH_MAX }, (_, index) => notice(`${batch}.${index}`)));
    await deliver();
    vi.setSystemTime(START + DAY);
    await add(notice('young'));
    await deliver();
    await pass(NOTICE_KEPT_MS - DAY - 1);
    expect(await store().status()).toMatchObject({ notices: 5 * NOTICE_BATCH_MAX + 1 });
    await pass(1);
    expect(await store().status()).toMatchObject({ notices: 5 * NOTICE_BATCH_MAX + 1 - 1_000 });
    await pass(1);
    expect(await store().status()).toMatchObject({ notices: 1 });
    await runInDurableObject(stub(), (_, { storage }) => {
      const { many } = storage.sql.exec<{ many: number }>('SELECT COUNT(*) AS many FROM deliveries').one();
      expect(many).toBe(1);
    });
    // The versions continue.
    await add(notice('next'));
    expect((await store().page(0, 10)).notices.map(({ version }) => version)).toEqual([1_281, 1_282]);
    expect(logged).toEqual([]);
  });

  it('makes room with what nothing waits for, and takes no more than that', async () => {
    const { webhook } = await addWebhook('one', ['sender.unblocked']);
    await fill(NOTICES_MAX);
    // No notice is for the webhook, but the webhook must look once to know this.
    await add();
    await deliver();
    await add(notice('a', { type: 'sender.unblocked' }));
    expect(await store().status()).toMatchObject({ notices: NOTICES_MAX - 1_000 + 1 });
    await deliver();
    expect(receiver.versions()).toEqual([NOTICES_MAX + 1]);
    // Now one notice waits and is older than all these.
    receiver.answer = () => 500;
    await add(notice('c', { type: 'sender.unblocked' }));
    await deliver();
    await fill(NOTICES_MAX);
    expect((await store().status()).notices).toBeGreaterThan(NOTICES_MAX);
    const more = [notice('d')];
    for (let tries = 0; tries < 3; tries++)
      expect(await store().add(ORGANISATION, 'other', 1, more)).toEqual({ last: 0, isFull: true });
    const full = { event: 'noticesFull', organisation: ORGANISATION, notices: expect.any(Number) };
    expect(logged).toEqual([full]);
    vi.setSystemTime(START + NOTICES_FULL_WARNED_MS);
    expect(await store().add(ORGANISATION, 'other', 1, more)).toMatchObject({ isFull: true });
    expect(logged).toEqual([full, full]);
    // A disabled webhook does not keep notices. Its losses are reported.
    accepted(await store().disableWebhook(request(), webhook.id));
    expect(await store().add(ORGANISATION, 'other', 1, more)).toEqual({ last: 1, isFull: false });
    expect(logged.at(-1)).toMatchObject({ event: 'noticesRemovedUnsent' });
  });

  it('counts up to a bound, however many wait', async () => {
    const { webhook } = await addWebhook();
    await fill(NOTICES_COUNTED_MAX + 5);
    expect(await info(webhook.id)).toMatchObject({ waiting: NOTICES_COUNTED_MAX });
    expect(await store().status()).toMatchObject({
      ...{ notices: NOTICES_COUNTED_MAX + 5, pending: NOTICES_COUNTED_MAX, oldestPendingAt: START },
    });
  });

  it('finds what concerns a sender, as evidence without data', async () => {
    await addWebhook();
    await add(notice('a'), notice('b', { at: START + DAY }), notice('c', { subject: 'reference-a' }));
    await deliver();
    const query = { subjects: ['reference-a'], from: START, to: START + 2 * DAY, after: 0, limit: 10 };
    const found = await store().evidence(query);
    expect(found.map(({ version }) => version)).toEqual([1, 3]);
    expect(found[0]).toEqual({
      ...{ version: 1, type: 'kr.numgate.sender.blocked.v1', at: new Date(START).toISOString() },
      ...{ subject: 'reference-a', mock: false, respondBy: null, acknowledgement: null },
      ...{ deliveredAt: new Date(START).toISOString(), attempts: 1 },
    });
    const numbers = async (rest: object) =>
      (await store().evidence({ ...query, subjects: null, ...rest })).map(({ version }) => version);
    expect(await numbers({})).toEqual([1, 2, 3]);
    expect(await numbers({ to: START + 1 })).toEqual([1, 3]);
    expect(await numbers({ from: START + 1 })).toEqual([2]);
    expect(await numbers({ after: 1, limit: 1 })).toEqual([2]);
  });
});

describe('answers to guidance', () => {
  it('are kept once, can be corrected for a day, and are counted exactly in the month of the notice', async () => {
    // The first hours of November in Korea.
    vi.setSystemTime(Date.UTC(2040, 9, 31, 15));
    await addWebhook();
    await add(guidance('a'), guidance('b'), guidance('mock', { mock: true }), notice('c'));
    await deliver();
    const first = answer(120, { note: 'SMS' });
    expect(accepted(await acknowledge(1, first))).toMatchObject({ acknowledgement: first, version: 1 });
    expect(accepted(await acknowledge(1, first))).toMatchObject({ acknowledgement: first });
    accepted(await acknowledge(3, answer(7)));
    const totals = () => store().totals('2040-11', '2040-11');
    const rest = { month: '2040-11', type: 'recipients.guidance', notices: 2, delivered: 2 };
    expect(await totals()).toEqual([
      { ...rest, acknowledged: 1, informed: 120 },
      { month: '2040-11', type: 'sender.blocked', notices: 1, delivered: 1, acknowledged: 0, informed: 0 },
    ]);
    vi.setSystemTime(Date.now() + DAY);
    accepted(await acknowledge(1, answer(90)));
    expect((await totals())[0]).toEqual({ ...rest, acknowledged: 1, informed: 90 });
    vi.setSystemTime(Date.now() + 1);
    expect(await acknowledge(1, answer(91))).toMatchObject({ code: 'NOTICE_ANSWERED' });
    // Repeating the same answer is still allowed.
    const { acknowledgement } = accepted(await store().notice(1));
    expect(accepted(await acknowledge(1, acknowledgement as never))).toMatchObject({ acknowledgement });
    // The counts outlive the notices.
    for (let step = 0; step < 3; step++) await pass(NOTICE_KEPT_MS);
    expect(await store().status()).toMatchObject({ notices: 0 });
    expect((await totals())[0]).toEqual({ ...rest, acknowledged: 1, informed: 90 });
    expect(await store().totals('2040-12', '2041-11')).toEqual([]);
  });

  it('are refused for what needs none, before it happened, in the future, and by mock clients', async () => {
    await add(notice('a'), guidance('b'), guidance('c', { mock: true }));
    const at = (ms: number) => ({ at: new Date(Date.now() + ms).toISOString() });
    const mock = { client: 'acme-mock', isMock: true };
    expect(await acknowledge(1, answer(1))).toMatchObject({ code: 'NOTICE_UNANSWERABLE' });
    expect(await acknowledge(9, answer(1))).toMatchObject({ code: 'NOTICE_UNKNOWN' });
    expect(await acknowledge(2, answer(1, at(HOUR)))).toMatchObject({ code: 'FIELD_VALUE', field: 'at' });
    expect(await acknowledge(2, answer(1, at(-1)))).toMatchObject({ code: 'FIELD_VALUE', field: 'at' });
    expect(await acknowledge(2, answer(1), mock)).toMatchObject({ code: 'NOTICE_UNANSWERABLE' });
    expect(await acknowledge(3, answer(1), mock)).toMatchObject({ ok: true });
    expect(await store().totals('2040-01', '2040-01')).toMatchObject([
      { acknowledged: 0 },
      { acknowledged: 0 },
    ]);
    expect(await store().status()).toMatchObject({ overdue: 0 });
    vi.setSystemTime(Date.now() + DAY + 1);
    expect(await store().status()).toMatchObject({ overdue: 1 });
  });
});

describe('replays', () => {
  it('send one notice once more, and three times at most, without holding others', async () => {
    const { webhook } = await addWebhook();
    await add(notice('a'), notice('b'));
    await deliver();
    const replay = (version: number) => store().replay(request(), webhook.id, { version, since: undefined });
    expect(await replay(3)).toMatchObject({ code: 'FIELD_VALUE', field: 'version' });
    receiver.answer = ({ version }) => (version === 1 ? 500 : 204);
    expect(accepted(await replay(1))).toEqual({ replayed: 1, more: false });
    await deliver();
    await add(notice('c'));
    await deliver();
    expect(receiver.versions()).toEqual([1, 2, 1, 3]);
    await pass(HOUR);
    await pass(HOUR);
    await pass(HOUR);
    expect(receiver.versions()).toEqual([1, 2, 1, 3, 1, 1]);
    const { deliveries } = accepted(await store().deliveries(webhook.id, 'failed', null, 10));
    expect(deliveries).toMatchObject([{ version: 1, attempts: 4 }]);
    // It was delivered once, and no replay changes this.
    expect(accepted(await store().noticeDetails(1))).toMatchObject({ deliveries: [{ state: 'failed' }] });
    expect(
      (await store().evidence({ subjects: null, from: 0, to: Infinity, after: 0, limit: 1 }))[0],
    ).toMatchObject({
      ...{ deliveredAt: new Date(START).toISOString(), attempts: 4 },
    });
  });

  it('come oldest first, so many at once, and only of what was sent', async () => {
    const { webhook } = await addWebhook('one', ['sender.blocked']);
    await add(notice('a'), notice('b', { type: 'sender.unblocked' }));
    await deliver();
    const replay = (version: number) => store().replay(request(), webhook.id, { version, since: undefined });
    expect(await replay(2)).toMatchObject({ code: 'NOTICE_UNKNOWN' });
    accepted(await store().disableWebhook(request(), webhook.id));
    expect(await replay(1)).toMatchObject({ code: 'WEBHOOK_STATE' });
  });
});
