/**
 * Nobody builds for a month, and the changes fill their room. Additions wait, removals continue in their reserve, and three
 * releases free everything.
 */
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  PUBLISH_RETRY_MS_MAX,
  REGISTRATION_CHANGES_MAX,
  REGISTRATION_CHANGES_PER_ORGANISATION_MAX,
  REGISTRATION_REMOVALS_PER_ORGANISATION_MAX,
  REGISTRATION_REMOVALS_RESERVE,
  REGISTRATION_SEGMENT_ROWS_MAX,
} from '../../../shared/limits/registrations.ts';
import { NumberIndex } from '../../../workers/registry/number-index.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, unwrap } from '../support/coordinator.ts';
import { accepted, act, approved, asSender, facts, SERVICE_USE, store } from '../support/registrations.ts';
import {
  change,
  changes,
  headRegistrations,
  published,
  readChanges,
  registry,
  registryStub,
} from '../support/registry.ts';
import { smallLists } from '../support/world.ts';

const FIRST = 82_10_2000_0000;
const ROOM = REGISTRATION_CHANGES_MAX - REGISTRATION_REMOVALS_RESERVE;

let warned: Record<string, unknown>[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(JSON.parse(line)));
});

/** Adds changes to the tables, as earlier batches would have left them. @param per changes of each organisation */
async function fill(count: number, op: number, per: number): Promise<void> {
  await runInDurableObject(registryStub(), (_, { storage }) => {
    const { sql } = storage;
    const { version } = sql
      .exec<{ version: number }>(`SELECT MAX(value) AS version FROM meta WHERE key = 'version'`)
      .one();
    sql.exec(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       INSERT INTO changes SELECT ? + n, 'org-' || (n / ?) || '/' || ?, ? + n, ? + n, ? FROM numbers`,
      ...[count, version, per, op === 2 ? 'old' : 'main', FIRST, FIRST, op],
    );
    for (const key of ['version', 'changes']) {
      sql.exec('UPDATE meta SET value = value + ? WHERE key = ?', count, key);
    }
  });
}

const refused = async (organisation: string, n: number, batch: Parameters<typeof published>[2]) => {
  const done = await registry().publish(organisation, n, batch, []);
  return done.ok ? 'ok' : done.code;
};

test('additions wait, removals go on in their reserve, and three releases free everything', async () => {
  await published('acme', 1, [change('acme/main', FIRST)]);
  await fill(ROOM - 1, 0, 10_000);
  expect(await refused('acme', 2, [change('acme/main', FIRST + 1)])).toBe('REGISTRATIONS_FULL');
  expect(warned.at(-1)).toEqual({ event: 'registrationsFull', organisation: 'acme', changes: ROOM });
  expect((await registry().status()).waiting).toEqual([{ organisation: 'acme', since: expect.any(Number) }]);
  // Removals still fit, and a change that replaces another change needs no room.
  await published('acme', 2, [change('acme/main', FIRST + 2, 'remove')]);
  await published('acme', 3, [change('acme/main', FIRST, 'addOwn')]);
  const head = await headRegistrations();
  expect(head.segments).toHaveLength(Math.ceil(ROOM / REGISTRATION_SEGMENT_ROWS_MAX));
  const read = await readChanges();
  expect(read.size).toBe(ROOM + 1);
  expect(read.get(`acme/main ${FIRST + 2}-${FIRST + 2}`)).toBe('remove');

  await fill(REGISTRATION_CHANGES_MAX - ROOM - 1, 2, 10_000);
  expect(await refused('acme', 4, [change('acme/main', FIRST + 3, 'remove')])).toBe('REGISTRATIONS_FULL');
  await published('acme', 4, [change('acme/main', FIRST, 'remove')]);
  const own = await readChanges([testKeys], 'acme/main');
  expect(own.get(`acme/main ${FIRST}-${FIRST}`)).toBe('remove');
  expect((await registry().status()).changes).toBe(REGISTRATION_CHANGES_MAX);
  const bytes = await runInDurableObject(registryStub(), (_, { storage }) => storage.sql.databaseSize);
  // docs/storage.md has this figure.
  expect(Math.round(bytes / 1e7) * 10).toBe(120);

  const { version } = await registry().status();
  let base: string | null = null;
  for (let minute = 0; minute < 3; minute++) {
    const release = await stage({ lists: smallLists(), base, minute, registrations: version });
    const options = { base, share: 1, overrides: ALL_GUARDS, reason: 'test' };
    unwrap(await coordinator().promote(asAdmin(), release, options));
    base = release;
  }
  await vi.waitFor(async () => expect((await registry().status()).changes).toBe(0), HANG_MS);
  expect((await registry().status()).waiting).toEqual([]);
  await published('acme', 5, [change('acme/main', FIRST + 1)]);
  expect([...(await readChanges())]).toEqual([[`acme/main ${FIRST + 1}-${FIRST + 1}`, 'add']]);
});

async function setChanges(organisation: string, count: number): Promise<void> {
  await runInDurableObject(registryStub(), (_, { storage }) => {
    storage.sql.exec('UPDATE organisations SET changes = ? WHERE organisation = ?', count, organisation);
  });
}

test('one organisation leaves half of the room to all others, for additions and for removals', async () => {
  await published('acme', 1, [change('acme/main', FIRST)]);
  await setChanges('acme', REGISTRATION_CHANGES_PER_ORGANISATION_MAX);
  expect(await refused('acme', 2, [change('acme/main', FIRST + 1)])).toBe('REGISTRATIONS_FULL');
  await published('acme', 2, changes('acme/main', FIRST + 1, 3, 'remove'));
  await setChanges('acme', REGISTRATION_REMOVALS_PER_ORGANISATION_MAX);
  expect(await refused('acme', 3, [change('acme/main', FIRST + 4, 'remove')])).toBe('REGISTRATIONS_FULL');
  await published('acme', 3, [change('acme/main', FIRST, 'remove')]);
  await published('beta', 1, [change('beta/main', FIRST), change('beta/main', FIRST + 1, 'remove')]);
});

test('a number that is no longer own loses that at once, also if the organisation has no room', async () => {
  await approved();
  await vi.waitFor(async () => expect((await store().get(1))!.publication).toBe('published'), HANG_MS);
  // The state after three releases, with as many changes again.
  await runInDurableObject(registryStub(), (_, { storage }) => {
    storage.sql.exec('DELETE FROM changes');
  });
  await setChanges('acme', REGISTRATION_CHANGES_PER_ORGANISATION_MAX);
  const proofs = [SERVICE_USE, { ...SERVICE_USE, kind: 'powerOfAttorney' as const }];
  const patch = { basis: 'delegated', holder: { kind: 'person', name: 'Kim' }, proofs } as const;
  accepted(await store().edit(asSender(), facts(), 1, patch, { match: null }));
  for (const action of ['submit', 'claim', 'approve'] as const) accepted(await act('1', action));
  await approved({ number: '1588-2000' });
  const publications = async () =>
    (await store().page({}, 0, 10)).registrations.map(({ publication }) => publication).join();
  await vi.waitFor(
    async () => expect(await publications()).toMatch(/^(published|waiting),waiting$/),
    HANG_MS,
  );
  await vi.waitFor(
    async () => expect([...(await readChanges())]).toEqual([['acme/acme-main 8215881234-8215881234', 'add']]),
    HANG_MS,
  );
});

test('an organisation that has closed what waited does not count as waiting', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await published('acme', 1, [change('acme/main', FIRST)]);
  await setChanges('acme', REGISTRATION_CHANGES_PER_ORGANISATION_MAX);
  const since = new Date();
  const waiting = async () => (await registry().status()).waiting;
  for (let n = 2; n < 5; n++) {
    expect(await refused('acme', n, [change('acme/main', FIRST + 1)])).toBe('REGISTRATIONS_FULL');
    await published('acme', n, [change('acme/main', FIRST, 'remove')]);
    vi.setSystemTime(Date.now() + PUBLISH_RETRY_MS_MAX);
    expect(await waiting()).toEqual([{ organisation: 'acme', since: since.getTime() }]);
  }
  vi.setSystemTime(Date.now() + PUBLISH_RETRY_MS_MAX);
  expect(await waiting()).toEqual([]);
});

test('the index of numbers takes some 40 bytes for a number of an organisation', async () => {
  const bytes = await runInDurableObject(registryStub(), (_, { storage }) => {
    const index = new NumberIndex(storage);
    const before = storage.sql.databaseSize;
    // In no particular order, as senders register numbers: 7,919 is prime.
    const spans = Array.from({ length: 100_000 }, (_, at) => {
      const n = 82_10_2000_0000 + ((at * 7_919) % 10_000_000);
      return { from: n, to: n };
    });
    storage.transactionSync(() => index.add('an-organisation', spans));
    return (storage.sql.databaseSize - before) / spans.length;
  });
  // docs/storage.md has this figure.
  expect(Math.round(bytes / 10) * 10).toBe(40);
});
