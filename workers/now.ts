/**
 * What is mostly there already. `after` goes on with it in the same turn then, and behind a promise else: a
 * check with everything in memory is answered without one, by the same code as a check that has to wait.
 */

export type Now<Value> = Value | Promise<Value>;

export function after<Value, Next>(value: Now<Value>, go: (value: Value) => Now<Next>): Now<Next> {
  return value instanceof Promise ? value.then(go) : go(value);
}
