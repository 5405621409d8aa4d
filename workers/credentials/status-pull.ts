/**
 * Pulls status lists from their issuers. The URI comes from a certificate, so only hosts that its issuer has may be
 * read, over https, without redirects, and with bounds on time and size.
 */
import { STATUS_PULL_BYTES_MAX, STATUS_PULL_WAIT_MS } from '../../shared/limits/credentials.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** `URL_REFUSED`, `REDIRECTED`, `TOO_LARGE`, `UNREACHABLE`, or `HTTP_` and the status. */
export type PullProblem = string;

/** @param isCloudflare whether the service is deployed: then nothing but https is read */
export async function pullStatusList(
  uri: string,
  isCloudflare: boolean,
): Promise<Result<string, Failure<PullProblem>>> {
  const url = new URL(uri);
  const isLocal = url.protocol === 'http:' && LOOPBACK.includes(url.hostname) && !isCloudflare;
  if ((url.protocol !== 'https:' && !isLocal) || url.username !== '' || url.password !== '')
    return fail('URL_REFUSED', 'the URI must begin with https:// and have no user');
  try {
    const response = await fetch(uri, {
      headers: { accept: 'application/statuslist+jwt' },
      redirect: 'manual',
      signal: AbortSignal.timeout(STATUS_PULL_WAIT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      if (response.status >= 300 && response.status < 400)
        return fail('REDIRECTED', 'the host redirects, which is not followed');
      return fail(`HTTP_${response.status}`, `the host answers with status ${response.status}`);
    }
    return await textWithin(response.body, STATUS_PULL_BYTES_MAX);
  } catch {
    return fail('UNREACHABLE', 'the host does not answer in time');
  }
}

async function textWithin(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<Result<string, Failure<PullProblem>>> {
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
