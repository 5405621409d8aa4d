/** Replaces `fetch` of the Node client. Records its requests, and returns the responses that the service would send. */
import type { CheckItem, ClientOptions } from '../../../examples/node/client.ts';
import { makeClient, type NumgateClient } from '../../../examples/node/client.ts';

export interface SentRequest {
  readonly url: string;
  readonly init: RequestInit;
  readonly body: string;
}

export type Respond = (sent: SentRequest, index: number) => Response | Promise<Response>;

export const HEAD = {
  release: '20261124T0312Z-9f2c1e4b',
  seq: 7,
  asOf: '2026-11-24T03:12:09Z',
  stale: false,
};
export const KEY = 'relay.0123456789abcdef';

/** A client whose requests `respond` answers. It does not wait between attempts. */
export function clientOf(
  respond: Respond,
  options: Partial<ClientOptions> = {},
): { readonly client: NumgateClient; readonly sent: SentRequest[]; readonly pauses: number[] } {
  const sent: SentRequest[] = [];
  const pauses: number[] = [];
  const send = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const request = { url: String(input), init, body: String(init.body) };
    const index = sent.push(request) - 1;
    init.signal?.throwIfAborted();
    return respond(request, index);
  };
  const client = makeClient({
    ...{ url: 'https://numgate.example/', key: KEY, timeoutMs: 3_600_000, deadlineMs: 3_600_000 },
    fetch: send as typeof fetch,
    pause: async (ms) => void pauses.push(ms),
    ...options,
  });
  return { client, sent, pauses };
}

export function json(body: object, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  const type = 'urn:numgate:problem:some';
  return json({ type, status, code, message: 'as the service explains it', field: null }, status, headers);
}

/** A result that shows which item it belongs to. */
export function resultOf(item: CheckItem): object {
  return { id: item.id ?? null, verdict: 'allow', subject: null, from: null, to: item.to, reasons: [] };
}

/** Responds to a batch or stream like the service. @param lines of a stream until it breaks */
export function answer({ url, body }: SentRequest, lines = Number.POSITIVE_INFINITY): Response {
  if (url.endsWith('/batch')) {
    const { items } = JSON.parse(body) as { items: CheckItem[] };
    return json({ ...HEAD, results: items.map(resultOf), summary: {} });
  }
  if (!url.endsWith('/stream')) return json({ ...resultOf(JSON.parse(body) as CheckItem), ...HEAD });
  const results = body
    .split('\n')
    .slice(0, -1)
    .map((line) => resultOf(JSON.parse(line) as CheckItem));
  return streamed(
    results.map((result) => ({ ...result, ...HEAD })),
    lines,
  );
}

/** A response that is produced line by line as it is read. After `lines` lines it breaks within a line. */
export function streamed(results: readonly object[], lines = Number.POSITIVE_INFINITY): Response {
  const encoder = new TextEncoder();
  let index = 0;
  const source = {
    pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
      const line = index < results.length ? `${JSON.stringify(results[index])}\n` : '';
      const isWhole = index++ < lines;
      if (line !== '') controller.enqueue(encoder.encode(isWhole ? line : line.slice(0, 10)));
      if (line === '' || !isWhole) controller.close();
    },
  };
  return new Response(new ReadableStream(source, { highWaterMark: 0 }));
}

/** Items with different recipients. */
export function items(count: number): { readonly id: string; readonly to: string }[] {
  return Array.from({ length: count }, (_, index) => ({ id: String(index), to: `010-5555-${index}` }));
}
