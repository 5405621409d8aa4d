/**
 * Fetches a text from a host that an admin allowed: over https, without redirects, and with bounds on time and size. Control
 * downloads documents only through this file.
 */
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';

/** The only hosts that may be reached without encryption: those of this machine. */
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** `URL_REFUSED`, `REDIRECTED`, `TOO_LARGE`, `UNREACHABLE`, or `HTTP_` and the status. */
export type FetchProblem = string;

export interface FetchBounds {
  /** Media types for the header `accept`. */
  readonly accept: string;
  readonly bytesMax: number;
  readonly waitMs: number;
}

/**
 * The host of a URL that may be fetched, with the port if it is not that of https. Null if the URL may not be fetched.
 * @param isCloudflare whether the service runs on Cloudflare, where only https is fetched
 */
export function fetchableHost(address: string, isCloudflare: boolean): string | null {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') return null;
  const isLocal = url.protocol === 'http:' && LOOPBACK.includes(url.hostname) && !isCloudflare;
  return url.protocol === 'https:' || isLocal ? url.host : null;
}

/** @returns the body of a response with status 200. Failures contain neither the URL nor content from the host */
export async function fetchText(
  address: string,
  { accept, bytesMax, waitMs }: FetchBounds,
  isCloudflare: boolean,
): Promise<Result<string, Failure<FetchProblem>>> {
  if (fetchableHost(address, isCloudflare) === null)
    return fail('URL_REFUSED', 'the URI must begin with https:// and have no user name');
  try {
    const response = await fetch(address, {
      headers: { accept },
      redirect: 'manual',
      signal: AbortSignal.timeout(waitMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      if (response.status >= 300 && response.status < 400)
        return fail('REDIRECTED', 'the host redirects, and redirects are not followed');
      return fail(`HTTP_${response.status}`, `the host answers with status ${response.status}`);
    }
    return await textWithin(response.body, bytesMax);
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    // The platform does not say whether DNS, the connection or TLS failed.
    const otherwise = 'the host cannot be reached, or its TLS certificate is not trusted';
    return fail('UNREACHABLE', isLate ? 'the host does not answer in time' : otherwise);
  }
}

async function textWithin(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<Result<string, Failure<FetchProblem>>> {
  if (body === null) return ok('');
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return ok((text + decoder.decode()).trim());
    bytes += value.length;
    if (bytes > bytesMax) {
      await reader.cancel();
      return fail('TOO_LARGE', `the answer has more than ${bytesMax.toLocaleString('en')} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
