/** The limits of a store of registrations, and how much of them a registration uses. */
import { runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../../shared/limits/control.ts';
import {
  REGISTERED_PAIRS_PER_ORGANISATION_MAX,
  REGISTERED_RANGES_PER_ORGANISATION_MAX,
  REGISTRATION_CHANGES_PER_DAY_MAX,
  REGISTRATION_CHANGES_PER_HOUR_MAX,
  REGISTRATION_CHECKS_PER_DAY_MAX,
  REGISTRATIONS_MAX,
} from '../../../shared/limits/registrations.ts';
import { type ImportLine, readPiece } from '../../../shared/senders/registration-import.ts';
import {
  accepted,
  act,
  approved,
  asSender,
  content,
  create,
  facts,
  store,
  stub,
  withRegistry,
} from '../support/registrations.ts';

const HOUR_MS = 3_600_000;
const send = (submit = false) => store().create(asSender(), facts(), content(), submit);

test('an organisation changes only so many registrations an hour; decisions and closing are free', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1, 12, 30) });
  await create();
  await runInDurableObject(stub(), (_, { storage }) => {
    const used = REGISTRATION_CHANGES_PER_HOUR_MAX - 1;
    storage.sql.exec("UPDATE meta SET value = ? WHERE key = 'budgetUsed'", String(used));
  });
  accepted(await send());
  const resetsAt = new Date(Date.UTC(2040, 0, 1, 13)).toISOString();
  const refused = { code: 'BUDGET_EXCEEDED', extras: { budget: { name: 'registrations', resetsAt } } };
  expect(await send()).toMatchObject(refused);
  expect(await act('2', 'submit')).toMatchObject(refused);
  accepted(await act('1', 'claim'));
  accepted(await act('1', 'approve'));
  accepted(await act('2', 'close'));
  vi.setSystemTime(Date.now() + HOUR_MS);
  accepted(await send());
});

/** Sets how much of a budget is used. */
const setUsed = (key: string, used: number) =>
  runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('UPDATE meta SET value = ? WHERE key = ?', String(used), key);
  });

test('and only so many a day, with the seconds until the next one', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1, 22) });
  await create();
  await setUsed('budgetDayUsed', REGISTRATION_CHANGES_PER_DAY_MAX);
  const resetsAt = new Date(Date.UTC(2040, 0, 2)).toISOString();
  expect(await send()).toMatchObject({
    ...{ code: 'BUDGET_EXCEEDED', retryAfterSeconds: 7_200 },
    extras: { budget: { name: 'registrationsPerDay', resetsAt } },
    message: `an organisation may change 1,000,000 registrations a day: try again after ${resetsAt}`,
  });
  // The hour has room again, but the day has none.
  vi.setSystemTime(Date.now() + HOUR_MS);
  expect(await send()).toMatchObject({ code: 'BUDGET_EXCEEDED' });
  vi.setSystemTime(Date.now() + HOUR_MS);
  accepted(await send());
});

test('dry runs and refused requests have a budget of their own', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1, 22) });
  const lines = readPiece(
    'reference,number,basis,holderKind,holder,clients\na,112,own,person,Kim,acme-main\n',
    2,
  );
  const upload = (dryRun: boolean) =>
    store().import(asSender(), facts(), accepted(lines) as ImportLine[], {
      ...{ submit: false, skipInvalid: false, dryRun },
    });
  expect(accepted(await upload(true)).rows).toMatchObject([{ result: 'rejected' }]);
  await setUsed('checksUsed', REGISTRATION_CHECKS_PER_DAY_MAX);
  const refused = { code: 'BUDGET_EXCEEDED', extras: { budget: { name: 'registrationChecks' } } };
  expect(await upload(true)).toMatchObject(refused);
  // The first request that its content refuses is still checked. Afterwards no request is checked until tomorrow.
  expect(await upload(false)).toMatchObject({ code: 'REGISTRATIONS_INVALID' });
  expect(await upload(false)).toMatchObject(refused);
  expect(await send()).toMatchObject(refused);
  vi.setSystemTime(Date.UTC(2040, 0, 2));
  accepted(await upload(true));
  accepted(await send());
});

test('a full store accepts decisions and closing, and nothing new', async () => {
  await create();
  await runInDurableObject(stub(), (_, { storage }) => {
    const get = (): number => STORAGE_BYTES_MAX * STORAGE_FULL_SHARE;
    Object.defineProperty(storage.sql, 'databaseSize', { get, configurable: true });
  });
  expect(await send()).toMatchObject({ code: 'STORAGE_FULL' });
  accepted(await act('1', 'claim'));
  accepted(await act('1', 'approve'));
  accepted(await act('1', 'close'));
});

test('an organisation has only so many registrations', async () => {
  await create();
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('UPDATE registrations SET id = ?', REGISTRATIONS_MAX);
  });
  expect(await send()).toMatchObject({ code: 'REGISTRATIONS_TOO_MANY' });
});

