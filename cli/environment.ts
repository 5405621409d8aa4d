/** The service that the environment names: NUMGATE_URL and PORT. */
import { CommandFailure } from './failure.ts';
import { claimant } from './local/state-claim.ts';

/** URL of the service: the given one, or that of this machine. */
export function serviceUrl(): string {
  const given = process.env.NUMGATE_URL?.trim() || null;
  if (given !== null) return checkUrl(given, 'NUMGATE_URL');
  // Port 0 means any port.
  const wanted = process.env.PORT === undefined ? 0 : servicePort();
  return `http://localhost:${wanted || claimant()?.port || DEFAULT_PORT}`;
}

const DEFAULT_PORT = '8787';
/** Where the service of this machine listens. */
export const LOCAL_HOST = '127.0.0.1';

/**
 * Keeps requests to the local service away from the proxy that fetch uses with NODE_USE_ENV_PROXY. The proxy would read the
 * token, and reach the service of another machine.
 */
export function skipProxy(): void {
  const { no_proxy: lower, NO_PROXY: upper } = process.env;
  const others = lower ?? upper ?? '';
  // A star means all hosts, but only if it stands alone.
  if (others !== '*' && !others.split(/[\s,]+/).includes(LOCAL_HOST))
    process.env.no_proxy = [others, LOCAL_HOST].join();
}

/** Port that `npm start` uses. */
export function servicePort(): number {
  const text = process.env.PORT ?? DEFAULT_PORT;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CommandFailure('PORT must be a number from 0 to 65535', 2);
}

/**
 * @param name of the option or variable that holds the URL
 * @throws CommandFailure if it is not an http(s) URL
 */
export function checkUrl(url: string, name: string): string {
  // `control.example.com` is not a URL, and `localhost:8787` parses as a URL with the scheme `localhost`.
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new CommandFailure(`${name} must be a URL such as https://control.example.com, not ${url}`, 2);
}
