/** The Node client against the real service, and against a misbehaving one. */
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { PROJECT } from '../../cli/paths.ts';
import { type ClientOptions, makeClient, type NumgateClient } from '../../examples/node/client.ts';

const run = promisify(execFile);

const ABROAD = { channel: 'sms', ingress: { type: 'international' } } as const;
/** Longer than any test, so that a slow machine does not cause a timeout. */
const UNHURRIED = { timeoutMs: 3_600_000, deadlineMs: 3_600_000 } as const;
const PH_MOBILE = '+639171234567';

/** Prefix of the type of each numgate problem. */
const TYPE = 'urn:numgate:problem:some';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const ALLOW = { verdict: 'allow', subject: null, from: PH_MOBILE, to: null, reasons: [] };
const allow: Handler = (_, response) => json(response, 200, ALLOW);

function json(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function problem(status: number, code: string, headers: Record<string, string> = {}): Handler {
  return (_, response) => json(response, status, { type: TYPE, status, code }, headers);
}

function wrong(field: string): Handler {
  return (_, response) => json(response, 400, { type: TYPE, status: 400, code: 'FIELD_VALUE', field });
}

describe('the Node client against a service that misbehaves', () => {
  let server: Server | null = null;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
    server = null;
  });

  /** The n-th handler answers the n-th request. The last handler also answers all later requests. */
  async function misbehaving(
    handlers: readonly Handler[],
    options: Partial<ClientOptions> = {},
  ): Promise<{ client: NumgateClient; pauses: number[]; requests: () => number }> {
    let requests = 0;
    const pauses: number[] = [];
    server = createServer((request, response) => {
      const handle = handlers[Math.min(requests, handlers.length - 1)]!;
      requests++;
      handle(request, response);
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const client = makeClient({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      ...{ key: 'a.b', failPolicy: 'closed', ...UNHURRIED },
      pause: async (ms) => void pauses.push(ms),
      ...options,
    });
    return { client, pauses, requests: () => requests };
  }

  const question = { ...ABROAD, from: PH_MOBILE };
  const local = (why: string, action = 'closed'): object => {
    return { verdict: 'indeterminate', action, source: 'local', why };
  };

  it.each([
    ['429', problem(429, 'QUOTA_EXCEEDED', { 'retry-after': '3' }), 3_000],
    ['503', problem(503, 'UNAVAILABLE', { 'retry-after': '1' }), 1_000],
  ])('waits as long as %s says, and tries again', async (_, busy, ms) => {
    const { client, pauses, requests } = await misbehaving([busy, allow]);
    expect(await client.checkGateway(question)).toMatchObject({ verdict: 'allow' });
    expect([requests(), pauses]).toEqual([2, [ms]]);
  });

  it('backs off with jitter if 503 has no Retry-After', async () => {
    const { client, pauses } = await misbehaving([problem(503, 'UNAVAILABLE')], { retries: 3 });
    expect(await client.checkGateway(question)).toMatchObject(local('busy'));
    expect(pauses).toHaveLength(3);
    for (const [tried, ms] of pauses.entries()) {
      expect(ms).toBeGreaterThanOrEqual(25 * 2 ** tried);
      expect(ms).toBeLessThanOrEqual(50 * 2 ** tried);
    }
  });

  it('does not wait beyond the deadline', async () => {
    const { client, requests } = await misbehaving([
      problem(503, 'UNAVAILABLE', {
        'retry-after': new Date(Date.now() + 2 * UNHURRIED.deadlineMs).toUTCString(),
      }),
    ]);
    expect(await client.checkGateway(question)).toMatchObject(local('busy'));
    expect(requests()).toBe(1);
  });

  it('does not retry a request that never fits into the quota', async () => {
    const { client, requests } = await misbehaving([problem(429, 'QUOTA_EXCEEDED'), allow]);
    expect(await client.checkGateway(question)).toMatchObject(local('busy'));
    expect(requests()).toBe(1);
  });

  it.each<[string, Handler]>([
    ['a question that is too long', problem(413, 'BODY_TOO_LARGE')],
    ['a batch with a default sender that cannot be read', wrong('defaults.from')],
    ['a sender that cannot be read', wrong('from')],
    ['a recipient that cannot be read', wrong('to')],
    ['a message token that cannot be read', wrong('senderToken')],
    ['a batch with a default message token that cannot be read', wrong('defaults.senderToken')],
    ['a carrier prefix that is none', wrong('ingress.carrierPrefix')],
    ['a text that a filter rejects with 400', (_, response) => void response.writeHead(400).end('<html>')],
    ['a text that a filter rejects with 403', (_, response) => void response.writeHead(403).end('<html>')],
    ['a text that a filter rejects with JSON', (_, response) => json(response, 403, { code: 'DENIED' })],
  ])('rejects %s, whatever the fail policy', async (_what, handler) => {
    const { client, requests } = await misbehaving([handler], { failPolicy: 'open' });
    expect(await client.check({ from: PH_MOBILE })).toMatchObject(local('refused', 'closed'));
    expect(await client.checkGateway(question)).toMatchObject({ ...local('refused', 'closed'), label: null });
    expect(await client.checkGatewayBatch([question], { defaults: ABROAD })).toMatchObject([
      local('refused', 'closed'),
    ]);
    expect(requests()).toBe(3);
  });

  it.each([400, 401, 403, 404, 500])('does not retry after %i', async (status) => {
    const { client, requests } = await misbehaving([problem(status, 'WRONG'), allow], { failPolicy: 'open' });
    const answer = await client.checkGateway(question);
    expect(answer).toMatchObject({ ...local('refused', 'open'), problem: { status, code: 'WRONG' } });
    expect(requests()).toBe(1);
  });

  it('tries again after a lost connection', async () => {
    const cut: Handler = (request) => request.socket.destroy();
    const { client, requests } = await misbehaving([cut, allow]);
    expect(await client.checkGateway(question)).toMatchObject({ verdict: 'allow' });
    expect(requests()).toBe(2);
  });

  it('gives up an attempt after its timeout, and all after the deadline', async () => {
    const silent: Handler = () => undefined;
    // With many retries, because an answer may itself take longer than the timeout.
    const once = await misbehaving([silent, allow], { timeoutMs: 500, retries: 1_000 });
    expect(await once.client.checkGateway(question)).toMatchObject({ verdict: 'allow' });
    expect(once.requests()).toBeGreaterThan(1);
    server!.closeAllConnections();
    await new Promise((resolve) => server!.close(resolve));
    const always = await misbehaving([silent], { deadlineMs: 100, retries: 1_000 });
    expect(await always.client.checkGateway(question)).toMatchObject(local('timeout'));
    expect(always.requests()).toBeLessThanOrEqual(1);
  });

  it('labels only traffic from abroad that passes without a response', async () => {
    const labelsOf = async (options: Partial<ClientOptions>): Promise<unknown[]> => {
      const { client } = await misbehaving([problem(500, 'WRONG')], { failPolicy: 'open', ...options });
      const home = { type: 'domestic' } as const;
      const batch = await client.checkGatewayBatch(
        [
          { from: PH_MOBILE },
          { from: PH_MOBILE, ingress: { ...home, carrierPrefix: undefined! } },
          { from: PH_MOBILE, ingress: ABROAD.ingress },
        ],
        { defaults: { ingress: { ...home, carrierPrefix: '006' } } },
      );
      const alone = [{}, ABROAD, { ingress: home }].map((some) =>
        client.checkGateway({ from: PH_MOBILE, ...some }),
      );
      const answers = [await client.check({ to: PH_MOBILE }), ...(await Promise.all(alone)), ...batch];
      server!.closeAllConnections();
      return answers.map((answer) => ('source' in answer ? answer.label : answer));
    };
    const label = '[국제발신]';
    expect(await labelsOf({})).toEqual([null, label, label, null, label, label, label]);
    expect(await labelsOf({ label: '[해외]' })).toContain('[해외]');
    for (const none of [{ label: null }, { failPolicy: 'closed' } as const]) {
      expect(await labelsOf(none)).toEqual(Array.from({ length: 7 }, () => null));
    }
  });

  it('uses nothing of a truncated batch', async () => {
    const short: Handler = (_, response) => json(response, 200, { results: [ALLOW] });
    const broken: Handler = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"results":[');
    };
    const { client, requests } = await misbehaving([short, broken], { retries: 1, failPolicy: 'open' });
    const answers = await client.checkGatewayBatch([question, question], { defaults: ABROAD });
    expect(answers).toMatchObject([local('unreachable', 'open'), local('unreachable', 'open')]);
    expect(requests()).toBe(2);
  });

  it('decides locally if there is no service', async () => {
    const { client } = await misbehaving([allow]);
    await new Promise((resolve) => server!.close(resolve));
    server = null;
    expect(await client.check({ from: PH_MOBILE })).toMatchObject(local('unreachable'));
    expect(await client.checkGatewayBatch([question], { defaults: ABROAD })).toMatchObject([
      local('unreachable'),
    ]);
  });
});

it('contains the types that its generator makes from openapi.json', async () => {
  const args = ['run', 'examples:types', '--', '--', '--check'];
  await expect(run('npm', args, { cwd: PROJECT })).resolves.toMatchObject({ stderr: '' });
});
