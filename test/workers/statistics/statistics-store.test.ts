/** Statistics by month. The counts equal the reports, a month is closed once, and corrections are new versions. */
import { evictDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { exactCells, knowledgeOf } from '../../../bench/lib/published-attack.ts';
import { recoveredCells } from '../../../bench/lib/subtraction-attack.ts';
import { SOURCE_RETRY_MS_MAX } from '../../../shared/limits/statistics.ts';
import type { PublishedMonth } from '../../../shared/statistics/published.ts';
import { TABLE_NAMES, type TableName } from '../../../shared/statistics/texts.ts';
import type { IntakePartner, KeptReport } from '../../../workers/storage/reports-port.ts';
import type { StoreRequest } from '../../../workers/storage/store-request.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { emptyStores } from '../support/fresh.ts';
import { accept, counted, type Fault, intake, PARTNER, report } from '../support/reports.ts';
import {
  type FakeSources,
  fakeSources,
  relay,
  runAlarm,
  statistics,
  statisticsStub,
  withSources,
} from '../support/statistics.ts';

const DAY_MS = 86_400_000;
const MONTH = '2099-12';
/** In Korea, 1 January 2100 is about to begin. The month is closed 8 days later. */
const LAST_DAY = Date.parse('2099-12-31T12:00:00Z');
const CLOSED = Date.parse('2100-01-08T15:00:00Z');

const ADMIN: StoreRequest = {
  actor: { name: 'auditor', scopes: ['reports'], root: false, organisation: 'default', authority: null },
  reason: 'reports of a leaked key were withdrawn',
  repeat: null,
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(LAST_DAY);
});

function at(partner: string, reports: readonly KeptReport[], rest: Partial<IntakePartner> = {}) {
  return accept(reports, { ...PARTNER, intake: partner, id: partner.split('/')[0]!, ...rest });
}

/** Sweeps until nothing waits. The store stops as given in `stops`, and its calls fail as given in `fake`. */
async function settled(fake: FakeSources, stops: readonly boolean[] = []): Promise<void> {
  for (const isStopped of [...stops, false, false]) {
    if (isStopped) await evictDurableObject(statisticsStub());
    await withSources(fake);
    await statistics().sweep();
    vi.setSystemTime(Date.now() + SOURCE_RETRY_MS_MAX);
    await runAlarm();
  }
}

async function value<Value>(
  result: Promise<{ ok: true; value: Value } | { ok: false; code: string }>,
): Promise<Value> {
  const found = await result;
  if (!found.ok) throw new Error(found.code);
  return found.value;
}

const codeOf = async (result: Promise<{ ok: boolean; code?: string }>) => (await result).code;

async function exactOf(version: number): Promise<Map<string, number>> {
  const cells = [];
  for (const table of TABLE_NAMES) {
    const trace = await value(statistics().tracedTable(MONTH, version, table));
    for (const { key, count, sources, further } of trace.cells) {
      expect(sources.reduce((sum, source) => sum + source.count, further)).toBe(count);
      cells.push({ table, key, count });
    }
  }
  return exactCells(cells);
}

async function traced(table: TableName, key: string, version: number | null = null) {
  const { cells } = await value(statistics().tracedTable(MONTH, version, table));
  return cells.find((cell) => cell.key === key)!;
}

