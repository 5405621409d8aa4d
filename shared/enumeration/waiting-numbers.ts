/**
 * Buffers numbers of one subject until a sketch processes them in one loop, and finds arithmetic progressions among
 * them. Senders and recipients are buffered apart, because a check has one of each.
 */

/** Numbers that wait, at most. */
export const WAITING = 256;
/** Length from which an arithmetic progression counts as a run. See STEPS_MIN in detect.ts. */
export const RUN_NUMBERS = 32;

export class WaitingNumbers {
  /** The first `count` numbers wait. */
  readonly waiting = new Float64Array(WAITING);
  count = 0;
  /** The last removed number, its distance from the number before, and the length of the progression so far. */
  #last = 0;
  #step = 0;
  #run = 0;

  /** @returns whether the buffer is full */
  add(n: number): boolean {
    this.waiting[this.count++] = n;
    return this.count === WAITING;
  }

  /** Leaves the values in `waiting` until others are added. @returns how many were in runs of RUN_NUMBERS or more */
  removeAll(): number {
    const { waiting, count } = this;
    let last = this.#last;
    let step = this.#step;
    let run = this.#run;
    let inRuns = 0;
    for (let index = 0; index < count; index++) {
      const n = waiting[index]!;
      if (n - last === step && step !== 0) {
        run++;
        if (run >= RUN_NUMBERS) inRuns += run === RUN_NUMBERS ? RUN_NUMBERS : 1;
      } else {
        step = n - last;
        run = 2;
      }
      last = n;
    }
    this.#last = last;
    this.#step = step;
    this.#run = run;
    this.count = 0;
    return inRuns;
  }
}
