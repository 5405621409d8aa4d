/** Notices about events of registrations, certificates, qualifications and reported numbers, in the real stores. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { SpamKind } from '../../../shared/reports/report.ts';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { type CountRow, shardOf } from '../../../workers/storage/reports-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import {
  asToken,
  credentials,
  credentialsStub,
  credentialWorld,
  nowS,
  statusList,
  upload,
} from '../support/credential-store.ts';
import { accepted, approved, facts, SERVICE_USE, stub } from '../support/registrations.ts';
import { registry } from '../support/registry.ts';
import { bindings, SOURCE, subjects, subjectsStub } from '../support/reports.ts';
import { ANY, NOON } from '../support/room.ts';
import { noticesOf, putMember, routed, typesOf } from '../support/router.ts';

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network'));
});

/** Moves the clock, and runs the alarm of an object. */
async function pass(ms: number, object: DurableObjectStub): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(object);
}

describe('registrations', () => {
  test('an organisation is notified 30, 7 and 1 day ahead, each once, also if its store restarts', async () => {
    await approved({ expires: new Date(NOON + 40 * DAY_MS).toISOString() });
    for (const days of [9, 1, 22, 1, 5, 1]) {
      await pass(days * DAY_MS, stub());
      await evictDurableObject(stub());
      await runDurableObjectAlarm(stub());
    }
    await vi.waitFor(async () => expect(await typesOf('acme')).toHaveLength(3), HANG_MS);
    const notices = await noticesOf('acme');
    expect(notices.map(({ data }) => data.days)).toEqual([30, 7, 1]);
    expect(notices[0]).toMatchObject({
      ...{ type: 'kr.numgate.registration.expiring.v1', subject: 'acme/1', mock: false },
      data: { registration: '1', number: '+8215881234', endsAt: new Date(NOON + 40 * DAY_MS).toISOString() },
    });
  });

  test('those of a mock client are marked', async () => {
    await approved({
      ...{
        clients: ['acme-mock'],
        number: '+821000001230',
        expires: new Date(NOON + 8 * DAY_MS).toISOString(),
      },
      proofs: [SERVICE_USE],
    }).catch(() => undefined);
    await pass(DAY_MS, stub());
    await vi.waitFor(async () => expect(await noticesOf('acme')).toMatchObject([{ mock: true }]), HANG_MS);
  });
});

test('the holder of a certificate is notified 30, 7 and 1 day ahead, and not once it is revoked', async () => {
  const world = await credentialWorld();
  const exp = nowS() + 40 * 86_400;
  for (const index of [7, 8]) {
    const body = await upload(world.issuer, world.holder, index, { nums: [`+821588000${index}`], exp });
    accepted(await credentials().addCertificate(asToken('acme'), facts(), body));
  }
  const days = async () =>
    (await noticesOf('acme'))
      .filter(({ type }) => type.includes('certificate'))
      .map(({ data }) => [data.days, (data.numbers as string[])[0]]);
  await pass(10 * DAY_MS, credentialsStub());
  await vi.waitFor(async () => expect(await days()).toHaveLength(2), HANG_MS);
  accepted(await credentials().pushStatusList(asToken(), await statusList(world.issuer, { 8: 'revoked' })));
  await pass(23 * DAY_MS, credentialsStub());
  await evictDurableObject(credentialsStub());
  await pass(6 * DAY_MS, credentialsStub());
  await vi.waitFor(async () => expect(await days()).toHaveLength(4), HANG_MS);
  expect((await days()).slice(2)).toEqual([
    [7, '+8215880007'],
    [1, '+8215880007'],
  ]);
});

test('an organisation learns of each change of its qualification, and of its end in time', async () => {
  await putMember('acme');
  const put = (state: 'certified' | 'suspended', validUntil: string | null = null) =>
    coordinator().putQualification(
      asAdmin(),
      'acme',
      { state, factor: null, inspectedAt: null, nextInspectionBy: null, validUntil },
      ANY,
    );
  const ends = new Date(NOON + DAY_MS).toISOString();
  unwrap(await put('certified', ends));
  await routed(0);
  vi.setSystemTime(NOON + 2 * DAY_MS);
  await routed(0);
  await routed(0);
  unwrap(await put('certified'));
  unwrap(await put('suspended'));
  await routed(0);
  await vi.waitFor(async () => expect(await typesOf('acme')).toHaveLength(4), HANG_MS);
  const notices = await noticesOf('acme');
  expect(notices.map(({ data }) => [data.before, data.state])).toEqual([
    [null, 'certified'],
    ['certified', 'expired'],
    ['expired', 'certified'],
    ['certified', 'suspended'],
  ]);
  expect(notices[1]).toMatchObject({ at: ends, subject: 'acme' });
});

