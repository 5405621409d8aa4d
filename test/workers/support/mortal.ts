/**
 * A promise of a request that ends: from then on it never settles, and whoever awaits it, or did already,
 * gets the error that the runtime gives.
 */
const ENDED = 'This promise was created by a request that has since ended, so it can never settle.';

export class Mortal<Value> extends Promise<Value> {
  static #dead = Promise.withResolvers<never>();

  /** The request that made all these promises ends. */
  static end(): void {
    Mortal.#dead.promise.catch(() => undefined);
    Mortal.#dead.reject(new Error(ENDED));
  }

  /** Another request begins. */
  static begin(): void {
    Mortal.#dead = Promise.withResolvers();
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise, and this is how the runtime's differ
  override then<Result = Value, Failure = never>(
    fulfilled?: ((value: Value) => Result | PromiseLike<Result>) | null,
    rejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return super.then(fulfilled, rejected);
  }
}
