/** Reports with texts. Each report counts once for its campaign, whatever fails, and nothing of the text is kept. */
import {
  evictAllDurableObjects,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test';
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import { TEXTS_WAIT_MS } from '../../../shared/limits/campaigns.ts';
import { REPORTER_SUBJECTS_PER_DAY_MAX } from '../../../shared/limits/intake.ts';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import { resetReportKeys } from '../../../workers/reports/keying.ts';
import { receive } from '../../../workers/reports/receive.ts';
import { type Partner, type SubjectTotals, shardOf } from '../../../workers/storage/reports-port.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { desk } from '../support/desk.ts';
import { emptyStores } from '../support/fresh.ts';
import {
  AT,
  accept,
  bindings,
  counted,
  type Fault,
  intake,
  intakeStub,
  keyed,
  PARTNER,
  report,
  subjects,
  totalsOf,
  withFaults,
} from '../support/reports.ts';
import { printOf, SPAM, textStore } from '../support/texts.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

async function campaignTotals(id: number): Promise<SubjectTotals | null> {
  const keys = await ReportKeys.open(new Uint8Array(await desk().reportKey()));
  const key = await keys.subject({ kind: 'campaign', id }, false);
  return subjects(shardOf(key)).totalsOf(key);
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ picked: fc.array(fc.nat(11), { minLength: 1, maxLength: 5 }) }),
    },
    fc.record({ withdrawn: fc.nat(11) }),
    fc.record({ evicted: fc.constant(true) }),
  ),
  { minLength: 1, maxLength: 8 },
);

test('whatever is sent again, lost and restarted, each text counts once for its campaign', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: AT });
  const prints = await Promise.all([0, 0, 1, 2].map((text) => printOf(SPAM[text]!)));
  const pool = Array.from({ length: 12 }, (_, index) =>
    // Every fourth report has no text.
    report(`id-${index}`, { fingerprint: index % 4 === 3 ? null : prints[index % 4]! }),
  );
  const faults = fc.array(fc.constantFrom<Fault>('before', 'after', null), { maxLength: 12 });
  await holdsAsync(
    fc.asyncProperty(steps, faults, async (all, given) => {
      await emptyStores();
      resetReportKeys();
      const left = [...given];
      const known = new Map<number, boolean>();
      for (const step of all) {
        await withFaults(() => left.shift() ?? null);
        if ('picked' in step) {
          await accept(step.picked.map((index) => pool[index]!));
          for (const index of step.picked) known.set(index, known.get(index) ?? true);
        } else if ('withdrawn' in step) {
          await intake().withdraw([`id-${step.withdrawn}`]);
          if (known.has(step.withdrawn)) known.set(step.withdrawn, false);
        } else await evictAllDurableObjects();
      }
      await withFaults(() => null);
      await counted();
      const { campaigns } = await textStore().campaignPage({}, 0, 10);
      const texts = [...known].filter(([index]) => index % 4 !== 3);
      const sums = { reports: 0, received: 0, counted: 0 };
      for (const { id, reports } of campaigns) {
        const totals = await campaignTotals(Number(id.slice(2)));
        sums.reports += reports;
        sums.received += totals!.received;
        sums.counted += totals!.counted;
      }
      expect(campaigns).toHaveLength(new Set(texts.map(([index]) => Math.max(0, (index % 4) - 1))).size);
      expect(sums).toEqual({
        ...{ reports: texts.length, received: texts.length },
        counted: texts.filter(([, isOpen]) => isOpen).length,
      });
      // In total, a report counts once, for its sender.
      expect(await totalsOf([keyed('Subject')])).toMatchObject({ received: known.size });
    }),
    { numRuns: 12 },
  );
});

test('a reporter counts for a bounded number of campaigns a day, through each partner', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: AT });
  expect(SPAM.length).toBeGreaterThan(REPORTER_SUBJECTS_PER_DAY_MAX);
  const reporter = keyed('Everything');
  const reports = await Promise.all(
    SPAM.map(async (text, index) => report(`id-${index}`, { reporter, fingerprint: await printOf(text) })),
  );
  await accept(reports);
  await counted();
  const all = await Promise.all(SPAM.map((_, index) => campaignTotals(index + 1)));
  expect(all.filter((totals) => totals!.counted === 1)).toHaveLength(REPORTER_SUBJECTS_PER_DAY_MAX);
  expect(all.every((totals) => totals!.received === 1)).toBe(true);
  // All reports were about one sender.
  expect(await totalsOf([keyed('Subject')])).toMatchObject({ counted: SPAM.length, overBudget: 0 });
});

