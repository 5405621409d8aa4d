/** Mobile numbers that send many texts through a client. Their owners are notified once a day, whatever dies at any time. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import * as v from 'valibot';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { clientSchema } from '../../../shared/clients.ts';
import { USAGE_COMMIT_MS } from '../../../shared/limits/control.ts';
import {
  MOBILE_SENDERS_PER_DAY_MAX,
  NOTICE_RETRY_MS_MAX,
  OWNER_USED_SETTINGS_MS,
  OWNER_USED_TEXTS_DEFAULT,
  OWNERS_PER_CLIENT_DAY_MAX,
} from '../../../shared/limits/notice-sources.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { type UsageFlush, usageObjectName } from '../../../shared/usage/flush.ts';
import type { MobileSenderTexts } from '../../../shared/usage/mobile-senders.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { OwnerFact } from '../../../workers/storage/notice-sources-port.ts';
import type { NoticeRouterObject } from '../../../workers/storage/notices-port.ts';
import type { UsageObject } from '../../../workers/storage/usage-port.ts';
import { UsageStore } from '../../../workers/usage/usage-store.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { ANY } from '../support/room.ts';
import { noticesOf, putMember, putOperators, router, routerStub } from '../support/router.ts';

const CLIENT = 'acme-main';
/** 09:00 in Korea. */
const MORNING = Date.parse('2040-01-02T00:00:00Z');
const DAY_MS = 24 * HOUR_MS;
/** A number of `skt`. */
const NUMBER = 82_10_2000_1234;
const N = OWNER_USED_TEXTS_DEFAULT;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: MORNING });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

function stubOf(shard = 0): DurableObjectStub {
  return env.USAGE!.getByName(usageObjectName(CLIENT, shard)) as unknown as DurableObjectStub;
}

function flushOf(isolate: string, flush: number, mobile: MobileSenderTexts, shard = 0): UsageFlush {
  const counts = { totals: { numbers: 1 }, by: {} };
  const hour = Math.floor(Date.now() / HOUR_MS);
  return { client: CLIENT, isolate, flush, hour, counts, shard, shards: 4, mobile };
}

async function apply(...flushes: readonly UsageFlush[]): Promise<void> {
  for (const flush of flushes) {
    // A busy object waits between two commits.
    vi.setSystemTime(Date.now() + USAGE_COMMIT_MS);
    await (stubOf(flush.shard) as unknown as UsageObject).apply(flush);
  }
}

/** Waits until everything has reached the stores of the receivers. */
async function sent(): Promise<void> {
  await vi.waitFor(async () => {
    for (const shard of [0, 1]) {
      await runInDurableObject(stubOf(shard), (_, { storage }) => storage.setAlarm(Date.now()));
      await runDurableObjectAlarm(stubOf(shard));
      const waits = await runInDurableObject(stubOf(shard), (_, { storage }) => {
        const { texts } = new UsageStore(storage);
        return [texts.nextTexts(), texts.nextFacts()];
      });
      expect(waits).toEqual([null, null]);
    }
    await runDurableObjectAlarm(routerStub());
    expect((await router().status()).waiting).toBe(0);
  }, HANG_MS);
}

