/**
 * The data from which control answers public requests. Each data centre reads it at most once every
 * REGISTER_FRESH_SECONDS, so public requests cannot load a Durable Object. While the object does not respond, the last
 * copy is used for REGISTER_KEPT_SECONDS.
 */
import { utf8 } from '../../shared/bytes.ts';
import { REGISTER_FRESH_SECONDS, REGISTER_KEPT_SECONDS } from '../../shared/limits/qualification.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import type { RequestContext } from '../http/app.ts';
import { cacheable, type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { SingleFlight } from '../storage/single-flight.ts';

/** A value, and when it was read from the object, in ms since 1970. */
export interface Reading<Value> {
  readonly value: Value;
  readonly readAt: number;
}

const READ_HEADER = 'x-numgate-read-at';

/** Each isolate has one instance for each kind of value. Values must be serializable as JSON. */
export class CachedReading<Value> {
  readonly #name: string;
  readonly #read: (env: ControlEnv) => Promise<Value>;
  readonly #loading = new SingleFlight();
  #held: Reading<Value> | null = null;

  /** @param name name of the value in the cache */
  constructor(name: string, read: (env: ControlEnv) => Promise<Value>) {
    this.#name = name;
    this.#read = read;
  }

  async get(context: RequestContext): Promise<Result<Reading<Value>, Problem>> {
    const isFresh = (): boolean => this.#isWithin(REGISTER_FRESH_SECONDS);
    if (!isFresh())
      await this.#loading
        .wait(() => this.#load(context), isFresh, context.ctx)
        .catch((error: unknown) => warnFailed('registerFailed', error));
    if (this.#held !== null && this.#isWithin(REGISTER_KEPT_SECONDS)) return ok(this.#held);
    return problem('UNAVAILABLE', 'this cannot be read now; try again');
  }

  #isWithin(seconds: number): boolean {
    return this.#held !== null && Date.now() - this.#held.readAt <= seconds * 1000;
  }

  async #load({ env, request }: RequestContext): Promise<void> {
    // The key contains the host, because other installations in the zone share the cache.
    const key = `https://register.numgate.internal/${this.#name}/${new URL(request.url).host}`;
    const copy = await readCopy<Value>(key);
    if (copy !== null && copy.readAt > (this.#held?.readAt ?? 0)) this.#held = copy;
    if (this.#isWithin(REGISTER_FRESH_SECONDS)) return;
    const readAt = Date.now();
    const value = await this.#read(env as unknown as ControlEnv);
    this.#held = { value, readAt };
    const headers = { [READ_HEADER]: String(readAt) };
    const response = cacheable(utf8(JSON.stringify(value)), REGISTER_KEPT_SECONDS, headers);
    await caches.default.put(key, response).catch(() => undefined);
  }
}

/** The copy of the data centre; null if there is none, or if the cache fails. */
async function readCopy<Value>(key: string): Promise<Reading<Value> | null> {
  try {
    const response = await caches.default.match(key);
    if (response === undefined) return null;
    const readAt = Number(response.headers.get(READ_HEADER));
    return { value: (await response.json()) as Value, readAt };
  } catch {
    return null;
  }
}
