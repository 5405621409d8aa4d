/**
 * Workers KV as the Worker sees it, observed. Every get is recorded and can be overridden; puts can be held or
 * fail. The store behind it stays real. Gates and `waitForGet` are for requests in the context of the test
 * (sendHere), because the runtime does not reliably let one request wake another.
 */
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import { KV_MUTABLE_TTL_SECONDS } from '../../../shared/limits/edge.ts';

/** The result of a get, even of one that requests a stream: text, bytes, or null if nothing is stored. */
export type Stored = string | ArrayBuffer | null;

/** Decides the result of a get. @param real reads the store */
export type ReadOverride = (real: () => Promise<Stored>) => Promise<Stored>;

/** Holds its callers until it is opened. */
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

/** Returns changed bytes instead of the stored ones. */
export function changed(change: (bytes: Uint8Array) => Uint8Array): ReadOverride {
  return async (real) => {
    const stored = await real();
    return stored instanceof ArrayBuffer ? Uint8Array.from(change(new Uint8Array(stored))).buffer : stored;
  };
}

/** From now on, a cache of KV remembers this value as missing. A get with a short TTL still finds the value. */
export function cacheAbsence(key: string): void {
  type Get = (requested: string, options: { cacheTtl?: number }) => Promise<Stored>;
  const get = env.LISTS.get.bind(env.LISTS) as unknown as Get;
  const remembering: Get = async (requested, options) =>
    requested === key && (options.cacheTtl ?? 0) > KV_MUTABLE_TTL_SECONDS ? null : get(requested, options);
  vi.spyOn(env.LISTS, 'get').mockImplementation(remembering as unknown as typeof env.LISTS.get);
}

/** Intercepts puts by key. @param override returns null to let a put through */
export function watchPuts(override: (key: string, put: () => Promise<void>) => Promise<void> | null): void {
  const real = env.LISTS.put.bind(env.LISTS) as (key: string, value: ArrayBuffer) => Promise<void>;
  const watched = async (key: string, value: ArrayBuffer): Promise<void> => {
    const put = (): Promise<void> => real(key, value);
    await (override(key, put) ?? put());
  };
  // `put` has an overload for each type of value. This mock stands for all of them.
  vi.spyOn(env.LISTS, 'put').mockImplementation(watched as unknown as typeof env.LISTS.put);
}

interface GetOptions {
  readonly type?: string;
  readonly cacheTtl?: number;
}

export class KvWatch {
  /** The keys of all gets, in the order in which they began. */
  readonly gets: string[] = [];
  /** Number of gets that have begun and not ended. */
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
    // `get` has an overload for each type of value. This mock stands for all of them.
    vi.spyOn(env.LISTS, 'get').mockImplementation(watched as unknown as typeof env.LISTS.get);
  }

  /** From now on, `override` decides the gets of this key. */
  override(key: string, override: ReadOverride): void {
    this.#overrides.set(key, override);
  }

  /** From now on, `override` decides the gets of all other keys. */
  overrideOthers(override: ReadOverride): void {
    this.#otherOverride = override;
  }

  /** Makes the store answer again. */
  restore(): void {
    this.#overrides.clear();
    this.#otherOverride = null;
  }

  /** The number of gets of a key so far, or of all keys for null. */
  count(key: string | null = null): number {
    return key === null ? this.gets.length : this.gets.filter((got) => got === key).length;
  }

  /** Waits until `count` gets of a key (of all keys for null) have begun. */
  async waitForGet(key: string | null, count = 1): Promise<void> {
    if (this.count(key) >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ key, count, wake: resolve });
    await promise;
  }
}
