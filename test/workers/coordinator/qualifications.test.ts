/**
 * Qualifications in the coordinator: changes of the head with a record, what the edge gets, places in the status list,
 * warnings, and a restore.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import { openDirectory } from '../../../shared/clients.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import type { QualificationSettings } from '../../../shared/senders/qualification.ts';
import type { Precondition } from '../../../workers/storage/precondition.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  asAdmin,
  codeOf,
  coordinator,
  copied,
  readHead,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { ANY, refusalOf } from '../support/room.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

function organisation(id: string, settings: Partial<Organisation> = {}) {
  return coordinator().putOrganisation(asAdmin(), id, { ...bareOrganisation(id), ...settings }, ANY);
}

function put(id: string, settings: Partial<QualificationSettings> = {}, condition: Precondition = ANY) {
  const none = { factor: null, inspectedAt: null, nextInspectionBy: null, validUntil: null };
  return coordinator().putQualification(
    asAdmin('inspection'),
    id,
    { state: 'certified', ...none, ...settings },
    condition,
  );
}

/** The organisations that the edge gets. */
async function served() {
  const { head } = (await readHead())!;
  const bytes = await coordinator().value(head.clients!.key);
  return Object.fromEntries((await openDirectory(new Uint8Array(bytes!), testKeys))!.organisations);
}

test('a change is in the next head, and in the audit log with both states', async () => {
  unwrap(await organisation('acme', { senderCode: 'ACME0001' }));
  const { seq } = unwrap(await put('acme', { validUntil: '2040-01-01T00:00:00.000Z' }));
  expect((await readHead())!.head.seq).toBe(seq);
  const endsAt = Date.parse('2040-01-01T00:00:00Z');
  const qualification = { state: 'certified', factor: null, endsAt };
  expect(await served()).toEqual({ acme: { senderCode: 'ACME0001', qualification, isSuspended: false } });
  unwrap(await put('acme', { state: 'rateReduced', factor: 0.5 }));
  expect(await served()).toMatchObject({ acme: { qualification: { state: 'rateReduced', factor: 0.5 } } });
  const records = await coordinator().audit(1, 10);
  expect(records).toMatchObject([
    { action: 'qualifications.put', subject: 'acme', before: null, after: { state: 'certified' } },
    {
      ...{ action: 'qualifications.put', reason: 'inspection', before: { state: 'certified' } },
      after: { state: 'rateReduced', factor: 0.5, validUntil: null },
    },
  ]);
});

test('an impossible move, an unknown organisation and a stale version change nothing', async () => {
  unwrap(await organisation('acme'));
  expect(refusalOf(await put('acme', { state: 'suspended' }))).toMatchObject({
    code: 'QUALIFICATION_STATE',
    extras: { state: 'none', possible: ['pending', 'certified', 'rateReduced'] },
  });
  expect(codeOf(await put('nobody'))).toBe('ORGANISATION_UNKNOWN');
  expect(refusalOf(await put('acme', { validUntil: inDays(-1) }))).toMatchObject({
    ...{ code: 'FIELD_VALUE', field: 'validUntil' },
  });
  expect(await coordinator().qualification('acme')).toBeNull();
  unwrap(await put('acme'));
  const { version } = (await coordinator().qualification('acme'))!;
  unwrap(await put('acme', { state: 'suspended' }, { match: version, absent: false }));
  const late = await put('acme', { state: 'certified' }, { match: version, absent: false });
  expect(codeOf(late)).toBe('PRECONDITION_FAILED');
  expect(await served()).toMatchObject({ acme: { qualification: { state: 'suspended' } } });
});

test('changes at once of different organisations are all in the directory', async () => {
  const ids = ['a', 'b', 'c', 'd'];
  for (const id of ids) unwrap(await organisation(id));
  for (const done of await Promise.all(ids.map((id) => put(id)))) unwrap(done);
  expect(Object.keys(await served())).toEqual(ids);
});

test('a place in the status list is never given to another organisation', async () => {
  const places = async () =>
    (await coordinator().register()).organisations.map((each) => `${each.organisation} ${each.index}`);
  for (const id of ['a', 'b']) {
    unwrap(await organisation(id));
    unwrap(await put(id));
  }
  expect(await places()).toEqual(['a 0', 'b 1']);
  unwrap(await coordinator().putOrganisation(asAdmin(), 'b', null, ANY));
  expect(await served()).not.toHaveProperty('b');
  unwrap(await organisation('c'));
  unwrap(await put('c'));
  unwrap(await organisation('b'));
  unwrap(await put('b'));
  expect(await places()).toEqual(['a 0', 'b 3', 'c 2']);
  expect((await coordinator().register()).size).toBe(4);
});

