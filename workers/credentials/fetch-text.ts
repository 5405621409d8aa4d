/**
 * Fetches a text from a URL that an admin allowed. Nothing else makes control fetch a URL, and least of all a credential.
 */
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';

/** Where unencrypted connections end on this machine. */
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

export interface FetchBounds {
  /** Media types for `accept`. */
  readonly accept: string;
  readonly bytesMax: number;
  readonly waitMs: number;
}

export type FetchFailure = Failure<'FETCH_FAILED'>;

function failed(message: string): FetchFailure {
  return fail('FETCH_FAILED', message);
}

/** The host as configurations have it, with the port if it is not that of https; null if the URL may not be fetched. */
export function fetchableHost(address: string, { PLATFORM }: { readonly PLATFORM?: string }): string | null {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') return null;
  if (url.protocol === 'https:') return url.host;
  return url.protocol === 'http:' && PLATFORM !== 'cloudflare' && LOOPBACK.includes(url.hostname)
    ? url.host
    : null;
}

/** @returns the body of a response with status 200. Messages name neither the URL nor what the server sent. */
export async function fetchText(address: string, bounds: FetchBounds): Promise<Result<string, FetchFailure>> {
  const { accept, bytesMax, waitMs } = bounds;
  try {
    const response = await fetch(address, {
      headers: { accept },
      // A redirect could lead to a host that nobody allowed.
      redirect: 'manual',
      signal: AbortSignal.timeout(waitMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return failed(`the server responded with status ${response.status}`);
    }
    const bytes = await readBounded(response, bytesMax);
    if (bytes === null) return failed(`the response has more than ${bytesMax} bytes`);
    return ok(new TextDecoder().decode(bytes));
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return failed(
      isLate ? `there was no response within ${waitMs / 1000} s` : 'the server cannot be reached',
    );
  }
}

async function readBounded(response: Response, bytesMax: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the body.
    if (length > bytesMax) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
