/**
 * A clock for simulations that jumps from event to event. A process is a generator that yields its waits in
 * ms. Time is in whole ms. Events of the same ms run in the order in which they were scheduled, so equal seeds
 * give equal runs. O(1) per event: one bucket per ms.
 */

/** Yields waits in ms. A process that runs another one with `yield*` gets its return value. */
export type Process<Result = void> = Generator<number, Result, void>;

/** Replaces buckets that have run. */
const NONE: Process[] = [];

export class FakeClock {
  now = 0;
  readonly #buckets: Process[][];

  /** @param endMs end of the simulation; later events are dropped */
  constructor(endMs: number) {
    this.#buckets = new Array<Process[]>(endMs);
  }

  /** Starts a process, now or after a delay. */
  begin(process: Process, inMs = 0): void {
    const at = this.now + Math.round(inMs);
    if (at >= this.#buckets.length) return;
    const bucket = this.#buckets[at];
    if (bucket === undefined) this.#buckets[at] = [process];
    else bucket.push(process);
  }

  run(): void {
    for (this.now = 0; this.now < this.#buckets.length; this.now++) {
      const bucket = this.#buckets[this.now];
      if (bucket === undefined) continue;
      // The bucket may grow while it runs, because a wait of 0 ms is added to it.
      for (const process of bucket) {
        const step = process.next();
        if (step.done !== true) this.begin(process, step.value);
      }
      this.#buckets[this.now] = NONE;
    }
  }
}
