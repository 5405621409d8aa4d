/**
 * The feed compared with the edge: any sequence of changes, undos, rule blocks, releases with lists and folded entries,
 * rollbacks, passing time, failures and stops. Whenever the feed has nothing left to do, its snapshot equals what `screen`
 * returns for every followed party, and its log leads to the snapshot from any cursor. fast-check prints the seed when a
 * sequence fails.
 */
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CHANGE_OPS } from '../../../shared/live/entry.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { BLOCK_STAGES, EFFECTS, SUBJECTS, type Subject } from '../../../shared/verdict.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { EVER, type PlainList, plainList } from '../../shared/support/plain-model.ts';
import { ADMIN, ALL_GUARDS, asAdmin, codeOf, coordinator, stage, stub } from '../support/coordinator.ts';
import {
  drained,
  type Entries,
  eventsAfter,
  feed,
  feedStub,
  followed,
  isLive,
  ran,
  replayed,
  screenedBy,
  short,
  snapshotOf,
} from '../support/feed.ts';
import { foldedLists } from '../support/folding.ts';
import { emptyStores } from '../support/fresh.ts';
import { by, change } from '../support/room.ts';
import { applyRules, ruleChange } from '../support/rule-entries.ts';

/** In the future, so that no alarm runs automatically. */
const START = Date.UTC(2040, 0, 1);
const NUMBERS = [821_030_000_001, 821_030_000_002, 8_613_000_000_001];
const SOURCE = 'PARCEL-KR';
const PARTIES = [...NUMBERS.map(toE164), SOURCE];
const MINUTE = 60_000;
const STEPS_MAX = 40;
const RUNS = 12;

class World {
  now = START;
  steps = 0;
  staged = 0;
  current: string | null = null;
  /** The folded lists of each release. */
  readonly folded = new Map<string, readonly PlainList[]>();
  readonly operations: number[] = [];
  /** The snapshot at each cursor at which the feed had nothing left to do. */
  readonly snapshots = new Map<string, Entries>();
}
type Step = (world: World) => Promise<void>;
function step(words: string, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => words });
}

const lasts = fc.constantFrom(null, MINUTE, 10 * MINUTE, 60 * MINUTE);
const subjects = fc.constantFrom<readonly Subject[]>(['from'], ['to'], SUBJECTS);
const someParties = fc.uniqueArray(fc.constantFrom(...PARTIES), { minLength: 1, maxLength: 3 });
const itemOf = (party: string) => (party.startsWith('+') ? { number: party } : { source: party });

const changeStep = fc
  .record({ op: fc.constantFrom(...CHANGE_OPS), parties: someParties, subjects, ms: lasts })
  .map(({ op, parties, subjects: named, ms }) =>
    step(`${op} ${parties.join()} ${named.join()} ${ms}`, async (world) => {
      const until = op === 'clear' || ms === null ? null : new Date(world.now + ms).toISOString();
      const done = await coordinator().changeEntries(by({ ...ADMIN, authority: 'kisa' }), {
        ...{ ...change(op), items: parties.map(itemOf), subjects: [...named], until },
      });
      if (done.ok) world.operations.push(...[done.value.operation ?? []].flat());
    }),
  );

const undoStep = fc.nat(3).map((which) =>
  step(`undo ${which} before the last`, async (world) => {
    const operation = world.operations.at(-1 - which);
    if (operation !== undefined)
      await coordinator().undoOperation(asAdmin(), operation, { skipChanged: true });
  }),
);

const ruleStep = fc
  .record({
    op: fc.constantFrom('block' as const, 'block' as const, 'lift' as const),
    n: fc.constantFrom(...NUMBERS.slice(0, 2)),
    ms: fc.constantFrom(MINUTE, 10 * MINUTE, 60 * MINUTE),
    stage: fc.constantFrom(...BLOCK_STAGES),
  })
  .map(({ op, n, ms, stage: at }) =>
    step(`rule ${op} ${n} ${ms}`, async (world) => {
      await applyRules(ruleChange(op, n, { until: world.now + ms, stage: at }));
    }),
  );

/** Lists of a release, with dates relative to now. */
const anyList = fc.record({
  effect: fc.constantFrom(...EFFECTS),
  subjects,
  parties: someParties,
  isRange: fc.boolean(),
  /** In minutes from now; null for no end. */
  dates: fc.constantFrom(null, null, [-1, 10], [5, 20], [10, 100]),
});

const promoteStep = fc
  .record({ lists: fc.array(anyList, { maxLength: 3 }), folds: fc.boolean() })
  .map((made) =>
    step(`promote ${JSON.stringify(made)}`, async (world) => {
      const seconds = world.now / 1000;
      const lists = made.lists.map(
        ({ effect, subjects: named, parties, isRange, dates }, index): PlainList => {
          const [since, until] = dates ?? [];
          const at =
            since === undefined
              ? EVER
              : { since: Math.max(0, seconds + since * 60), until: seconds + until! * 60 };
          const numbers = parties.filter((party) => party.startsWith('+')).map(Number);
          const list = plainList(`list-${index}`, {
            ...(isRange
              ? { ranges: numbers.map((n) => ({ from: n, to: n, ...at })) }
              : { numbers: numbers.map((n) => ({ n, ...at })) }),
            sources: parties.filter((party) => party === SOURCE).map((text) => ({ text, ...at })),
          });
          return { ...list, info: { ...list.info, effect, subjects: [...named] } };
        },
      );
      const { seq } = await coordinator().status();
      const before = world.current === null ? [] : world.folded.get(world.current)!;
      const { entries } = await coordinator().entries('', null, 1_000);
      const folded = made.folds ? foldedLists(entries, before, seconds) : before;
      const base = world.current;
      const foldedSeq = made.folds ? seq : world.folded.size === 0 ? 0 : await foldedSeqOf(world.current);
      const name = await stage({ lists: [...lists, ...folded], base, foldedSeq, minute: world.staged++ });
      world.folded.set(name, folded);
      const options = { base, share: 1, overrides: ALL_GUARDS, reason: 'test' };
      if (codeOf(await coordinator().promote(asAdmin(), name, options)) === 'ok') world.current = name;
    }),
  );

