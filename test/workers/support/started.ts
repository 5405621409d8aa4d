/**
 * The objects that have started since the stores were last emptied. No other object holds data. The runtime lists every object
 * that ever had a store, even an emptied one, and starting all of these before each test would take longer than the tests.
 */
import { DurableObject, env } from 'cloudflare:workers';
import * as main from '../../../workers/main.ts';

export const namespaces = Object.values(env).filter(isNamespace);
const ids = new Set<string>();

/** Every start constructs the class: by a call, by an alarm, and after an eviction. */
class Recorded extends DurableObject<Cloudflare.Env> {
  constructor(...given: ConstructorParameters<typeof DurableObject<Cloudflare.Env>>) {
    super(...given);
    ids.add(given[0].id.toString());
  }
}

for (const value of Object.values(main)) if (typeof value === 'function') record(value);

/** Inserts `Recorded` between a class, or its parent, and the runtime's class. Each call resolves `super` anew. */
function record(ofObject: object): void {
  const base = Object.getPrototypeOf(ofObject) as object | null;
  if (base === null) throw new Error('an exported class is not one of an object');
  if (base === DurableObject) Object.setPrototypeOf(ofObject, Recorded);
  else if (base !== Recorded) record(base);
}

export function startedObjects(): DurableObjectStub[] {
  return [...ids].map((id) => {
    const stub = namespaces.map((namespace) => stubIn(namespace, id)).find((found) => found !== null);
    if (stub === undefined) throw new Error(`object ${id} is in no namespace`);
    return stub;
  });
}

export function forgetStarted(): void {
  ids.clear();
}

/** A namespace recognises its own IDs. */
function stubIn(namespace: DurableObjectNamespace, id: string): DurableObjectStub | null {
  try {
    return namespace.get(namespace.idFromString(id));
  } catch {
    return null;
  }
}

function isNamespace(value: unknown): value is DurableObjectNamespace {
  return (value as object | null)?.constructor.name === 'DurableObjectNamespace';
}
