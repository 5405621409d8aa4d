/** Checks items at the edge continuously, as a client with traffic does, and measures when a change becomes visible. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Planes } from './planes.ts';

/** Interval between two requests of the reader, in ms. */
export const CHECK_EVERY_MS = 50;
/** Longest wait for a change, in ms. */
const WAIT_MS = 60_000;

interface Watched {
  readonly item: object;
  readonly verdict: string;
  readonly seen: () => void;
}

export class VisibleReader {
  readonly #planes: Planes;
  readonly #other: object;
  readonly #watched = new Set<Watched>();
  #stopped = false;
  #failure: unknown = null;

  /** @param other an item that is always checked, so that there is traffic when no item is watched */
  constructor(planes: Planes, other: object) {
    this.#planes = planes;
    this.#other = other;
    void this.#run();
  }

  async #run(): Promise<void> {
    for (; !this.#stopped; await sleep(CHECK_EVERY_MS)) {
      const watched = [...this.#watched];
      try {
        const verdicts = await this.#planes.check([this.#other, ...watched.map(({ item }) => item)]);
        for (const [index, { verdict, seen }] of watched.entries())
          if (verdicts[index + 1] === verdict) seen();
      } catch (error) {
        this.#failure = error;
      }
    }
  }

  /** Makes a change. @param verdict that shows the change @returns ms until the edge returns the verdict */
  async time(item: object, verdict: string, change: () => Promise<unknown>): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = performance.now();
    const watched = { item, verdict, seen: resolve };
    this.#watched.add(watched);
    await change();
    const late = setTimeout(
      () => reject(new Error(`not visible after ${WAIT_MS} ms: ${String(this.#failure)}`)),
      WAIT_MS,
    );
    await promise.finally(() => clearTimeout(late));
    this.#watched.delete(watched);
    return performance.now() - start;
  }

  stop(): void {
    this.#stopped = true;
  }
}
