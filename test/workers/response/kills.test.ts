/**
 * The desk stops between any two of its steps. Nothing is lost, and nothing happens twice. Also a plain model of the stages,
 * over random decisions, actions, ends and stops.
 */
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import type { ControlEnv } from '../../../workers/env.ts';
import { coordinator } from '../support/coordinator.ts';
import {
  asPerson,
  bindings,
  blocksOf,
  decision,
  desk,
  deskStub,
  entriesOf,
  putRule,
  rowsOf,
} from '../support/desk.ts';
import { DAY, HOUR, NOON } from '../support/room.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

/** The calls of the desk to other objects, by binding. */
const CALLS = {
  COORDINATOR: ['rules', 'applyRuleEntries', 'anchorResponse'],
  REGISTRY: ['organisationsOfEach'],
  SUBJECTS: ['reset'],
} as const;

/** Watches these calls. @param fails whether a call fails, before or after it takes effect */
function watch(fails: (call: string, index: number) => 'before' | 'after' | null): string[] {
  const made: string[] = [];
  for (const [name, watched] of Object.entries(CALLS)) {
    const binding = bindings()[name as keyof ControlEnv] as { getByName(name: string): object };
    const real = binding.getByName.bind(binding);
    vi.spyOn(binding, 'getByName').mockImplementation((id) => {
      const target = real(id) as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const calls = watched.map((call) => [
        call,
        async (...args: unknown[]) => {
          const failure = fails(call, made.push(call) - 1);
          if (failure === 'before') throw new Error('stopped before it');
          const done = await target[call]!(...args);
          if (failure === 'after') throw new Error('stopped after it');
          return done;
        },
      ]);
      const own = Object.fromEntries(calls) as Record<string, unknown>;
      return new Proxy(target, { get: (_, call) => own[String(call)] ?? Reflect.get(target, call) });
    });
  }
  return made;
}

/** Restarts the desk until nothing is left to do. */
async function recovered(): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const { decisions, unsent } = await desk().status();
    if (decisions === 0 && unsent === 0 && (await rowsOf('resets')) === 0) return;
    await evictDurableObject(deskStub());
    await runDurableObjectAlarm(deskStub());
  }
  throw new Error('the desk does not recover');
}

let batch = 0;

/** Makes a rule block, and lifts it as a person. @returns the calls that this took */
async function scenario(index: number, fails: Parameters<typeof watch>[0]): Promise<string[]> {
  const made = watch(fails);
  await desk().decide('0', ++batch, [await decision(index)]);
  await recovered();
  const [block] = await blocksOf(index);
  await desk().act(asPerson('ktoa', `lift ${index}`), Number(block!.id), 'lift');
  await recovered();
  vi.restoreAllMocks();
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  expect((await blocksOf(index)).map(({ state, pending }) => ({ state, pending }))).toEqual([
    { state: 'lifted', pending: false },
  ]);
  expect(await entriesOf(index)).toEqual([]);
  return made;
}

test('a stop before or after any call loses nothing, and repeats nothing', async () => {
  const calls = await scenario(0, () => null);
  expect(new Set(calls)).toEqual(
    new Set(['rules', 'organisationsOfEach', 'applyRuleEntries', 'reset', 'anchorResponse']),
  );
  let index = 0;
  for (let stop = 0; stop < calls.length; stop++) {
    // Each one is in its own range.
    for (const place of ['before', 'after'] as const)
      await scenario(++index * 100, (_, made) => (made === stop ? place : null));
  }
  const records = await desk().audit(0, 1_000);
  // One block and one lift for each number.
  expect(records.map(({ action }) => action)).toEqual(
    Array.from({ length: index + 1 }, () => ['ruleBlocks.block', 'ruleBlocks.lift']).flat(),
  );
  const log = await coordinator().audit(0, 1_000);
  const entries = log.flatMap(({ action }) => (action.startsWith('ruleEntries.') ? [action] : []));
  expect(entries).toEqual(
    Array.from({ length: index + 1 }, () => ['ruleEntries.block', 'ruleEntries.lift']).flat(),
  );
});

interface Model {
  state: 'provisional' | 'confirmed' | 'lifted' | 'ended';
  until: number | null;
  provisionalUntil: number;
  byPerson: boolean;
  /** The rules that support the block, and whether each one is confirmed. */
  grounds: Map<string, boolean>;
}

const RULES = ['kr-50', 'burst'] as const;
const EVENTS = ['fired', 'confirmed', 'unconfirmed', 'unsupported'] as const;

function isOpen(model: Model | undefined): model is Model {
  return model?.state === 'provisional' || model?.state === 'confirmed';
}

function close(model: Model, state: 'lifted' | 'ended'): void {
  model.state = state;
  model.until = null;
}

