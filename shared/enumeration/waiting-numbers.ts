/**
 * The numbers of one subject that wait until a sketch looks at all of them in one loop, and the arithmetic progressions
 * in them. Senders and recipients have steps of their own, because a check has one of each.
 */

/** Numbers that wait at most. */
export const WAITING = 256;
/** Numbers in arithmetic progression from which they count as a run. See STEPS_MIN in detect.ts. */
export const RUN_NUMBERS = 32;

export class WaitingNumbers {
  /** Its first `count` numbers wait. */
  readonly waiting = new Float64Array(WAITING);
  count = 0;
  /** The last number that was removed, its distance from the one before, and how often that came in a row. */
  #last = 0;
  #step = 0;
  #run = 0;

  /** @returns whether no other number can wait */
  add(n: number): boolean {
    this.waiting[this.count++] = n;
    return this.count === WAITING;
  }

  /** They stay in `waiting` until others are added. @returns how many continued a run of RUN_NUMBERS or more */
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
