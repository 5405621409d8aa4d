/**
 * A server on the loopback that answers as it is told to: for what a real service would not do when asked.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Told {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON, a string as it is. */
  readonly body?: unknown;
  /** The connection ends within the body. */
  readonly cut?: boolean;
}

/** @param answer null breaks the connection off */
export async function fakeService(answer: (asked: Asked, count: number) => Told | null) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const { method = '', url: path = '', headers } = request;
      asked.push({ method, path, headers, body: text === '' ? null : JSON.parse(text) });
      const told = answer(asked.at(-1)!, asked.length);
      if (told === null) {
        request.socket.destroy();
        return;
      }
      const { status = 200, headers: sent = {}, body = {}, cut = false } = told;
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close };
}

/** A problem document. */
export function problem(status: number, code: string, more: object = {}): Told {
  return { status, body: { status, code, message: `the message of ${code}`, ...more } };
}
