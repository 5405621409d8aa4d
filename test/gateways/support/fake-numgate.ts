/**
 * Replaces numgate where a test needs it slow, silent or countable. It allows everything once it is released.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Item {
  readonly from: string;
  readonly to: string;
}

interface Call {
  readonly path: string;
  readonly items: readonly Item[];
}

export interface FakeNumgate {
  readonly url: string;
  readonly key: string;
  readonly calls: Call[];
  /** Maximum number of concurrent calls so far. */
  readonly most: () => number;
  /** Answers all calls, including future ones. */
  release(): void;
}

const ALLOW = { verdict: 'allow', reasons: [], sip: null, smpp: null, label: null };

/**
 * @param isHeld whether calls are answered only after `release`
 * @param statusFor the HTTP status for these items. Responses other than 200 have no numgate problem.
 */
export async function startFakeNumgate(
  isHeld: boolean,
  statusFor: (items: readonly Item[]) => number = () => 200,
): Promise<FakeNumgate> {
  const calls: Call[] = [];
  const gate = Promise.withResolvers<void>();
  if (!isHeld) gate.resolve();
  let underWay = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    most = Math.max(most, ++underWay);
    const path = request.url!;
    const body = await bodyOf(request);
    const items = body.items ?? [body];
    calls.push({ path, items: items as Call['items'] });
    await gate.promise;
    underWay--;
    const results = items.map(() => ALLOW);
    const status = statusFor(items as Item[]);
    if (status !== 200) {
      response.writeHead(status, { 'content-type': 'text/html' }).end('<html></html>');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(path.endsWith('/batch') ? { results } : ALLOW));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, key: 'a.b', calls },
    most: () => most,
    release: gate.resolve,
  };
}

async function bodyOf(request: IncomingMessage): Promise<{ items?: unknown[] }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as { items?: unknown[] };
}
