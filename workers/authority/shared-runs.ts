/**
 * One run of some work for all who ask for it while it goes on. What ends is forgotten: who asks later
 * has it run again.
 */
export class SharedRuns<Value> {
  readonly #running = new Map<string, Promise<Value>>();

  /** @param name tells works apart that are not the same */
  run(name: string, work: () => Promise<Value>): Promise<Value> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const run = work().finally(() => this.#running.delete(name));
    this.#running.set(name, run);
    return run;
  }
}
