/**
 * How long a block and an unblock take to become visible to a reader. Control and edge run as two Workers in
 * two processes (`wrangler dev`), connected as in a separate deployment. Numbers are blocked at random times
 * and checked continuously. The measured time runs from before the change is sent to the first response that
 * shows it, which is what an admin experiences.
 */

import type { BenchOptions } from './options.ts';
import { type Planes, planes } from './planes.ts';
import { type Row, row } from './row.ts';
import { randomFrom } from './sets.ts';

/** design.md: everywhere with traffic, 15 s at p99. */
const REACH_MS = 15_000;
/** Interval between two requests of the reader, in ms. */
const ASK_EVERY_MS = 50;
/** Longest wait for a change, in ms. */
const WAIT_MS = 60_000;

interface Watched {
  readonly number: string;
  /** The expected verdict. */
  awaited: string;
  since: number;
  seen: (ms: number) => void;
}

export async function visibleBench({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 3 : 100;
  const spreadMs = small ? 2_000 : 60_000;
  const random = randomFrom(seed + 5);
  const between = (from: number, to: number): number => from + (random() % (to - from));
  const running = await planes();
  const reader = new Reader(running);
  try {
    const blocks: number[] = [];
    const unblocks: number[] = [];
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const number = `+8210${50_000_000 + index * 1_009}`;
        await sleep(between(0, spreadMs));
        blocks.push(await reader.timed(number, 'block', () => running.change('block', number)));
        await sleep(between(0, spreadMs / 4));
        unblocks.push(await reader.timed(number, 'allow', () => running.change('unblock', number)));
      }),
    );
    const peer = `${count} changes, two processes, asked every ${ASK_EVERY_MS} ms`;
    return [blocks, unblocks].flatMap((times, index) => {
      const what = index === 0 ? 'block' : 'unblock';
      times.sort((a, b) => a - b);
      return [
        row(`${what} to visible, p50`, quantile(times, 0.5), 'ms', peer, null, null),
        row(`${what} to visible, p99`, quantile(times, 0.99), 'ms', peer, null, REACH_MS),
        row(`${what} to visible, max`, times.at(-1)!, 'ms', peer, null, null),
      ];
    });
  } finally {
    reader.stop();
    await running.stop();
  }
}

/** Checks all watched numbers at the edge continuously, as a client with traffic does. */
class Reader {
  readonly #watched = new Map<string, Watched>();
  readonly #planes: Planes;
  #stopped = false;
  #failure: unknown = null;

  constructor(planes: Planes) {
    this.#planes = planes;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const numbers = [...this.#watched.keys()];
        const verdicts = await this.#planes.check(numbers.length === 0 ? ['+821099999999'] : numbers);
        const now = performance.now();
        numbers.forEach((number, index) => {
          const watched = this.#watched.get(number);
          if (watched !== undefined && watched.awaited === verdicts[index]) watched.seen(now - watched.since);
        });
      } catch (error) {
        this.#failure = error;
      }
      await sleep(ASK_EVERY_MS);
    }
  }

  /** @returns ms until the edge returned this verdict */
  async timed(number: string, awaited: string, change: () => Promise<unknown>): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#watched.set(number, { number, awaited, since: performance.now(), seen: resolve });
    await change();
    const late = sleep(WAIT_MS).then(() => {
      throw new Error(`not visible after ${WAIT_MS} ms: ${String(this.#failure)}`);
    });
    const ms = await Promise.race([promise, late]);
    late.catch(() => undefined);
    this.#watched.delete(number);
    return ms;
  }

  stop(): void {
    this.#stopped = true;
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
