/**
 * A clock that jumps from event to event, for simulations: processes are generators that yield how long
 * they wait, in ms. Time is in whole ms; what falls into the same ms runs in the order it was begun in,
 * so equal seeds give equal runs. O(1) an event: a bucket for every ms.
 */

/** Yields waits in ms; may return something to a process that runs it with `yield*`. */
export type Process<Outcome = void> = Generator<number, Outcome, void>;

/** In place of buckets that have run. */
const NONE: Process[] = [];

export class FakeClock {
  now = 0;
  readonly #buckets: Process[][];

  /** @param endMs the simulation ends then; what would come later is forgotten */
  constructor(endMs: number) {
    this.#buckets = new Array<Process[]>(endMs);
  }

  /** Begin a process, now or after a while. */
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
      // It may grow while it is run: a wait of 0 ms comes back into it.
      for (const process of bucket) {
        const step = process.next();
        if (step.done !== true) this.begin(process, step.value);
      }
      this.#buckets[this.now] = NONE;
    }
  }
}
