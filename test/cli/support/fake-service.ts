/**
 * A server on the loopback with canned responses, for behaviour that a real service does not show on request.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; other bodies as text. */
  readonly body: unknown;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. A string is sent unchanged. */
  readonly body?: unknown;
  /** Whether the connection ends within the body. */
  readonly cut?: boolean;
}

/** @param reply null closes the connection without a response */
export async function fakeService(
  reply: (request: ReceivedRequest, count: number) => Reply | null | Promise<Reply | null>,
) {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const { method = '', url: path = '', headers } = request;
      requests.push({ method, path, headers, body: bodyOf(text, headers) });
      const made = await reply(requests.at(-1)!, requests.length);
      if (made === null) {
        request.socket.destroy();
        return;
      }
      const { status = 200, headers: sent = {}, body = {}, cut = false } = made;
      const content = typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, cut ? { 'content-length': content.length + 1 } : sent);
      if (cut) response.write(content, () => request.socket.destroy());
      else response.end(content);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

/** A problem document. */
export function problem(status: number, code: string, more: object = {}): Reply {
  return { status, body: { status, code, message: `the message of ${code}`, ...more } };
}

function bodyOf(text: string, headers: IncomingHttpHeaders): unknown {
  if (text === '') return null;
  return headers['content-type']?.startsWith('text/') === true ? text : JSON.parse(text);
}
