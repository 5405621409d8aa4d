/** The monthly counts of an intake that is older than these counts, and names beyond their limit. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { INTAKE_NAMES_MAX } from '../../../shared/limits/statistics.ts';
import { MonthCounts } from '../../../workers/reports/month-counts.ts';
import { AT, accept, intake, intakeStub, report } from '../support/reports.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(AT);
});

test('reports that an older version kept are counted when the tables get their counts', async () => {
  const abroad = { origin: 'overseas', ingressOperator: '45005' } as const;
  await accept([
    report('1', { relayCode: 'RELAY1', ...abroad }),
    report('2', { relayCode: 'RELAY1', spam: 'notSpam' }),
    report('3', { channel: 'voice', relayCode: 'RELAY2', ...abroad }),
    // 1 January in Korea, but still December in UTC.
    report('4', { at: Date.parse('2099-12-31T15:00:00Z') }),
    report('5', { at: Date.parse('2099-12-31T14:59:59Z'), relayCode: 'RELAY1' }),
  ]);
  await intake().withdraw(['1', '5']);
  const months = ['2099-12', '2100-01'];
  const counted = await Promise.all(months.map((month) => intake().month(month)));
  expect(counted.map(({ counts }) => counts.filter(({ facet }) => facet === 'relay'))).toEqual([
    [{ month: '2099-12', facet: 'relay', name: 'RELAY1', acknowledged: 1, withdrawn: 1 }],
    [{ month: '2100-01', facet: 'relay', name: 'RELAY1', acknowledged: 1, withdrawn: 1 }],
  ]);
  await runInDurableObject(intakeStub(), (_, { storage }) => {
    storage.sql.exec('DROP TABLE months');
    // Remove what later schema steps add.
    storage.sql.exec('ALTER TABLE reports DROP COLUMN text_campaign');
    storage.sql.exec('DROP TABLE fingerprints');
    storage.sql.exec('DELETE FROM schema_steps WHERE step >= 2');
  });
  await evictDurableObject(intakeStub());
  expect(await Promise.all(months.map((month) => intake().month(month)))).toEqual(counted);
});

test('names beyond the bound are counted together, and their withdrawals too', async () => {
  await intake().status();
  await runInDurableObject(intakeStub(), (_, { storage }) => {
    const counts = new MonthCounts(storage.sql);
    const named = (relayCode: string) => ({ traits: 0, at: AT, received: AT, relayCode, operator: null });
    counts.add(Array.from({ length: INTAKE_NAMES_MAX + 5 }, (_each, index) => named(`R${index}`)));
    counts.add([named('R0'), named('X')]);
    counts.withdraw([named('R0'), named('X')]);
    const found = counts.of('2100-01').filter(({ facet }) => facet === 'relay');
    expect(found).toHaveLength(INTAKE_NAMES_MAX + 1);
    expect(found[0]).toMatchObject({ name: '', acknowledged: 6, withdrawn: 1 });
    expect(found.find(({ name }) => name === 'R0')).toMatchObject({ acknowledged: 2, withdrawn: 1 });
  });
});
