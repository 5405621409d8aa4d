/**
 * One attempt to deliver a notice to a webhook: a POST without redirects, with limits on the time and on the
 * bytes read. Results name neither the URL nor any content that the receiver sent.
 */
import {
  WEBHOOK_RESPONSE_BYTES_MAX,
  WEBHOOK_RESPONSE_WAIT_MS,
  WEBHOOK_RETRY_AFTER_MS_MAX,
  WEBHOOK_WAIT_MS,
} from '../../shared/limits/notices.ts';
import type { AttemptResult } from './delivery-rows.ts';

export const GONE_STATUS = 410;

export interface Attempted extends AttemptResult {
  /** Pause that the receiver requests, in ms; null for none. */
  readonly retryAfterMs: number | null;
}

export async function attempt(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Attempted> {
  try {
    const signal = AbortSignal.timeout(WEBHOOK_WAIT_MS);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await readLittle(response.body);
    const { status } = response;
    return { status, error: errorOf(status), retryAfterMs: retryAfterOf(response.headers, Date.now()) };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    // The platform does not say whether DNS, the connection or TLS failed.
    return { status: null, error: isLate ? 'TIMEOUT' : 'UNREACHABLE', retryAfterMs: null };
  }
}

function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return 'REDIRECT';
  return status === GONE_STATUS ? 'GONE' : `HTTP_${status}`;
}

/** Lets a receiver finish a short response. Cancels a longer or slower one, because only the status matters. */
async function readLittle(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), WEBHOOK_RESPONSE_WAIT_MS);
  try {
    for (let bytes = 0; bytes <= WEBHOOK_RESPONSE_BYTES_MAX; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.length;
    }
    await reader.cancel();
  } catch {
    // The response broke off after its status.
  } finally {
    clearTimeout(timer);
  }
}

/** `Retry-After` in either form (RFC 9110, section 10.2.3), in ms and bounded; null if there is none. */
export function retryAfterOf(headers: Headers, now: number): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return text === '' || Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), WEBHOOK_RETRY_AFTER_MS_MAX);
}