test('no two organisations have one sender code', async () => {
  unwrap(await organisation('acme', { senderCode: 'ACME0001' }));
  unwrap(await organisation('beta'));
  unwrap(await organisation('gamma'));
  expect(refusalOf(await organisation('beta', { senderCode: 'ACME0001' }))).toMatchObject({
    ...{ code: 'SENDER_CODE_TAKEN', message: expect.stringContaining('"acme"') },
  });
  unwrap(await organisation('acme'));
  unwrap(await organisation('beta', { senderCode: 'ACME0001' }));
});

test('a suspended organisation is in the directory, and is suspended after a restore', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  unwrap(await organisation('acme', { state: 'suspended' }));
  const bare = { senderCode: null, qualification: null };
  expect(await served()).toEqual({ acme: { ...bare, isSuspended: true } });
  await copied();
  await runInDurableObject(stub(), (_, { storage }) => storage.deleteAll());
  await evictDurableObject(stub());
  expect(await coordinator().organisation('acme')).toMatchObject({ state: 'suspended' });
  unwrap(await organisation('acme'));
  expect(await served()).toEqual({});
});

test('lists by state and by the next inspection, page by page', async () => {
  const due = ['2040-01-01T00:00:00.000Z', '2041-01-01T00:00:00.000Z', null];
  for (const [index, nextInspectionBy] of due.entries()) {
    unwrap(await organisation(`r-${index}`));
    unwrap(await put(`r-${index}`, { nextInspectionBy }));
  }
  unwrap(await put('r-1', { state: 'suspended', nextInspectionBy: due[1]! }));
  const ids = async (filter: object) =>
    (await coordinator().qualifications({ limit: 10, ...filter })).map((each) => each.organisation);
  expect(await ids({})).toEqual(['r-0', 'r-1', 'r-2']);
  expect(await ids({ state: 'certified' })).toEqual(['r-0', 'r-2']);
  expect(await ids({ inspectionDueBefore: Date.parse('2040-06-01T00:00:00Z') })).toEqual(['r-0']);
  expect(await ids({ after: 'r-0', limit: 1 })).toEqual(['r-1']);
});

test('warns of inspections and ends that are near, the most urgent first, once a day in the log', async () => {
  const warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const events = () =>
    warned.mock.calls
      .map(([line]) => JSON.parse(String(line)) as Record<string, unknown>)
      .filter(({ event }) => event === 'qualificationDue');
  const [overdue, soon, far] = [inDays(-3), inDays(20), inDays(40)];
  for (const [id, settings] of Object.entries({
    late: { inspectedAt: inDays(-400), nextInspectionBy: overdue },
    ending: { validUntil: soon, nextInspectionBy: far },
    pending: { state: 'pending', nextInspectionBy: overdue } as const,
  })) {
    unwrap(await organisation(id));
    unwrap(await put(id, settings));
  }
  const due = [
    { organisation: 'late', due: 'inspection', at: overdue },
    { organisation: 'ending', due: 'end', at: soon },
  ];
  expect((await coordinator().status()).dueQualifications).toEqual(due);
  await coordinator().sweep(WRANGLER);
  await coordinator().sweep(WRANGLER);
  expect(events()).toEqual(due.map((each) => ({ event: 'qualificationDue', ...each })));
});

test('a restore keeps qualifications, sender codes and places', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  unwrap(await organisation('gone'));
  unwrap(await put('gone'));
  unwrap(await organisation('acme', { senderCode: 'ACME0001', contact: 'desk@acme.example' }));
  unwrap(await put('acme', { state: 'rateReduced', factor: 0.25, nextInspectionBy: inDays(100) }));
  unwrap(await coordinator().putOrganisation(asAdmin(), 'gone', null, ANY));
  const { info } = (await coordinator().qualification('acme'))!;
  const { organisations } = await coordinator().register();
  await copied();
  await runInDurableObject(stub(), (_, { storage }) => storage.deleteAll());
  await evictDurableObject(stub());
  expect((await coordinator().qualification('acme'))!.info).toEqual(info);
  expect(await coordinator().organisation('acme')).toEqual({
    ...{ ...bareOrganisation('acme'), senderCode: 'ACME0001' },
  });
  expect((await coordinator().register()).organisations).toMatchObject([{ index: organisations[0]!.index }]);
});