async function foldedSeqOf(release: string | null): Promise<number> {
  const { current } = await coordinator().status();
  expect(current?.release ?? null).toBe(release);
  return current?.foldedSeq ?? 0;
}

const rollbackStep = fc.constant(
  step('roll back', async (world) => {
    const done = await coordinator().rollback(asAdmin(), { reason: 'test' });
    if (done.ok) world.current = done.value.current;
  }),
);

const timeStep = fc
  .record({ ms: fc.constantFrom(MINUTE, 6 * MINUTE, 60 * MINUTE), expires: fc.boolean() })
  .map(({ ms, expires }) =>
    step(`${ms} ms pass${expires ? ', and entries expire' : ''}`, async (world) => {
      world.now += ms;
      world.steps = 0;
      vi.setSystemTime(world.now);
      if (expires) await runDurableObjectAlarm(stub());
    }),
  );

/** Only a running object can be stopped. */
async function stopped(): Promise<void> {
  await feed().status();
  await evictDurableObject(feedStub());
}

const evictStep = fc.constant(step('the feed stops', stopped));

/** Makes one of the next calls of the feed fail, before or after it takes effect. */
const failStep = fc.record({ at: fc.nat(3), isDone: fc.boolean() }).map(({ at, isDone }) =>
  step(`call ${at} fails ${isDone ? 'after it' : 'before it'}`, async () => {
    let calls = 0;
    const fails = async (call: () => Promise<unknown>): Promise<unknown> => {
      if (calls++ !== at) return call();
      if (isDone) await call();
      throw new Error('stopped');
    };
    const binding = (env as unknown as ControlEnv).COORDINATOR;
    const real = binding.getByName.bind(binding);
    const watched = vi.spyOn(binding, 'getByName').mockImplementation((id) => {
      const target = real(id) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const own: Record<string, unknown> = {
        liveChanges: (...args: unknown[]) => fails(() => target.liveChanges!(...args)),
        value: (...args: unknown[]) => fails(() => target.value!(...args)),
      };
      return new Proxy(target, { get: (_, call) => own[String(call)] ?? Reflect.get(target, call) }) as never;
    });
    const get = env.LISTS.get.bind(env.LISTS) as (...args: unknown[]) => Promise<unknown>;
    const read = vi
      .spyOn(env.LISTS, 'get')
      .mockImplementation(((...args: unknown[]) => fails(() => get(...args))) as never);
    await ran();
    watched.mockRestore();
    read.mockRestore();
    // If it stayed in memory, the feed would wait for its next try.
    await stopped();
  }),
);

const drainStep = fc.constant(step('the feed is read', compare));

async function compare(world: World): Promise<void> {
  await drained();
  const { entries, cursor } = await snapshotOf(2);
  const shown = new Set([...entries.values()].map(short));
  const known = await followed();
  const screened = await screenedBy(known);
  const expected = screened.map(({ words }) => words).filter((words) => words !== 'none');
  expect([...shown].sort()).toEqual(expected.sort());
  // Everything that the live layer decides is followed.
  const all = PARTIES.flatMap((party) => SUBJECTS.map((subject) => ({ party, subject }))).filter(
    ({ party, subject }) => party !== SOURCE || subject === 'from',
  );
  const decided = (await screenedBy(all)).filter(({ list }) => isLive(list));
  for (const { words } of decided) expect(shown).toContain(words);
  world.snapshots.set(cursor, entries);
}

test('the feed agrees with the edge', async () => {
  const anyStep = fc.oneof(
    { weight: 8, arbitrary: changeStep },
    { weight: 2, arbitrary: undoStep },
    { weight: 2, arbitrary: ruleStep },
    { weight: 3, arbitrary: promoteStep },
    { weight: 1, arbitrary: rollbackStep },
    { weight: 3, arbitrary: timeStep },
    { weight: 1, arbitrary: evictStep },
    { weight: 2, arbitrary: failStep },
    { weight: 4, arbitrary: drainStep },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 15, maxLength: STEPS_MAX, size: 'max' }),
      async (steps) => {
        await emptyStores();
        vi.useFakeTimers({ toFake: ['Date'], now: START });
        const world = new World();
        for (const run of steps) {
          // Never up to the next minute, when entries end.
          vi.setSystemTime(world.now + 1_000 * world.steps++);
          await run(world);
        }
        await compare(world);
        const { entries } = await snapshotOf();
        const events = await eventsAfter(null);
        expect(replayed(new Map(), events)).toEqual(entries);
        for (const [cursor, then] of world.snapshots)
          expect(replayed(then, await eventsAfter(cursor))).toEqual(entries);
      },
    ),
    { numRuns: RUNS },
  );
});
