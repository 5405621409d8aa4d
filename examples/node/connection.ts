/** Where requests go, with which key, and how the client waits between them. */

/** Longest time of a timer. A timer with a longer time fires at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** Where and how to send requests. */
export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  /** Null for routes that need none. */
  readonly key: string | null;
  readonly fetch: typeof fetch;
  /** Waits between attempts, in ms. Rejects with the reason of the signal. */
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** Connection options of a client. */
export interface ConnectionOptions {
  readonly url: string;
  readonly key: string | null;
  readonly fetch?: typeof fetch | undefined;
  readonly pause?: Connection['pause'] | undefined;
}

/**
 * Makes a connection. It checks the key, because a key that cannot be a header would appear in the exception of each request.
 * @throws {TypeError} if the URL or the key is not valid
 */
export function connectionOf({ url, key, fetch: send, pause = pauseFor }: ConnectionOptions): Connection {
  const { protocol, origin, pathname, href } = new URL(url);
  // No credentials, query or fragment, not even empty ones.
  const isBase = /^https?:$/.test(protocol) && href === origin + pathname;
  if (!isBase) throw new TypeError('"url" must begin with https:// and end with the host or a path');
  if (key === undefined || key === '') throw new TypeError('"key" is missing');
  if (key !== null && (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key)))
    throw new TypeError('"key" must consist of printable ASCII characters');
  // In browsers and Workers, fetch must be called on the global object.
  const call: typeof fetch = send ?? ((input, init) => fetch(input, init));
  return { url: href.replace(/\/+$/, ''), key, pause, fetch: call };
}

/** Waits `ms`. @throws the reason of the signal */
export function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      },
      Math.min(ms, TIMER_MS_MAX),
    );
    signal?.addEventListener('abort', abort, { once: true });
  });
}
