/**
 * Runs work once for all callers that need it at the same time. Results are not kept: a later call runs the
 * work again.
 */
export class SharedWork<Value> {
  readonly #running = new Map<string, Promise<Value>>();

  /** @param name identifies the work: calls with the same name share a run */
  run(name: string, work: () => Promise<Value>): Promise<Value> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const run = work().finally(() => this.#running.delete(name));
    this.#running.set(name, run);
    return run;
  }
}
