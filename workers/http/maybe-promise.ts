/**
 * A value that is usually available without waiting. If it is, `after` continues in the same turn; otherwise
 * it continues when the promise resolves. One code path serves both: a check with everything in memory
 * creates no promise.
 */

export type MaybePromise<Value> = Value | Promise<Value>;

export function after<Value, Next>(
  value: MaybePromise<Value>,
  go: (value: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  return value instanceof Promise ? value.then(go) : go(value);
}