describe('statistics by month', () => {
  it('equal the reports: late ones, those of partners that left and of slices that changed, without withdrawn and mock ones', async () => {
    const fake = { ...fakeSources(), partners: [{ id: 'skt', slices: 2 }] };
    await at('left', [report('1', { at: LAST_DAY }), report('2', { at: LAST_DAY })]);
    await at('skt', [report('3', { at: LAST_DAY, relayCode: 'ABCD' })]);
    await at('skt/1', [
      report('4', { at: LAST_DAY, spam: 'notSpam' }),
      report('5', { at: LAST_DAY, channel: 'voice' }),
    ]);
    await at('mock', [report('6', { at: LAST_DAY })], { mock: true });
    await intake('left').withdraw(['1']);
    await settled(fake);
    vi.setSystemTime(LAST_DAY + 5 * DAY_MS);
    await at('skt/1', [report('7', { at: LAST_DAY }), report('8', { at: LAST_DAY + 2 * DAY_MS })]);
    for (const name of ['left', 'skt', 'skt/1', 'mock']) await counted(name);
    vi.setSystemTime(CLOSED);
    await settled(fake);
    expect(await traced('reports', 'total')).toMatchObject({
      count: 5,
      sources: [
        { source: 'reports skt/1', count: 3 },
        { source: 'reports left', count: 1 },
        { source: 'reports skt', count: 1 },
      ],
    });
    expect(await traced('reports', 'notSpam')).toMatchObject({ count: 1 });
    expect(await traced('reports', 'voice')).toMatchObject({ count: 1 });
    expect(await traced('text-by-relay', 'unregistered')).toMatchObject({ count: 1 });
    expect(await traced('text-by-relay', 'notStated')).toMatchObject({ count: 2 });
  });

  it('are closed once, recorded before they are published, and give no hidden cell back', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const faults = fc.array(fc.constantFrom<Fault>('before', 'after', null), { maxLength: 12 });
    const stops = fc.array(fc.boolean(), { minLength: 4, maxLength: 8 });
    const sent = fc.array(
      fc.record({
        spam: fc.constantFrom('gambling', 'loan', 'notSpam'),
        channel: fc.constantFrom('sms', 'voice'),
        origin: fc.constantFrom('domestic', 'overseas'),
        route: fc.constantFrom('bulk', 'mobile', null),
        relayCode: fc.constantFrom('RELAY1', 'SELL1', 'SELL2', null),
        ingressOperator: fc.constantFrom('45005', null),
        partner: fc.constantFrom('kisa', 'skt/0', 'skt/1'),
        isWithdrawn: fc.constantFrom('no', 'before', 'after'),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await holdsAsync(
      fc.asyncProperty(sent, faults, stops, async (all, given, halts) => {
        await emptyStores();
        vi.setSystemTime(LAST_DAY);
        const left = [...given];
        const fake: FakeSources = {
          ...fakeSources(),
          partners: [{ id: 'kisa', slices: 1 }],
          organisations: [relay('one', 'RELAY1'), relay('two', 'SELL1', true), relay('three', 'SELL2', true)],
          next: () => left.shift() ?? null,
        };
        const reports = all.map(({ partner, isWithdrawn, ...rest }, index) => ({
          ...{ partner, isWithdrawn, kept: report(`id-${index}`, { ...(rest as object), at: LAST_DAY }) },
        }));
        for (const [partner, own] of Map.groupBy(reports, (each) => each.partner)) {
          await at(
            partner,
            own.map(({ kept }) => kept),
          );
          await at(
            partner,
            own.map(({ kept }) => kept),
          );
        }
        await settled(fake, halts.slice(0, 2));
        await withdrawAll(reports, 'before');
        vi.setSystemTime(CLOSED);
        await settled(fake, halts);
        const first = await value(statistics().published(MONTH, 1));
        expect((await exactOf(1)).get('reports/total')).toBe(
          reports.filter(({ isWithdrawn }) => isWithdrawn !== 'before').length,
        );
        await withdrawAll(reports, 'after');
        await value(statistics().correct(ADMIN, MONTH));
        await settled(fake, halts);
        const hasChanged = reports.some(({ isWithdrawn }) => isWithdrawn === 'after');
        const { versions } = await value(statistics().versions(MONTH));
        expect(versions.map(({ version }) => version)).toEqual(hasChanged ? [1, 2] : [1]);
        // Version 1 stays unchanged.
        expect(await value(statistics().published(MONTH, 1))).toEqual(first);
        expect(
          [...fake.recorded.values()].map(({ version: { month, version, digest } }) => [
            month,
            version,
            digest,
          ]),
        ).toEqual(versions.map(({ version, digest }) => [MONTH, version, digest]));
        const published: PublishedMonth[] = [first];
        const exact = [await exactOf(1)];
        if (hasChanged) {
          published.push(await value(statistics().published(MONTH, 2)));
          exact.push(await exactOf(2));
          expect(exact[1]!.get('reports/total')).toBe(
            reports.filter(({ isWithdrawn }) => isWithdrawn === 'no').length,
          );
        }
        const known = knowledgeOf(published, exact);
        expect(recoveredCells(known, exact).filter((cell) => cell.value > 0)).toEqual([]);
      }),
      { numRuns: 4 },
    );
  });

  it('are final before an intake may remove what they were counted from', async () => {
    const fake = { ...fakeSources(), partners: [{ id: 'kisa', slices: 1 }] };
    await at('kisa', [report('a', { at: Date.now() })]);
    vi.setSystemTime(CLOSED);
    await settled(fake);
    vi.setSystemTime(Date.parse('2100-05-31T14:59:59Z'));
    expect(await value(statistics().correct(ADMIN, MONTH))).toMatchObject({ isCorrecting: true });
    await settled(fake);
    // INTAKE_MONTHS_KEPT later, this is the oldest month of the intake, which removes it a month later.
    vi.setSystemTime(Date.parse('2100-05-31T15:00:00Z'));
    expect(await codeOf(statistics().correct(ADMIN, MONTH))).toBe('MONTH_FINAL');
  });

  it('of a month that is not over are whole tens, and change once a day', async () => {
    const fake = { ...fakeSources(), partners: [{ id: 'kisa', slices: 1 }] };
    const some = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => report(`${from + index}`, { at: Date.now() }));
    await at('kisa', some(0, 27));
    await settled(fake);
    const total = async () => (await value(statistics().published('2099-12', null))).tables[0]!.total;
    expect(await value(statistics().published('2099-12', null))).toMatchObject({
      ...{ provisional: true, version: null, digest: null },
    });
    expect(await total()).toBe(20);
    await at('kisa', some(100, 4));
    await settled(fake);
    expect(await total()).toBe(20);
    expect(await codeOf(statistics().published('2099-12', 1))).toBe('MONTH_NOT_OVER');
    expect(await codeOf(statistics().tracedTable('2099-12', null, 'reports'))).toBe('MONTH_NOT_OVER');
    expect(await codeOf(statistics().correct(ADMIN, '2099-12'))).toBe('MONTH_NOT_OVER');
    expect(await codeOf(statistics().published('2100-01', null))).toBe('MONTH_NOT_OVER');
    expect(await codeOf(statistics().published('2099-11', null))).toBe('MONTH_UNKNOWN');
    expect(await codeOf(statistics().published('2099-13', null))).toBe('FIELD_VALUE');
    expect(fake.recorded.size).toBe(0);
  });

  it('count blocked requests by hour in Korea, also of clients that were removed since', async () => {
    const blocked = {
      totals: {},
      by: { channel: [['sms', 0, 0, 0, 7]], code: [['NUMBER_SUSPENDED', 0, 0, 0, 6]] },
    };
    const period = { hour: LAST_DAY / 3_600_000, hours: 1, counts: blocked as never };
    const fake = { ...fakeSources(), clients: [{ id: 'bulk' }, { id: 'test', mock: true }] };
    fake.checks = { bulk: [period], test: [period] };
    await settled(fake);
    fake.clients = [];
    vi.setSystemTime(CLOSED);
    await settled(fake);
    expect(await traced('blocks-by-hour', '21')).toMatchObject({
      ...{ count: 7, sources: [{ source: 'checks bulk', count: 7 }] },
    });
    const { tables } = await value(statistics().published(MONTH, null));
    const reasons = tables.find(({ table }) => table === 'blocks-by-reason')!;
    // Without hiding, the count of blocks without a reason would follow as 7 - 6.
    expect(reasons.rows.map(({ key, count }) => [key, count])).toEqual([
      ...[
        ['NUMBER_SUSPENDED', null],
        ['others', 0],
        ['notStated', null],
      ],
    ]);
  });
});

async function withdrawAll(
  reports: readonly { partner: string; isWithdrawn: string; kept: KeptReport }[],
  when: string,
): Promise<void> {
  const chosen = reports.filter(({ isWithdrawn }) => isWithdrawn === when);
  for (const [partner, own] of Map.groupBy(chosen, (each) => each.partner))
    await intake(partner).withdraw(own.map(({ kept }) => kept.reportId));
}