describe('through the real stores', () => {
  beforeEach(async () => {
    await putMember('acme', { senderCode: 'ACME0001' });
    await putOperators('skt', 'kt');
    const client = v.parse(clientSchema, {
      ...{ id: CLIENT, secretSha256: ['0'.repeat(64)], organisation: 'acme', rights: ['check'] },
    });
    unwrap(await coordinator().putClient(asAdmin(), CLIENT, client, ANY));
  });

  test('N texts give no notice, and one more gives one to the operator of the number', async () => {
    await apply(flushOf('a', 1, [[NUMBER, N - 200]]), flushOf('b', 1, [[NUMBER, 200]]));
    // Repeated flushes count once.
    await apply(flushOf('a', 1, [[NUMBER, N - 200]]), flushOf('b', 1, [[NUMBER, 200]]));
    await sent();
    expect(await noticesOf('skt')).toEqual([]);
    await evictDurableObject(stubOf());
    // Another isolate, which counts in another object of the client.
    await apply(flushOf('c', 1, [[NUMBER, 1]], 1));
    await apply(flushOf('c', 1, [[NUMBER, 1]], 1));
    await sent();
    const notices = await noticesOf('skt');
    expect(notices).toMatchObject([
      {
        ...{ type: 'kr.numgate.owner.used.v1', mock: false, respondBy: null },
        data: { number: '+821020001234', day: '2040-01-02', textsOver: N, senderCode: 'ACME0001' },
      },
    ]);
    expect(notices[0]!.subject).toMatch(/^[\w-]{22}$/);
    await apply(flushOf('a', 2, [[NUMBER, 10 * N]]), flushOf('c', 2, [[NUMBER, 10 * N]], 1));
    await sent();
    expect(await noticesOf('skt')).toHaveLength(1);
    expect(await noticesOf('kt')).toEqual([]);
  });

  test('each day in Korea is counted alone, and another client gives no second notice', async () => {
    await apply(flushOf('a', 1, [[NUMBER, N]]));
    // 00:00 in Korea.
    vi.setSystemTime(MORNING + 15 * HOUR_MS);
    await apply(flushOf('a', 2, [[NUMBER, N]]));
    await sent();
    expect(await noticesOf('skt')).toEqual([]);
    await apply(flushOf('a', 3, [[NUMBER, 1]]));
    await sent();
    const fact = { number: NUMBER, day: Math.floor(MORNING / DAY_MS) + 1, textsOver: N, at: Date.now() };
    await router().ownersUsed('usage/other', 1, [{ ...fact, client: 'other' }]);
    await sent();
    expect((await noticesOf('skt')).map(({ data }) => data.day)).toEqual(['2040-01-03']);
  });

  test('the policy sets the limit', async () => {
    const { policy } = await coordinator().policy();
    unwrap(await coordinator().putPolicy(asAdmin(), { ...policy, ownerUsedTexts: 20 }, ANY));
    await apply(
      flushOf('a', 1, [
        [NUMBER, 20],
        [NUMBER + 1, 21],
      ]),
    );
    await sent();
    expect((await noticesOf('skt')).map(({ data }) => data.number)).toEqual(['+821020001235']);
    unwrap(await coordinator().putPolicy(asAdmin(), { ...policy, ownerUsedTexts: 10 }, ANY));
    vi.setSystemTime(Date.now() + OWNER_USED_SETTINGS_MS + 1);
    await apply(flushOf('a', 2, [[NUMBER, 1]]));
    await sent();
    expect(await noticesOf('skt')).toHaveLength(2);
  });
});

type Fault = 'before' | 'after' | null;

/** The objects that a client's objects call. They can fail. */
class World {
  readonly facts: OwnerFact[] = [];
  readonly #lasts = new Map<string, number>();
  fault: () => Fault = () => null;

  /** Replaces the environment of an object. The object's end removes this. */
  async surround(object: DurableObjectStub): Promise<void> {
    await runInDurableObject(object, (instance) => {
      const surrounded = instance as unknown as { env: ControlEnv };
      const { USAGE } = surrounded.env;
      const first = (name: string): Partial<UsageObject> => ({
        addTexts: (...args) => this.#call(() => USAGE!.getByName(name).addTexts(...args)),
      });
      const settings = { ownerUsedTexts: () => this.#call(async () => LIMIT) };
      const router: Partial<NoticeRouterObject> = {
        ownersUsed: (...args) => this.#call(async () => this.#take(...args)),
      };
      const replaced = {
        COORDINATOR: { getByName: () => settings },
        USAGE: { getByName: first },
        NOTICE_ROUTER: { getByName: () => router },
      };
      Object.defineProperty(surrounded, 'env', {
        value: { ...surrounded.env, ...replaced },
        configurable: true,
      });
    });
  }

  #take(sender: string, n: number, facts: readonly OwnerFact[]): { last: number } {
    const last = this.#lasts.get(sender) ?? 0;
    if (n <= last) return { last };
    expect(n).toBe(last + 1);
    this.#lasts.set(sender, n);
    this.facts.push(...facts);
    return { last: n };
  }

