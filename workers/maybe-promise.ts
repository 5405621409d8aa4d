/**
 * What is mostly there already. `after` goes on with it in the same turn then, and behind a promise else: a
 * check with everything in memory is answered without one, by the same code as a check that has to wait.
 */

export type MaybePromise<Value> = Value | Promise<Value>;

export function after<Value, Next>(
  value: MaybePromise<Value>,
  go: (value: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  return value instanceof Promise ? value.then(go) : go(value);
}
