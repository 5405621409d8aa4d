/** The counts are exact. Each acknowledged report counts once, whatever is repeated, fails or restarts. */
import { evictAllDurableObjects, evictDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import type { MonthCount } from '../../../shared/statistics/figures.ts';
import { koreanDayOf } from '../../../shared/time.ts';
import { packTraits } from '../../../workers/reports/traits.ts';
import { shardOf } from '../../../workers/storage/reports-port.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { emptyStores } from '../support/fresh.ts';
import {
  AT,
  accept,
  counted,
  type Fault,
  intake,
  intakeStub,
  keyed,
  report,
  subjects,
  subjectsStub,
  totalsOf,
  withFaults,
} from '../support/reports.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(AT);
});

/** Eight IDs, each with two contents. The second content conflicts with the first. */
const SUBJECTS = ['Alpha', 'beta', 'Alpha2', '9'].map(keyed);
const pool = Array.from({ length: 16 }, (_, index) =>
  report(`id-${index % 8}`, {
    subject: SUBJECTS[index % 4]!,
    spam: index % 8 === 7 ? 'notSpam' : 'gambling',
    // In Korea, both are in January, or the second one is in December.
    at: AT - (index < 8 ? 0 : index % 2 === 0 ? 1_000 : 2 * 86_400_000),
    channel: index % 5 === 0 ? 'voice' : 'sms',
    origin: index % 3 === 0 ? 'overseas' : 'domestic',
    relayCode: index % 4 === 3 ? null : `RELAY${index % 3}`,
    ingressOperator: index % 2 === 0 ? '45005' : null,
  }),
);

type Step =
  | { readonly do: 'send'; readonly picked: readonly number[] }
  | { readonly do: 'withdraw'; readonly ids: readonly number[] }
  | { readonly do: 'withdrawAll' | 'evictIntake' | 'evictCounts' | 'evictAll' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        picked: fc.array(fc.nat(15), { minLength: 1, maxLength: 6 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('withdraw' as const),
        ids: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
      }),
    },
    fc.record({
      do: fc.constantFrom(
        'withdrawAll' as const,
        'evictIntake' as const,
        'evictCounts' as const,
        'evictAll' as const,
      ),
    }),
  ),
  { minLength: 1, maxLength: 10 },
);

test('whatever is sent again, withdrawn, lost and restarted, the counts are those of a plain model', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const faults = fc.array(fc.constantFrom<Fault>('before', 'after', null), { maxLength: 12 });
  await holdsAsync(
    fc.asyncProperty(steps, faults, async (all, given) => {
      await emptyStores();
      const left = [...given];
      const next = (): Fault => left.shift() ?? null;
      const model: Model = new Map();
      for (const step of all) {
        await withFaults(next);
        await apply(step, model);
      }
      await withFaults(() => null);
      await counted();
      const kept = [...model.values()];
      const open = kept.filter(({ withdrawn }) => withdrawn === 'no');
      expect(await totalsOf(SUBJECTS)).toEqual({
        received: kept.length,
        counted: open.length,
        overBudget: 0,
        withdrawn: kept.length - open.length,
        notSpam: open.filter(({ index }) => pool[index]!.spam === 'notSpam').length,
      });
      // By day and kind, for evidence. A withdrawal counts on the day of its report.
      const days = SUBJECTS.flatMap((subject) => {
        const own = kept.filter(({ index }) => pool[index]!.subject === subject);
        const groups = Map.groupBy(own, ({ index }) => {
          const { spam, at, channel, origin } = pool[index]!;
          return [spam, koreanDayOf(at), channel, origin].join(' ');
        });
        return [...groups.values()].map((some) => {
          const { spam, at, channel, origin } = pool[some[0]!.index]!;
          const withdrawn = some.filter((each) => each.withdrawn !== 'no').length;
          const day = koreanDayOf(at);
          return { subject, spam, channel, origin, day, received: some.length, overBudget: 0, withdrawn };
        });
      });
      expect(new Set((await daysOf(SUBJECTS)).map((day) => JSON.stringify(day)))).toEqual(
        new Set(days.map((day) => JSON.stringify(day))),
      );
      expect(await intake().status()).toMatchObject({
        ...{ acknowledged: kept.length, withdrawn: kept.length - open.length, waiting: 0 },
      });
      for (const month of ['2099-12', '2100-01']) {
        expect((await intake().month(month)).counts).toEqual(monthOf(kept, month));
      }
    }),
    { numRuns: 10 },
  );
});

