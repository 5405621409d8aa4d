/**
 * Workers KV as the Worker sees it, watched: every get is written down, and may be given a fate other
 * than what is stored; puts may be held or fail. The store behind it stays the real one. Gates and `begun` are for requests in the
 * test's own context (askHere): the runtime lets no request wake another one for sure.
 */
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import { KV_MUTABLE_TTL_SECONDS } from '../../../shared/limits.ts';

/** What a get gives, one that asks for a stream too: text, bytes, or null where nothing is stored. */
export type Stored = string | ArrayBuffer | null;

/** Decides what a get gives. @param real asks the store */
export type ReadOverride = (real: () => Promise<Stored>) => Promise<Stored>;

/** Holds those who pass it until it is opened. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();

  readonly hold: ReadOverride = async (real) => {
    await this.#opened.promise;
    return real();
  };

  open(): void {
    this.#opened.resolve();
  }
}

export const missing: ReadOverride = async () => null;
export const failing: ReadOverride = async () => {
  throw new Error('KV GET failed: 500 Internal Server Error');
};
export const hanging: ReadOverride = () => new Promise(() => undefined);

/** Other bytes under a key than those stored. */
export function changed(change: (bytes: Uint8Array) => Uint8Array): ReadOverride {
  return async (real) => {
    const stored = await real();
    return stored instanceof ArrayBuffer ? Uint8Array.from(change(new Uint8Array(stored))).buffer : stored;
  };
}

/** From now on, a cache of KV remembers that it has not had this value: who reads past it finds it. */
export function cacheAbsence(key: string): void {
  type Get = (requested: string, options: { cacheTtl?: number }) => Promise<Stored>;
  const get = env.LISTS.get.bind(env.LISTS) as unknown as Get;
  const remembering: Get = async (requested, options) =>
    requested === key && (options.cacheTtl ?? 0) > KV_MUTABLE_TTL_SECONDS ? null : get(requested, options);
  vi.spyOn(env.LISTS, 'get').mockImplementation(remembering as unknown as typeof env.LISTS.get);
}

/** What becomes of puts, by key; the others go through. @param override null to let one through */
export function watchPuts(override: (key: string, put: () => Promise<void>) => Promise<void> | null): void {
  const real = env.LISTS.put.bind(env.LISTS) as (key: string, value: ArrayBuffer) => Promise<void>;
  const watched = async (key: string, value: ArrayBuffer): Promise<void> => {
    const put = (): Promise<void> => real(key, value);
    await (override(key, put) ?? put());
  };
  // `put` has an overload for each type of value: this stands for all of them.
  vi.spyOn(env.LISTS, 'put').mockImplementation(watched as unknown as typeof env.LISTS.put);
}

interface GetOptions {
  readonly type?: string;
  readonly cacheTtl?: number;
}

export class KvWatch {
  /** Keys of all gets, in the order in which they began. */
  readonly gets: string[] = [];
  /** Gets that have begun and not ended. */
  open = 0;
  readonly #overrides = new Map<string, ReadOverride>();
  #otherOverride: ReadOverride | null = null;
  readonly #waiting: { readonly count: number; readonly key: string | null; readonly wake: () => void }[] =
    [];

  constructor() {
    const get = env.LISTS.get.bind(env.LISTS) as (key: string, options: object) => Promise<Stored>;
    const watched = async (key: string, options: GetOptions): Promise<Stored | ReadableStream> => {
      this.gets.push(key);
      for (const { count, key: wanted, wake } of this.#waiting) {
        if (this.count(wanted) >= count) wake();
      }
      const override = this.#overrides.get(key) ?? this.#otherOverride;
      const isStream = options.type === 'stream';
      const real = (): Promise<Stored> => get(key, isStream ? { ...options, type: 'arrayBuffer' } : options);
      this.open++;
      try {
        const stored = await (override === null ? real() : override(real));
        return isStream && stored !== null ? new Response(stored).body : stored;
      } finally {
        this.open--;
      }
    };
    // `get` has an overload for each type of value: this stands for all of them.
    vi.spyOn(env.LISTS, 'get').mockImplementation(watched as unknown as typeof env.LISTS.get);
  }

  /** From now on, what becomes of the gets of a key. */
  override(key: string, override: ReadOverride): void {
    this.#overrides.set(key, override);
  }

  /** From now on, what becomes of the gets of all keys that have no fate of their own. */
  overrideOthers(override: ReadOverride): void {
    this.#otherOverride = override;
  }

  /** Let the store answer again. */
  restore(): void {
    this.#overrides.clear();
    this.#otherOverride = null;
  }

  /** Gets of a key so far; of all keys for null. */
  count(key: string | null = null): number {
    return key === null ? this.gets.length : this.gets.filter((got) => got === key).length;
  }

  /** Once so many gets of a key (all keys for null) have begun. */
  async waitForGet(key: string | null, count = 1): Promise<void> {
    if (this.count(key) >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ key, count, wake: resolve });
    await promise;
  }
}
