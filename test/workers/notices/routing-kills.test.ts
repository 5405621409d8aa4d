/**
 * The routing of the feed, whatever dies at any time. The parts of the router run on real tables, and any call to another
 * object can end them, either before the call or before its answer arrives. Then the parts of a new object continue. At the
 * end, each receiver has the same notices as after one undisturbed run, once and in order.
 */
import { runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import type { FeedEvent, PartyEntry } from '../../../shared/feed/entry.ts';
import { NOTICE_RETRY_MS_MAX } from '../../../shared/limits/notice-sources.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { FeedRouting } from '../../../workers/notices/feed-routing.ts';
import { Operators } from '../../../workers/notices/operators.ts';
import { RouterTables } from '../../../workers/notices/router-tables.ts';
import { NoticeOutbox } from '../../../workers/storage/notice-outbox.ts';
import type { NoticeObject } from '../../../workers/storage/notices-port.ts';
import { routerStub } from '../support/router.ts';

const TABLES = [
  'meta',
  'senders',
  'owners',
  'counters',
  'operator_days',
  'notice_outbox',
  'notice_receivers',
];
/** A number of `skt`, and a number that nobody has registered. */
const NUMBERS = ['+821020001234', '+821025005678'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

type Fault = 'before' | 'after' | null;

class Killed extends Error {}

/** The other objects: a feed of these events, and the data that the router reads. Any call can kill the router. */
class World {
  readonly kept = new Map<string, string[]>();
  readonly events: FeedEvent[] = [];
  readonly #last = new Map<string, number>();
  fault: () => Fault = () => null;

  #call<Value>(value: () => Value): Promise<Value> {
    const fault = this.fault();
    if (fault === 'before') return Promise.reject(new Killed());
    const made = value();
    return fault === 'after' ? Promise.reject(new Killed()) : Promise.resolve(made);
  }

  get env(): ControlEnv {
    const registered = (n: number): string[] => (n === Number(NUMBERS[0]) ? ['acme', 'skt'] : []);
    const add: NoticeObject['add'] = (organisation, _sender, n, notices) =>
      this.#call(() => {
        const last = this.#last.get(organisation) ?? 0;
        if (n <= last) return { last, isFull: false };
        this.#last.set(organisation, n);
        const keys = notices.map(({ key }) => key);
        this.kept.set(organisation, [...(this.kept.get(organisation) ?? []), ...keys]);
        return { last: n, isFull: false };
      });
    const operators = ['skt', 'kt'].map((id) => ({ id, authority: id, hasReader: true }));
    const objects = {
      FEED: {
        events: (after: number, limit: number) =>
          this.#call(() => {
            const events = this.events.slice(after, after + limit);
            return { events, first: 1, last: this.events.length };
          }),
      },
      REGISTRY: { organisationsOfEach: (all: number[]) => this.#call(() => all.map(registered)) },
      COORDINATOR: { noticeOperators: () => this.#call(() => operators) },
      RESPONSE: { reportKey: () => this.#call(() => new Uint8Array(32)) },
      SUBJECTS: { reported: (all: string[]) => this.#call(() => all.map(() => null)) },
      NOTICES: { add },
    };
    const competing = () => this.#call(() => [{ id: '1', inForce: true }]);
    const bindings = Object.entries(objects).map(([name, stub]) => [name, { getByName: () => stub }]);
    const all = { ...Object.fromEntries(bindings), REGISTRATIONS: { getByName: () => ({ competing }) } };
    return all as unknown as ControlEnv;
  }
}

/** One life of the router. @returns whether it has finished */
async function live(storage: DurableObjectStorage, world: World): Promise<boolean> {
  const { env } = world;
  const outbox = new NoticeOutbox(
    storage,
    () => 'router',
    () => env.NOTICES,
  );
  const routing = new FeedRouting(storage, env, new RouterTables(storage), outbox, new Operators(env));
  try {
    while (await routing.step());
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return false;
  }
  await outbox.run();
  return outbox.waiting === 0;
}

const FROM = { source: null, subject: 'from', effect: 'block', code: 'SENDER_REPORTED' } as const;
const BLOCK = {
  ...FROM,
  authority: 'numgate',
  list: 'live',
  rule: 'kr-50@1',
  stage: 'provisional',
  until: null,
};
const entries: readonly (Omit<PartyEntry, 'number'> | null)[] = [
  ...[
    null,
    BLOCK as Omit<PartyEntry, 'number'>,
    { ...BLOCK, stage: 'confirmed' } as Omit<PartyEntry, 'number'>,
  ],
  {
    ...FROM,
    effect: 'allow',
    code: null,
    authority: 'root',
    list: 'live',
    rule: null,
    stage: null,
    until: null,
  },
  { ...FROM, code: 'NUMBER_SUSPENDED', authority: 'kt', list: 'live', rule: null, stage: null, until: null },
];
interface Given {
  readonly number: number;
  readonly entry: Omit<PartyEntry, 'number'> | null;
}
const given: fc.Arbitrary<Given> = fc.record({ number: fc.nat(1), entry: fc.constantFrom(...entries) });

function eventsOf(all: readonly Given[], from: number): (FeedEvent & { before: null })[] {
  return all.map(({ number, entry }, index) => ({
    ...{
      position: from + index + 1,
      epoch: 1,
      reference: `reference-${number}`,
      digest: `d${from + index + 1}`,
    },
    ...{
      at: '2026-11-27T00:00:00.000Z',
      before: null,
      entry: entry && { ...entry, number: NUMBERS[number]! },
    },
  }));
}

test('each receiver gets what one undisturbed run gives it, once and in order', async () => {
  await runInDurableObject(routerStub(), async (_, { storage }) => {
    const clean = (): void => {
      for (const table of TABLES) storage.sql.exec(`DELETE FROM ${table}`);
    };
    const faults = fc.array(fc.constantFrom<Fault>(null, null, null, 'before', 'after'), { maxLength: 60 });
    const pages = fc.array(fc.array(given, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(pages, faults, async (all, results) => {
        const run = async (faulty: boolean): Promise<World> => {
          clean();
          const world = new World();
          let calls = 0;
          if (faulty) world.fault = () => results[calls++] ?? null;
          for (const page of all) {
            world.events.push(...eventsOf(page, world.events.length));
            // The next page may arrive while the router is still dying.
            await live(storage, world);
          }
          while (!(await live(storage, world))) vi.setSystemTime(Date.now() + NOTICE_RETRY_MS_MAX);
          return world;
        };
        const [expected, faulty] = [await run(false), await run(true)];
        expect(faulty.kept).toEqual(expected.kept);
        for (const keys of faulty.kept.values()) expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: 60 },
    );
  });
});

test('a feed that began anew is read from its first event on, and blocks that are known are not told again', async () => {
  await runInDurableObject(routerStub(), async (_, { storage }) => {
    const world = new World();
    const block = { number: 0, entry: entries[1]! };
    world.events.push(...eventsOf([block, { number: 1, entry: entries[1]! }], 0));
    await live(storage, world);
    const before = new Map(world.kept);
    expect(before.get('acme')).toHaveLength(1);
    // As long as the old feed, but a different one.
    world.events.splice(
      0,
      2,
      ...eventsOf([block, block], 0).map((each) => ({ ...each, digest: `new${each.position}` })),
    );
    await live(storage, world);
    expect(world.kept).toEqual(before);
    world.events.push(...eventsOf([{ number: 0, entry: null }], 2));
    await live(storage, world);
    expect(world.kept.get('acme')).toHaveLength(2);
  });
});