async function daysOf(keys: readonly string[]) {
  const all = await Promise.all(
    keys.map(async (subject) => {
      const found = await subjects(shardOf(subject)).reportEvidence(subject, 0, koreanDayOf(AT));
      return found.days.map(({ spam, channel, origin, day, received, overBudget, withdrawn }) => ({
        ...{ subject, spam, channel, origin, day, received, overBudget, withdrawn },
      }));
    }),
  );
  return all.flat();
}

/** Acknowledged reports by ID. A report that is withdrawn `soon` is withdrawn in steps, after the answer. */
type Model = Map<string, { readonly index: number; withdrawn: 'no' | 'soon' | 'yes' }>;

/** The counts of these reports in a month, counted one by one. */
function monthOf(kept: readonly { index: number; withdrawn: string }[], month: string): MonthCount[] {
  const counts = new Map<string, MonthCount>();
  for (const { index, withdrawn } of kept) {
    const each = pool[index]!;
    if (new Date(each.at + 9 * 3_600_000).toISOString().slice(0, 7) !== month) continue;
    const isText = each.channel === 'sms' && each.spam !== 'notSpam';
    const names = [
      ['traits', String(packTraits(each))],
      ['relay', isText ? each.relayCode : null],
      ['operator', isText && each.origin === 'overseas' ? each.ingressOperator : null],
    ] as const;
    for (const [facet, name] of names) {
      if (name === null) continue;
      const { acknowledged, withdrawn: before } = counts.get(`${facet} ${name}`) ?? {
        acknowledged: 0,
        withdrawn: 0,
      };
      const after = { acknowledged: acknowledged + 1, withdrawn: before + (withdrawn === 'no' ? 0 : 1) };
      counts.set(`${facet} ${name}`, { month, facet, name, ...after });
    }
  }
  return [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, count]) => count);
}

async function apply(step: Step, model: Model): Promise<void> {
  switch (step.do) {
    case 'send': {
      const expected = step.picked.map((index) => {
        const { reportId } = pool[index]!;
        const known = model.get(reportId);
        if (known === undefined) {
          model.set(reportId, { index, withdrawn: 'no' });
          return ['accepted'];
        }
        const isSame = known.index === index;
        return [
          ...(known.withdrawn === 'yes' ? [] : [isSame ? 'known' : 'conflict']),
          ...(known.withdrawn === 'no' ? [] : [isSame ? 'withdrawn' : 'conflictWithdrawn']),
        ];
      });
      const answers = await accept(step.picked.map((index) => pool[index]!));
      expect(answers).toHaveLength(expected.length);
      answers.forEach((each, index) => {
        expect(expected[index]).toContain(each);
      });
      return;
    }
    case 'withdraw': {
      const ids = step.ids.map((id) => `id-${id}`);
      expect(await intake().withdraw(ids)).toEqual(ids.map((id) => model.has(id)));
      for (const id of ids) if (model.has(id)) model.get(id)!.withdrawn = 'yes';
      return;
    }
    case 'withdrawAll':
      await intake().withdrawSince(0);
      for (const each of model.values()) if (each.withdrawn === 'no') each.withdrawn = 'soon';
      return;
    case 'evictIntake':
      return evictDurableObject(intakeStub());
    case 'evictCounts':
      // Only a running object can be evicted.
      await totalsOf([SUBJECTS[0]!]);
      return evictDurableObject(subjectsStub(shardOf(SUBJECTS[0]!)));
    case 'evictAll':
      return evictAllDurableObjects();
  }
}