describe('reports', () => {
  const NUMBER = 82_10_2000_1234;
  let subject: string;
  let seal: string;
  let seq = 0;
  let id: string;

  beforeEach(async () => {
    const keys = await ReportKeys.open(new Uint8Array(await bindings.RESPONSE.getByName('main').reportKey()));
    subject = await keys.subject({ kind: 'number', n: NUMBER }, false);
    seal = await keys.seal({ kind: 'number', n: NUMBER });
    seq = 0;
    ({ id } = await approved({ number: `+${NUMBER}` }));
    const published = async () =>
      expect(await registry().organisationsOf({ from: NUMBER, to: NUMBER }, 5)).toEqual(['acme']);
    await vi.waitFor(published, HANG_MS);
  });

  async function report(spam: SpamKind, many: number, source = SOURCE): Promise<void> {
    const rows = Array.from({ length: many }, (): CountRow => {
      seq++;
      const row = {
        op: 'report',
        seq,
        subject,
        reporter: `R${seq}`.padEnd(22, '_'),
        at: Date.now(),
      } as const;
      return { ...row, spam, channel: 'sms', origin: 'domestic', isCounted: true };
    });
    await subjects(shardOf(subject)).apply(source, seq, rows, { [subject]: seal });
  }

  const reported = async () => (await noticesOf('acme')).map(({ data }) => data.kinds);

  test('who registered the number gets them by kind, once an hour, small counts hidden, and no reporter', async () => {
    const object = subjectsStub(shardOf(subject));
    await report('loan', 4);
    await report('adult', 2);
    await report('notSpam', 5);
    await runDurableObjectAlarm(object);
    expect(await reported()).toEqual([]);
    await pass(HOUR_MS, object);
    await vi.waitFor(async () => expect(await reported()).toHaveLength(1), HANG_MS);
    expect(await reported()).toEqual([
      [
        { kind: 'loan', reports: 4 },
        { kind: 'adult', fewerThan: 3 },
      ],
    ]);
    const [notice] = await noticesOf('acme');
    expect(notice).toMatchObject({ subject: `acme/${id}`, mock: false, data: { number: `+${NUMBER}` } });
    expect(JSON.stringify(notice)).not.toMatch(/R\d+_|kisa/);
    await report('phishing', 3);
    await evictDurableObject(object);
    await pass(HOUR_MS, object);
    await pass(HOUR_MS, object);
    await vi.waitFor(async () => expect(await reported()).toHaveLength(2), HANG_MS);
    expect((await reported())[1]).toEqual([{ kind: 'phishing', reports: 3 }]);
  });

  test('those of a mock partner, and those that were withdrawn, are no notice', async () => {
    const object = subjectsStub(shardOf(subject));
    await report('loan', 4, { ...SOURCE, id: 'mock', intake: 'mock', mock: true });
    await report('loan', 1);
    await subjects(shardOf(subject)).apply(
      ...([SOURCE, seq + 1, [{ op: 'withdraw', seq, subject, spam: 'loan', isCounted: true }], {}] as const),
    );
    // Here the mock partner has reported the same number, which cannot happen, because its subjects have other keys.
    await runInDurableObject(object, (_, { storage }) => {
      storage.sql.exec("DELETE FROM reports WHERE source IN (SELECT id FROM sources WHERE intake = 'mock')");
    });
    await pass(HOUR_MS, object);
    await pass(HOUR_MS, object);
    const left = await runInDurableObject(object, (_, { storage }) =>
      storage.sql.exec('SELECT * FROM reported').toArray(),
    );
    expect(left).toEqual([]);
    expect(await reported()).toEqual([]);
  });
});