  async #call<Value>(make: () => Promise<Value>): Promise<Value> {
    const fault = this.fault();
    if (fault === 'before') throw new Error('it does not respond');
    const made = await make();
    if (fault === 'after') throw new Error('the answer is lost');
    return made;
  }
}

const LIMIT = 10;
const SHARDS = [0, 1, 2];

interface Given {
  readonly shard: number;
  readonly number: number;
  readonly texts: number;
  readonly isRepeated: boolean;
}
type Step = Given | 'restart';
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ shard: fc.nat(2), number: fc.nat(2), texts: fc.integer({ min: 1, max: 8 }) },
      isRepeated: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
);

let runs = 0;

test('any flushes, sent again, through failures and restarts: each number over the limit is one fact', async () => {
  const faults = fc.array(fc.constantFrom<Fault>(null, null, 'before', 'after'), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 16 }), faults, async (steps, results) => {
      const client = `client-${++runs}`;
      const world = new World();
      let calls = 0;
      world.fault = () => results[calls++] ?? null;
      const objects = SHARDS.map(
        (shard) => env.USAGE!.getByName(usageObjectName(client, shard)) as unknown as DurableObjectStub,
      );
      for (const object of objects) await world.surround(object);
      const model = new Map<number, number>();
      for (const [index, each] of steps.entries()) {
        if (each === 'restart') {
          for (const object of objects) await evictDurableObject(object);
          for (const object of objects) await world.surround(object);
          continue;
        }
        const { shard, number, texts, isRepeated } = each;
        const flush = {
          ...flushOf(`isolate-${shard}`, index + 1, [[NUMBER + number, texts]], shard),
          client,
        };
        const object = objects[shard] as unknown as UsageObject;
        for (let times = isRepeated ? 2 : 1; times > 0; times--) {
          vi.setSystemTime(Date.now() + USAGE_COMMIT_MS);
          await object.apply(flush);
        }
        model.set(number, (model.get(number) ?? 0) + texts);
      }
      world.fault = () => null;
      // The second round processes what the first round brought to the first object.
      for (const object of [...objects.toReversed(), ...objects]) {
        vi.setSystemTime(Date.now() + NOTICE_RETRY_MS_MAX + 1);
        await runInDurableObject(object, (instance) =>
          (instance as unknown as { alarm(): Promise<void> }).alarm(),
        );
      }
      const over = [...model].filter(([, texts]) => texts > LIMIT).map(([number]) => NUMBER + number);
      expect(world.facts.map(({ number }) => number).sort()).toEqual(over.sort());
      expect(world.facts.every((fact) => fact.client === client && fact.textsOver === LIMIT)).toBe(true);
    }),
    { numRuns: 8 },
  );
});

describe('bounds', () => {
  test('owners beyond those of a day are dropped and counted, and numbers beyond are counted as uncounted', async () => {
    await runInDurableObject(stubOf(), async (_, { storage }) => {
      const store = new UsageStore(storage);
      const numbers = Array.from({ length: MOBILE_SENDERS_PER_DAY_MAX + 7 }, (__, index) => NUMBER + index);
      const mobile = numbers.map((n, index): [number, number] => [
        n,
        index < OWNERS_PER_CLIENT_DAY_MAX + 3 ? 11 : 1,
      ]);
      store.commit([flushOf('a', 1, mobile)], Date.now());
      const { totals } = store.periods(0, 1e9)[0]!.counts;
      expect(totals.uncountedTexts).toBe(7);
      store.makeFacts(10, Date.now());
      let facts = 0;
      for (let batch = store.texts.nextFacts(); batch !== null; batch = store.texts.nextFacts()) {
        facts += batch.facts.length;
        storage.transactionSync(() => store.texts.sent('owner_facts', batch!.n, batch!.n));
      }
      expect(facts).toBe(OWNERS_PER_CLIENT_DAY_MAX);
      expect(store.texts.meta.number('ownersDropped')).toBe(3);
      // None of the dropped owners is tried again.
      store.makeFacts(10, Date.now());
      expect(store.texts.nextFacts()).toBeNull();
    });
  });
});