test('blocks of senders wait for the text store a minute at most', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: AT });
  await runInDurableObject(intakeStub(), (instance) => {
    const object = instance as unknown as { env: typeof bindings };
    const TEXT = {
      getByName: () => ({ campaignsOf: () => Promise.reject(new Error('it does not respond')) }),
    };
    Object.defineProperty(object, 'env', { value: { ...object.env, TEXT }, configurable: true });
  });
  await accept([report('id-1', { fingerprint: await printOf(SPAM[0]!) })]);
  vi.setSystemTime(AT + TEXTS_WAIT_MS - 1);
  await runDurableObjectAlarm(intakeStub());
  expect(await intake().status()).toMatchObject({ waiting: 1 });
  vi.setSystemTime(AT + 2 * TEXTS_WAIT_MS);
  await counted();
  expect(await totalsOf([keyed('Subject')])).toMatchObject({ counted: 1 });
  const left = await runInDurableObject(intakeStub(), (_, { storage }) =>
    storage.sql.exec('SELECT * FROM fingerprints').toArray(),
  );
  expect(left).toEqual([]);
  expect((await textStore().campaignPage({}, 0, 10)).campaigns).toEqual([]);
});

const REAL: Partner = { ...PARTNER, weight: 1, slices: 1, isSuspended: false, reportsPerDay: 1_000 };

function sent(text: unknown, rest: object = {}): object {
  return {
    ...{ reportId: crypto.randomUUID(), from: '010-3000-0001', channel: 'sms', kind: 'phishing' },
    ...{ at: new Date().toISOString(), origin: 'domestic', reporter: '010-8765-4321', text, ...rest },
  };
}

test('nothing of a text is stored, logged or echoed', async () => {
  const logged = (['log', 'error', 'warn'] as const).map((name) => vi.spyOn(console, name));
  for (const log of logged) log.mockImplementation(() => undefined);
  const marker = 'Zanzibar Quokka';
  const texts = [
    `${marker} ${SPAM[0]}`,
    `${marker} ${SPAM[1]} http://${marker.replace(' ', '-')}.example`,
    marker,
  ];
  const wrong = [`${marker} ${'x'.repeat(2_000)}`, `${marker} \ud800`, [marker], { [marker]: 1 }];
  const received = await receive(
    [...texts, ...wrong].map((text) => sent(text)),
    REAL,
    bindings,
  );
  expect(received.map(({ result }) => (result.ok ? result.value : [result.code, result.field]))).toEqual([
    ...['accepted', 'accepted', 'accepted'],
    ...[
      ['FIELD_VALUE', 'text'],
      ['FIELD_VALUE', 'text'],
      ['FIELD_TYPE', 'text'],
      ['FIELD_TYPE', 'text'],
    ],
  ]);
  await counted();
  expect((await textStore().campaignPage({}, 0, 10)).campaigns).toHaveLength(2);
  const stored = await everything();
  expect(stored).toContain('campaigns');
  for (const shown of [stored, JSON.stringify(received), JSON.stringify(logged.map((log) => log.mock.calls))])
    expect(shown.match(/zanzibar|quokka/gi)).toBeNull();
});

test('a text counts for nothing without TEXT_KEY, of a mock partner, and if it is too short', async () => {
  const { TEXT_KEY: _, ...without } = bindings;
  const [alone] = await receive([sent(SPAM[0])], REAL, without);
  const [short] = await receive([sent('call me')], REAL, bindings);
  const [mock] = await receive([sent(SPAM[0], { from: '010-0000-1234' })], { ...REAL, mock: true }, bindings);
  expect([alone, short, mock].map((each) => each!.result.ok)).toEqual([true, true, true]);
  await counted();
  expect((await textStore().campaignPage({}, 0, 10)).campaigns).toEqual([]);
  expect(await intake().status()).toMatchObject({ acknowledged: 3, waiting: 0 });
});

/** All rows of all tables of all objects. */
async function everything(): Promise<string> {
  const names = ['REPORTS', 'REPORTERS', 'SUBJECTS', 'RESPONSE', 'TEXT', 'COORDINATOR'] as const;
  const parts = await Promise.all(
    names.map(async (name) => {
      const namespace = bindings[name] as unknown as DurableObjectNamespace;
      const ids = await listDurableObjectIds(namespace);
      return Promise.all(
        ids.map((id) => runInDurableObject(namespace.get(id), (_, { storage }) => dump(storage.sql))),
      );
    }),
  );
  return parts.flat().join('\n');
}

function dump(sql: SqlStorage): string {
  const tables = sql
    .exec<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'`,
    )
    .toArray();
  return tables
    .map(({ name }) => {
      const rows = sql.exec(`SELECT * FROM ${name}`).toArray();
      const texts = rows.map((row) =>
        Object.values(row)
          .map((value) =>
            value instanceof ArrayBuffer ? new TextDecoder('latin1').decode(value) : String(value),
          )
          .join(' '),
      );
      return [name, ...texts].join('\n');
    })
    .join('\n');
}
