/**
 * How long a block and an unblock take to become visible to a reader. Control and edge run as two Workers in
 * two processes (`wrangler dev`), connected as in a separate deployment. Numbers are blocked at random times
 * and checked continuously. The measured time runs from before the change is sent to the first response that
 * shows it, which is what an admin experiences.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row } from '../lib/table.ts';
import { type Planes, startPlanes } from '../simulation/planes.ts';

/** Target at p99, wherever there is traffic. */
const TARGET_MS = 15_000;
/** Interval between two requests of the reader, in ms. */
const CHECK_EVERY_MS = 50;
/** Longest wait for a change, in ms. */
const WAIT_MS = 60_000;

type Op = 'block' | 'unblock';

export async function visibleBench({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 3 : 100;
  const spreadMs = small ? 2_000 : 60_000;
  const random = randomFrom(seed + 5);
  const planes = await startPlanes();
  const reader = new Reader(planes);
  const timesMs: Record<Op, number[]> = { block: [], unblock: [] };
  const changes = Array.from({ length: count }, async (_, index) => {
    const number = `+8210${50_000_000 + index * 1_009}`;
    await sleep(random() % spreadMs);
    timesMs.block.push(await reader.time(number, 'block'));
    await sleep(random() % (spreadMs / 4));
    timesMs.unblock.push(await reader.time(number, 'unblock'));
  });
  await Promise.all(changes);
  reader.stop();
  planes.stop();
  const baseline = `${count} changes, two processes, checked every ${CHECK_EVERY_MS} ms`;
  return (['block', 'unblock'] as const).flatMap((op) => [
    row(`${op} to visible, p50`, quantile(timesMs[op], 0.5), 'ms', baseline),
    row(`${op} to visible, p99`, quantile(timesMs[op], 0.99), 'ms', baseline, null, TARGET_MS),
    row(`${op} to visible, max`, quantile(timesMs[op], 1), 'ms', baseline),
  ]);
}

interface Watched {
  readonly verdict: string;
  readonly seen: () => void;
}

/** Checks all watched numbers at the edge continuously, as a client with traffic does. */
class Reader {
  readonly #planes: Planes;
  readonly #watched = new Map<string, Watched>();
  #stopped = false;
  #failure: unknown = null;

  constructor(planes: Planes) {
    this.#planes = planes;
    void this.#run();
  }

  async #run(): Promise<void> {
    for (; !this.#stopped; await sleep(CHECK_EVERY_MS)) {
      const watched = [...this.#watched];
      try {
        const verdicts = await this.#planes.check(['+821099999999', ...watched.map(([number]) => number)]);
        for (const [index, [, { verdict, seen }]] of watched.entries())
          if (verdicts[index + 1] === verdict) seen();
      } catch (error) {
        this.#failure = error;
      }
    }
  }

  /** Makes a change. @returns ms until the edge shows it */
  async time(number: string, op: Op): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = performance.now();
    this.#watched.set(number, { verdict: op === 'block' ? 'block' : 'allow', seen: resolve });
    await this.#planes.change(op, number);
    const late = setTimeout(
      () => reject(new Error(`not visible after ${WAIT_MS} ms: ${String(this.#failure)}`)),
      WAIT_MS,
    );
    await promise.finally(() => clearTimeout(late));
    this.#watched.delete(number);
    return performance.now() - start;
  }

  stop(): void {
    this.#stopped = true;
  }
}
