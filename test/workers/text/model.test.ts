/**
 * Text releases compared with a plain model: random pushes, canaries, promotions, withdrawals and rollbacks, a KV that refuses
 * writes, and objects that die between any two calls or in the middle of one. A request that is repeated until it is answered
 * takes effect once. The head ends with the state of the model, its version never goes back, and KV has all values.
 */
import { abortAllDurableObjects, runDurableObjectAlarm } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { TextReleaseState } from '../../../shared/admin/text.ts';
import { TEXT_RELEASES_KEPT } from '../../../shared/limits/text.ts';
import type { StoreRequest, StoreResult } from '../../../workers/storage/store-request.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import type { BuiltText } from '../../shared/support/text-releases.ts';
import { coordinator, WRANGLER } from '../support/coordinator.ts';
import { watchPuts } from '../support/kv.ts';
import {
  asText,
  codeIn,
  headText,
  keysInKv,
  namesIn,
  promoting,
  readIndex,
  textRelease,
  textStub,
  texts,
} from '../support/text-store.ts';

const START = Date.UTC(2040, 0, 1);
/** More than HEAD_PART_INTERVAL_MS, so that no publication waits for real time. */
const STEP_MS = 10_000;
/** The number of releases, which are built once and pushed in any order, repeatedly. */
const BUILT = 12;

const which = fc.nat(BUILT - 1);
const dies = fc.boolean();
const step = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('push' as const), which, dies }), weight: 5 },
  {
    arbitrary: fc.record({
      ...{ kind: fc.constant('promote' as const), which, dies },
      share: fc.constantFrom(0.25, 0.5, 1, 1),
    }),
    weight: 7,
  },
  { arbitrary: fc.record({ kind: fc.constant('withdraw' as const), which, dies }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('rollback' as const), dies }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant('kv' as const), refuses: fc.boolean() }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('kill' as const) }), weight: 1 },
);

/** The state that an admin expects, without any object, table or head. */
class Model {
  /** Releases in the order of their pushes. */
  readonly #releases = new Map<string, TextReleaseState>();
  current: string | null = null;
  candidate: string | null = null;
  share = 0;
  #back: (string | null)[] = [];

