/**
 * One load for many requests: what each request gets if the load succeeds, fails, is late, or ends with the
 * request that began it.
 */
import { createExecutionContext } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { LOAD_BACKOFF_MS, LOAD_WAIT_MS } from '../../../shared/limits/edge.ts';
import { SingleFlight, Unavailable } from '../../../workers/storage/single-flight.ts';
import { coldIsolate } from '../support/isolate.ts';

coldIsolate();

const ctx = createExecutionContext();

/** A flight with a value to load, and a count of loads. Each load behaves like the next given function. */
class Scene {
  readonly flight = new SingleFlight();
  loads = 0;
  loaded = false;
  readonly #ways: (() => Promise<void>)[];

  constructor(...ways: (() => Promise<void>)[]) {
    this.#ways = ways;
  }

  readonly load = (): Promise<void> => {
    this.loads++;
    const way = this.#ways.length > 1 ? this.#ways.shift()! : this.#ways[0]!;
    return way();
  };

  readonly arrive = async (): Promise<void> => {
    this.loaded = true;
  };

  wait(): Promise<void> {
    return this.flight.wait(this.load, () => this.loaded, ctx);
  }

  /** The results of `count` concurrent waiters: 'loaded', or the name of an error. */
  async crowd(count: number): Promise<string[]> {
    const waiting = Array.from({ length: count }, () => this.wait());
    return Promise.all(waiting.map((one) => settle(one)));
  }
}

function settle(waiting: Promise<void>): Promise<string> {
  return waiting.then(
    () => 'loaded',
    (error: unknown) => (error instanceof Unavailable ? 'unavailable' : String(error)),
  );
}

const never = (): Promise<void> => new Promise(() => undefined);
const broken = async (): Promise<void> => {
  throw new Error('broken');
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
});

describe('a load that succeeds', () => {
  test('serves a crowd with one load', async () => {
    const scene: Scene = new Scene(() => scene.arrive());
    expect(new Set(await scene.crowd(50))).toEqual(new Set(['loaded']));
    expect(scene.loads).toBe(1);
  });

  test('leaves no timer', async () => {
    const scene: Scene = new Scene(() => scene.arrive());
    await scene.crowd(5);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a load that fails', () => {
  test('fails at once for a crowd, with one load', async () => {
    const scene = new Scene(broken);
    expect(new Set(await scene.crowd(20))).toEqual(new Set(['unavailable']));
    expect(scene.loads).toBe(1);
  });

  test('is not tried again before the backoff ends, and then once', async () => {
    const scene: Scene = new Scene(broken, () => scene.arrive());
    await scene.crowd(1);
    vi.setSystemTime(Date.now() + LOAD_BACKOFF_MS - 1);
    expect(await scene.crowd(20)).toEqual(Array(20).fill('unavailable'));
    scene.flight.refresh(scene.load, ctx);
    expect(scene.loads).toBe(1);
    vi.setSystemTime(Date.now() + 1);
    expect(await scene.crowd(20)).toEqual(Array(20).fill('loaded'));
    expect(scene.loads).toBe(2);
  });

  test('fails as Unavailable when it throws immediately', async () => {
    const scene = new Scene(broken);
    expect(await settle(scene.wait())).toBe('unavailable');
  });
});

describe('a load that hangs', () => {
  test('keeps no request waiting longer than LOAD_WAIT_MS', async () => {
    const scene = new Scene(never);
    const crowd = scene.crowd(20);
    await vi.advanceTimersByTimeAsync(LOAD_WAIT_MS);
    expect(await crowd).toEqual(Array(20).fill('unavailable'));
    expect(scene.loads).toBeLessThanOrEqual(2);
  });

  test('is loaded again by later requests, once', async () => {
    const scene: Scene = new Scene(never, () => scene.arrive());
    const creator = settle(scene.wait());
    await vi.advanceTimersByTimeAsync(LOAD_WAIT_MS);
    expect(await creator).toBe('unavailable');
    expect(await scene.crowd(19)).toEqual(Array(19).fill('loaded'));
    expect(scene.loads).toBe(2);
  });
});

describe('a load whose creator dies', () => {
  /**
   * A promise of a request that ends. Nothing chained to it there runs any more, and another request that
   * awaits it gets the error of the runtime.
   */
  function mortal(): { load: () => Promise<void>; end: () => void } {
    const { promise, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    const inside = new Promise<void>(() => undefined);
    inside.catch = () => inside as Promise<never>;
    inside.finally = () => promise;
    const end = (): void => reject(new Error('This promise was created by a request that has since ended'));
    return { load: () => inside, end };
  }

  test('is loaded again by those that already wait, once', async () => {
    const creator = mortal();
    const scene: Scene = new Scene(creator.load, () => scene.arrive());
    const crowd = scene.crowd(20);
    creator.end();
    expect((await crowd).slice(1)).toEqual(Array(19).fill('loaded'));
    expect(scene.loads).toBe(2);
  });

  test('is loaded again by later requests, once', async () => {
    const creator = mortal();
    const scene: Scene = new Scene(creator.load, () => scene.arrive());
    scene.flight.refresh(scene.load, ctx);
    creator.end();
    expect(await scene.crowd(20)).toEqual(Array(20).fill('loaded'));
    expect(scene.loads).toBe(2);
  });
});

describe('a refresh', () => {
  test('is one load for any number of calls', async () => {
    const scene = new Scene(never);
    for (let call = 0; call < 20; call++) scene.flight.refresh(scene.load, ctx);
    expect(scene.loads).toBe(1);
  });

  test('that hangs is replaced by another after LOAD_WAIT_MS', () => {
    const scene = new Scene(never);
    scene.flight.refresh(scene.load, ctx);
    vi.setSystemTime(Date.now() + LOAD_WAIT_MS);
    scene.flight.refresh(scene.load, ctx);
    expect(scene.loads).toBe(2);
  });
});