/** Applies a decision. @returns the resulting block */
function decided(
  model: Model | undefined,
  event: (typeof EVENTS)[number],
  rule: string,
  now: number,
): Model | undefined {
  if (!isOpen(model)) {
    if (event !== 'fired') return model;
    const until = now + 72 * HOUR;
    return {
      state: 'provisional',
      until,
      provisionalUntil: until,
      byPerson: false,
      grounds: new Map([[rule, false]]),
    };
  }
  if (event === 'fired') model.grounds.set(rule, model.grounds.get(rule) ?? false);
  else if (!model.grounds.has(rule)) return model;
  else if (event === 'confirmed') {
    model.grounds.set(rule, true);
    if (model.state === 'provisional') Object.assign(model, { state: 'confirmed', until: now + 90 * DAY });
  } else if (event === 'unconfirmed' || model.grounds.size > 1) {
    if (event === 'unconfirmed') model.grounds.set(rule, false);
    else model.grounds.delete(rule);
    const isHeld =
      model.state !== 'confirmed' || model.byPerson || [...model.grounds.values()].includes(true);
    if (isHeld) return model;
    if (model.provisionalUntil > now)
      Object.assign(model, { state: 'provisional', until: model.provisionalUntil });
    else close(model, 'lifted');
  } else if (!model.byPerson) close(model, 'lifted');
  return model;
}

const SUBJECTS = 3;
const step = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      subject: fc.nat(SUBJECTS - 1),
      event: fc.constantFrom(...EVENTS, 'fired' as const),
      rule: fc.constantFrom(...RULES),
      /** What the coordinator does with the next batch. */
      fault: fc.constantFrom(null, null, 'before' as const, 'after' as const),
    }),
    weight: 12,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      subject: fc.nat(SUBJECTS - 1),
      action: fc.constantFrom('confirm' as const, 'lift' as const),
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(HOUR, 40 * HOUR, 90 * DAY),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ kind: fc.constant('stop' as const) }), weight: 1 },
);

/** Reaches every state. A few random steps might not. */
const EVERY_STATE = [
  { kind: 'decide', subject: 0, event: 'fired', rule: 'kr-50', fault: 'after' },
  { kind: 'wait', ms: 90 * DAY },
  { kind: 'decide', subject: 1, event: 'fired', rule: 'kr-50', fault: null },
  { kind: 'decide', subject: 1, event: 'confirmed', rule: 'kr-50', fault: 'before' },
  { kind: 'act', subject: 1, action: 'lift' },
] as const;

test('blocks are as a plain model has them, and the live layer has exactly those in force', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  await putRule('burst', { distinct: 30 });
  await desk().reportKey();
  let fault: 'before' | 'after' | null = null;
  watch((call) => {
    if (call !== 'applyRuleEntries') return null;
    const now = fault;
    fault = null;
    return now;
  });
  let base = 0;
  const reached = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      base += 1_000;
      const models = new Map<number, Model>();
      for (const each of steps) {
        const now = Date.now();
        if (each.kind === 'decide') {
          const { subject, event, rule } = each;
          fault = each.fault;
          const some = { id: rule, event };
          await desk().decide('0', ++batch, [await decision(base + subject * 100, some)]);
          const model = decided(models.get(subject), event, rule, now);
          if (model !== undefined) models.set(subject, model);
        } else if (each.kind === 'act') {
          const { subject, action } = each;
          const model = models.get(subject);
          const [block] = await blocksOf(base + subject * 100);
          if (block === undefined) continue;
          const isPossible = isOpen(model) && (action === 'lift' || !model.byPerson);
          const done = await desk().act(asPerson(), Number(block.id), action);
          expect([action, done.ok]).toEqual([action, isPossible]);
          if (!isPossible) continue;
          if (action === 'lift') close(model, 'lifted');
          else {
            if (model.state === 'provisional') model.until = now + 90 * DAY;
            Object.assign(model, { state: 'confirmed', byPerson: true });
          }
        } else if (each.kind === 'wait') {
          vi.setSystemTime(now + each.ms);
          await runDurableObjectAlarm(deskStub());
          for (const [subject, model] of models) {
            // The desk may have forgotten the block by now.
            if (!isOpen(model) && each.ms >= 90 * DAY) models.delete(subject);
            if (isOpen(model) && model.until! <= Date.now()) close(model, 'ended');
          }
        } else await evictDurableObject(deskStub());
        await recovered();
        for (const [subject, model] of models) {
          const index = base + subject * 100;
          const [block] = await blocksOf(index);
          const until = model.until === null ? null : new Date(model.until).toISOString();
          expect(block).toMatchObject({ state: model.state, until, pending: false });
          const stages = isOpen(model) ? [{ op: 'block', stage: model.state, until }] : [];
          expect(await entriesOf(index)).toMatchObject(stages);
          reached.add(model.state);
        }
      }
    }),
    { numRuns: 6, examples: [[[...EVERY_STATE]]] },
  );
  expect(reached).toEqual(new Set(['provisional', 'confirmed', 'lifted', 'ended']));
});