  /** A release that is no longer kept cannot return, and neither can any before it. */
  get #before(): (string | null)[] {
    const lost = this.#back.findLastIndex((name) => name !== null && !this.#releases.has(name));
    return this.#back.slice(lost + 1).slice(-TEXT_RELEASES_KEPT);
  }

  get states(): [string, TextReleaseState][] {
    return [...this.#releases].reverse();
  }

  push(release: string): string {
    if (this.#releases.has(release)) return 'ok';
    this.#releases.set(release, 'pushed');
    const kept = [release, this.current, this.candidate, this.#before.at(-1)];
    for (const name of [...this.#releases.keys()])
      if (this.#releases.size > TEXT_RELEASES_KEPT && !kept.includes(name)) this.#releases.delete(name);
    return 'ok';
  }

  promote(release: string, share: number): string {
    const state = this.#releases.get(release);
    if (state === undefined) return 'TEXT_RELEASE_UNKNOWN';
    if (state === 'current' || (this.candidate !== null && this.candidate !== release))
      return 'RELEASE_STATE';
    this.#releases.set(release, share < 1 ? 'candidate' : 'current');
    this.candidate = share < 1 ? release : null;
    this.share = share;
    if (share < 1) return 'ok';
    if (this.current !== null) this.#releases.set(this.current, 'former');
    this.#back = [...this.#before, this.current];
    this.current = release;
    return 'ok';
  }

  withdraw(release: string): string {
    if (!this.#releases.has(release)) return 'TEXT_RELEASE_UNKNOWN';
    if (this.candidate !== release) return 'RELEASE_STATE';
    this.#releases.set(release, 'withdrawn');
    this.candidate = null;
    return 'ok';
  }

  rollBack(): string {
    if (this.candidate !== null) return this.withdraw(this.candidate);
    if (this.current === null) return 'ROLLBACK_IMPOSSIBLE';
    const back = [...this.#before];
    if (back.length === 0) return 'ROLLBACK_IMPOSSIBLE';
    this.#releases.set(this.current, 'withdrawn');
    this.current = back.pop() ?? null;
    if (this.current !== null) this.#releases.set(this.current, 'current');
    this.#back = back;
    return 'ok';
  }
}

test('the store and the head do what the plain model does, whatever dies', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  let isRefusing = false;
  watchPuts((key) =>
    isRefusing && key.startsWith('text/') ? Promise.reject(new Error('KV PUT failed: 500')) : null,
  );
  const built: BuiltText[] = [];
  for (let minute = 0; minute < BUILT; minute++)
    built.push(
      await textRelease({
        minute,
        weight: 1 + (minute % 5),
        hosts: { phishing: [`evil${minute % 3}.example`] },
      }),
    );
  const model = new Model();
  let requests = 0;
  let kills = 0;
  let changes = 0;
  let seen = 0;

  /** Repeats a request until it is answered, like a script. It takes effect once. */
  const send = async (
    isKilled: boolean,
    call: (request: StoreRequest) => Promise<StoreResult<unknown>>,
  ): Promise<string> => {
    const request = asText(`key-${++requests}`, `token:${requests}`);
    if (isKilled) {
      const sent = call(request).catch(() => null);
      // Kill in the middle of the request, after more turns of the event loop each time.
      for (let turn = requests % 7; turn > 0; turn--) await new Promise((resolve) => setTimeout(resolve, 0));
      await abortAllDurableObjects();
      kills++;
      await sent;
    }
    return codeIn(await call(request));
  };

  const act = async (each: typeof step extends fc.Arbitrary<infer Step> ? Step : never): Promise<void> => {
    vi.setSystemTime(Date.now() + STEP_MS);
    if (each.kind === 'kv') {
      isRefusing = each.refuses;
      return;
    }
    if (each.kind === 'kill') {
      await abortAllDurableObjects();
      kills++;
      return;
    }
    if (each.kind === 'rollback') {
      const answer = await send(each.dies, (request) => texts().rollBack(request, undefined));
      expect(answer).toBe(model.rollBack());
      return;
    }
    const { release, put } = built[each.which]!;
    if (each.kind === 'push')
      expect(await send(each.dies, (request) => texts().pushRelease(request, put))).toBe(model.push(release));
    else if (each.kind === 'withdraw')
      expect(await send(each.dies, (request) => texts().withdraw(request, release))).toBe(
        model.withdraw(release),
      );
    else {
      const options = promoting(model.current, {
        share: each.share,
        overrides: ['older-base', 'fewer-hosts'],
      });
      const answer = await send(each.dies, (request) => texts().promote(request, release, options));
      expect(answer).toBe(model.promote(release, each.share));
    }
    changes++;
  };

  const expectPublished = async (): Promise<void> => {
    const { version, published } = await texts().status();
    expect(published).toBe(version);
  };

  /** Checks that a reader finds the state of the model. */
  const expectHead = async (): Promise<void> => {
    const index = await readIndex();
    const { current, candidate, share } = model;
    expect([...namesIn(index), index.candidate?.share ?? 0]).toEqual([
      ...[current, candidate, candidate === null ? 0 : share],
    ]);
  };

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 50, size: 'max' }), async (steps) => {
      for (const each of steps) {
        await act(each);
        const version = (await headText())?.version ?? 0;
        expect(version).toBeGreaterThanOrEqual(seen);
        seen = version;
        const { version: made, published } = await texts().status();
        if (seen > 0 && published === made) await expectHead();
      }
      isRefusing = false;
      await vi.waitFor(async () => {
        vi.setSystemTime(Date.now() + STEP_MS);
        await runDurableObjectAlarm(textStub());
        await expectPublished();
      }, HANG_MS);
      const states = (await texts().releases()).map(({ release, state }) => [release, state]);
      expect(states).toEqual(model.states);
      const { current, candidate } = model;
      if (seen === 0) return;
      await expectHead();
      const wanted = built
        .filter(({ release }) => release === current || release === candidate)
        .flatMap(({ keys }) => keys);
      // The coordinator writes the values that KV refused. The test runs its cron, because its alarm follows the real clock.
      await vi.waitFor(async () => {
        vi.setSystemTime(Date.now() + STEP_MS);
        await coordinator().sweep(WRANGLER);
        expect(await keysInKv()).toEqual(expect.arrayContaining([...wanted, (await headText())!.index.key]));
      }, HANG_MS);
    }),
    { numRuns: 4, endOnFailure: true },
  );
  expect(kills).toBeGreaterThan(20);
  expect(changes).toBeGreaterThan(100);
});
