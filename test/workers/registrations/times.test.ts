/** Effects of passing time: reminders, ends, anchors, and what is forgotten. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { AuditVerifier, auditLine } from '../../../shared/audit.ts';
import { REGISTRATION_EVENTS_KEPT_MS } from '../../../shared/limits/registrations.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { coordinator } from '../support/coordinator.ts';
import {
  accepted,
  act,
  approved,
  asSender,
  create,
  facts,
  SERVICE_USE,
  store,
  stub,
  withRegistry,
} from '../support/registrations.ts';

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
const events = async () =>
  (await store().events(0, 100)).map(({ type, days }) => (days === undefined ? type : `${type} ${days}`));

async function pass(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(stub());
}

test('the sender is reminded 30, 7 and 1 day ahead, and the end removes the registration', async () => {
  const sent = await withRegistry();
  const proofs = [{ ...SERVICE_USE, expires: inDays(40) }];
  expect(await approved({ proofs, expires: inDays(100) })).toMatchObject({ endsAt: proofs[0]!.expires });
  for (const days of [9, 1, 22, 1, 5, 1]) await pass(days * DAY_MS);
  expect(await events()).toEqual(['approved', 'expiring 30', 'expiring 7', 'expiring 1']);
  await pass(DAY_MS - 1);
  expect((await store().published(null, 1)).pairs).toHaveLength(1);
  await pass(1);
  expect(await store().get(1)).toMatchObject({ state: 'expired', approvedVersion: null });
  expect((await events()).at(-1)).toBe('expired');
  const ops = () => sent.flatMap(({ changes }) => changes.map(({ op }) => op));
  await vi.waitFor(() => expect(ops()).toEqual(['addOwn', 'remove']), HANG_MS);
});

test('a sender whose registration ends soon gets only the reminders that are still ahead', async () => {
  await approved({ expires: inDays(6) });
  await pass(0);
  expect(await events()).toEqual(['approved']);
  await pass(5 * DAY_MS);
  expect(await events()).toEqual(['approved', 'expiring 1']);
});

test('after a long sleep there is one reminder, the latest', async () => {
  await approved({ expires: inDays(40) });
  await pass(34 * DAY_MS);
  expect(await events()).toEqual(['approved', 'expiring 7']);
});

test('the end of the approved version leaves a newer one as it is', async () => {
  const { id } = await approved({ expires: inDays(10) });
  const patch = { expires: inDays(400) };
  accepted(await store().edit(asSender(), facts(), Number(id), patch, { match: null }));
  accepted(await act(id, 'submit'));
  await pass(10 * DAY_MS);
  expect(await store().get(1)).toMatchObject({ state: 'submitted', version: 2, approvedVersion: null });
  accepted(await act(id, 'claim'));
  accepted(await act(id, 'approve'));
  await pass(10 * DAY_MS);
  expect(await store().get(1)).toMatchObject({ state: 'approved', approvedVersion: 2 });
});

test('a suspended registration ends too, and cannot be resumed', async () => {
  const { id } = await approved({ expires: inDays(10) });
  accepted(await act(id, 'suspend'));
  await pass(10 * DAY_MS);
  expect(await store().get(1)).toMatchObject({ state: 'expired' });
  expect(await act(id, 'resume')).toMatchObject({ code: 'REGISTRATION_STATE' });
});

test('a registration may end after the last time that an alarm can have', async () => {
  await approved({ expires: '9999-12-31T00:00:00Z' });
  await pass(60_000);
  await pass(31 * DAY_MS);
  expect(await store().get(1)).toMatchObject({ state: 'approved', endsAt: '9999-12-31T00:00:00.000Z' });
});

test('a change that comes before the alarm finds what is due as done', async () => {
  const { id } = await approved({ expires: inDays(10) });
  vi.setSystemTime(Date.now() + 10 * DAY_MS);
  expect(await act(id, 'suspend')).toMatchObject({
    code: 'REGISTRATION_STATE',
    extras: { state: 'expired' },
  });
});

test('each change is a record of a chain, without numbers and names, whose end is in the audit log', async () => {
  const { id } = await approved({ holder: { kind: 'organisation', name: 'Secret Holder' } });
  accepted(await act(id, 'close'));
  const records = await store().audit(0, 100);
  const verifier = new AuditVerifier();
  for (const record of records) {
    expect(verifier.next(record)).toBeNull();
    expect(JSON.stringify(record)).toBe(auditLine(record));
  }
  expect(records.map(({ actor, action, subject }) => `${actor} ${action} ${subject}`)).toEqual([
    ...['token:acme registrations.create acme/1', 'token:acme registrations.submit acme/1'],
    ...['token:kisa registrations.claim acme/1', 'token:kisa registrations.approve acme/1'],
    'token:acme registrations.close acme/1',
  ]);
  expect(JSON.stringify(records)).not.toMatch(/Secret|15881234/);
  expect(await store().history(1, 4, 10)).toEqual(records.slice(4));
  expect(await store().history(2, 0, 10)).toBeNull();
  await pass(60_000);
  const { n, hash } = records.at(-1)!;
  const anchors = (await coordinator().audit(0, 100)).filter(
    ({ action }) => action === 'registrations.anchor',
  );
  expect(anchors).toMatchObject([{ subject: 'acme', actor: 'numgate', after: { n, hash } }]);
  await pass(600_000);
  expect(await coordinator().audit(anchors[0]!.n, 100)).toEqual([]);
});

test('the history keeps the reasons of a decision after the registration has lost them', async () => {
  const { id } = await create();
  accepted(await act(id, 'claim'));
  const { reasons } = accepted(await act(id, 'reject'));
  accepted(await store().edit(asSender(), facts(), Number(id), { reference: 'b' }, { match: null }));
  accepted(await act(id, 'submit'));
  expect((await store().get(1))!.reasons).toEqual([]);
  const records = await store().audit(0, 100);
  const verifier = new AuditVerifier();
  for (const record of records) expect(verifier.next(record)).toBeNull();
  const found = records.filter(({ after }) => Object.hasOwn(after as object, 'reasons'));
  expect(found).toMatchObject([{ action: 'registrations.reject', after: { reasons } }]);
});

test('an alarm that the platform gave up is set again when the object starts', async () => {
  await approved({ expires: inDays(10) });
  await pass(60_000);
  await runInDurableObject(stub(), (_, { storage }) => storage.deleteAlarm());
  await evictDurableObject(stub());
  await store().get(1);
  expect(await runInDurableObject(stub(), (_, { storage }) => storage.getAlarm())).not.toBeNull();
});

test('old events are forgotten', async () => {
  await approved({ expires: inDays(200) });
  await pass(REGISTRATION_EVENTS_KEPT_MS + 1);
  await pass(100 * DAY_MS);
  expect(await events()).toEqual(['expiring 30']);
});