test('a page of long registrations is shorter, and the next one goes on after it', async () => {
  await create();
  await runInDurableObject(stub(), (_, { storage }) => {
    const [row] = storage.sql.exec<{ content: string }>('SELECT content FROM registrations').toArray();
    const text = JSON.stringify({
      ...JSON.parse(row!.content),
      holder: { kind: 'person', name: 'x'.repeat(900_000) },
    });
    for (let id = 2; id <= 10; id++) {
      storage.sql.exec(
        `INSERT INTO registrations SELECT ?, state, version, approved_version, suspended_from, basis, number_from,
         number_to, mock, reference, ?, ends_at, approved, claimed_by, claimed_until, reasons, reminded, due_at,
         publish_n, published_at, waiting, created_at, updated_at, submitted_at, certificate FROM registrations WHERE id = 1`,
        ...[id, text],
      );
    }
  });
  const seen: string[] = [];
  for (let after: string | null = '0'; after !== null; ) {
    const { registrations, next } = await store().page({}, Number(after), 100);
    expect(registrations.length).toBeLessThan(6);
    seen.push(...registrations.map(({ id }) => id));
    after = next;
  }
  expect(seen).toEqual(Array.from({ length: 10 }, (_, index) => String(index + 1)));
});

const used = (pairs: number, ranges: number) =>
  runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('UPDATE pairs_used SET pairs = ?, ranges = ?', pairs, ranges);
  });
const usage = () =>
  runInDurableObject(stub(), (_, { storage }) => storage.sql.exec('SELECT * FROM pairs_used').one());

test('what is in force of an organisation takes only its share of a release', async () => {
  const [pairs, ranges] = [REGISTERED_PAIRS_PER_ORGANISATION_MAX, REGISTERED_RANGES_PER_ORGANISATION_MAX];
  const both = { clients: ['acme-main', 'acme-other'] };
  await approved({ ...both, number: '1588-1000..1588-1063' });
  await approved({ number: '1588-2000..1588-2064' });
  expect(await usage()).toEqual({ pairs: 128, ranges: 1 });
  const inReview = [await create(both), await create({ ...both, number: '1588-3000..1588-3999' })];
  for (const { id } of inReview) accepted(await act(id, 'claim'));
  await used(pairs - 1, ranges - 1);
  const refusedFor = (code: string) => ({
    code: 'REGISTRATION_INVALID',
    extras: { reasons: [{ field: 'number', code }] },
  });
  expect(await act('3', 'approve')).toMatchObject(refusedFor('PAIRS_TOO_MANY'));
  expect(await act('4', 'approve')).toMatchObject(refusedFor('RANGES_TOO_MANY'));
  expect(await store().create(asSender(), facts(), content(both), true)).toMatchObject(
    refusedFor('PAIRS_TOO_MANY'),
  );
  expect(await store().validate(facts(), content(both))).toMatchObject([{ code: 'PAIRS_TOO_MANY' }]);
  accepted(await store().create(asSender(), facts(), content(both), false));
  // With one client only, the registration fits. A version that takes less room always fits.
  await approved();
  await used(pairs + 100, ranges + 100);
  accepted(await store().edit(asSender(), facts(), 1, { clients: ['acme-main'] }, { match: null }));
  for (const action of ['submit', 'claim', 'approve'] as const) accepted(await act('1', action));
  expect(await usage()).toEqual({ pairs: pairs + 36, ranges: ranges + 100 });
  accepted(await act('1', 'close'));
  accepted(await act('2', 'close'));
  expect(await usage()).toEqual({ pairs: pairs - 28, ranges: ranges + 99 });
  accepted(await act('3', 'approve'));
});

test('a refused request uses nothing of the budget of changes', async () => {
  await create();
  const used = () =>
    runInDurableObject(stub(), (_, { storage }) =>
      storage.sql.exec("SELECT value FROM meta WHERE key = 'budgetUsed'").toArray(),
    );
  const before = await used();
  expect(await store().create(asSender(), facts(), content({ number: '112' }), true)).toMatchObject({
    code: 'REGISTRATION_INVALID',
  });
  expect(await used()).toEqual(before);
});

test('a registration with one proof takes 2 to 3.5 KB, with its indexes and first audit records', async () => {
  const COUNT = 60;
  await withRegistry();
  const size = () => runInDurableObject(stub(), (_, { storage }) => storage.sql.databaseSize);
  await approved();
  const before = await size();
  for (let index = 0; index < COUNT; index++) {
    await approved({ number: `1588-${2_000 + index}`, reference: `line-${index}` });
  }
  const bytes = ((await size()) - before) / COUNT;
  expect(bytes).toBeGreaterThan(2_000);
  expect(bytes).toBeLessThan(3_500);
});
