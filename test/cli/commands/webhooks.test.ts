/**
 * Webhooks of the running service, managed on the command line. The packages `standardwebhooks` and `svix`, the example client
 * and Web Crypto verify the requests that real receivers get.
 */
import '../support/workspace.ts';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudEvent, HTTP } from 'cloudevents';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyWebhook, WebhookError } from '../../../examples/node/client.ts';
import type { DeliveryInfo, WebhookSecret } from '../../../shared/admin/webhooks.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { numgate } from '../support/command.ts';
import { addSenders, as, type Senders } from '../support/senders.ts';
import { startTestService } from '../support/service.ts';

/** Deliveries run after the response. */
const WAIT = { timeout: HANG_MS };
const ACME = ['--organisation', 'acme'];

interface Received {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** How a receiver answers: a status, or one of the ways in which receivers misbehave. */
type Mode = number | 'endless' | 'slow' | 'huge' | 'broken';

let server: Server;
let senders: Senders;
let host: string;
let mode: Mode = 204;
const received: Received[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      received.push({ body, headers: request.headers });
      if (typeof mode === 'number') {
        response.writeHead(mode, { location: `http://${host}/elsewhere` }).end();
      } else if (mode === 'broken') {
        request.socket.destroy();
      } else {
        response.writeHead(200);
        if (mode === 'huge') response.end('x'.repeat(10_000_000));
        else if (mode === 'slow') response.write('x');
        else {
          const timer = setInterval(() => response.write('x'.repeat(100)), 1);
          response.on('close', () => clearInterval(timer));
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  senders = await addSenders(await startTestService());
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Runs a command with the token of the organisation. @returns its JSON output */
async function run<Value>(...args: string[]): Promise<Value> {
  const { code, out, errors } = await as(senders.sender, () => numgate(...args, ...ACME, '--json'));
  if (code !== 0) throw new Error(errors + out);
  return JSON.parse(out) as Value;
}

async function failing(...args: string[]): Promise<{ code: number | null; errors: string }> {
  const { code, errors } = await as(senders.sender, () => numgate(...args, ...ACME));
  return { code, errors };
}

function headersOf({ headers }: Received): Record<string, string> {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  return Object.fromEntries(names.map((name) => [name, String(headers[name])]));
}

async function isSignedBy(each: Received, key: string): Promise<boolean> {
  return verifyWebhook(each.body, headersOf(each), key).then(
    () => true,
    (error: unknown) => {
      expect(error).toBeInstanceOf(WebhookError);
      return false;
    },
  );
}

describe('webhooks on the command line', () => {
  let made: WebhookSecret;
  let id: string;

  it('need a host that is allowed, and show their secret once', async () => {
    const url = `http://${host}/numgate`;
    expect(await failing('webhooks', 'add', url)).toMatchObject({
      ...{ code: 1, errors: expect.stringContaining('not on the list of the organisation') },
    });
    expect(await failing('webhooks', 'add', 'http://hooks.example.com/')).toMatchObject({
      errors: expect.stringContaining('"url" must begin with https://'),
    });
    expect(await failing('webhooks', 'add', 'https://10.1/')).toMatchObject({
      errors: expect.stringContaining('literal address'),
    });
    expect(await failing('webhooks', 'hosts', host, '--reason', 'a test')).toMatchObject({
      ...{ code: 1, errors: expect.stringContaining('the scope "clients"') },
    });
    const allowed = await numgate('webhooks', 'hosts', host, ...ACME, '--reason', 'a test');
    expect(allowed.out).toBe(`webhooks of acme may go to ${host}\n`);
    expect((await numgate('organisations', 'show', 'acme')).out).toMatch(
      new RegExp(`webhook hosts .*${host}`),
    );
    made = await run<WebhookSecret>('webhooks', 'add', url);
    ({ id } = made.webhook);
    const { out } = await as(senders.sender, () => numgate('webhooks', 'show', id, ...ACME));
    expect(out).toContain(url);
    expect(out).not.toContain(made.secret);
  });

  it('get what standardwebhooks, svix, Web Crypto and cloudevents accept', async () => {
    const delivery = await run<DeliveryInfo>('webhooks', 'test', id);
    expect(delivery).toMatchObject({ version: 1, state: 'delivered', log: [{ status: 204, error: null }] });
    const [got] = received;
    const headers = headersOf(got!);
    expect(headers['webhook-id']).toBe('acme-1');
    expect(headers['webhook-signature']).toMatch(/^v1,\S{44} v1a,\S{88}$/);
    const content = { type: 'kr.numgate.test.v1', mock: true, version: 1, data: { webhook: id } };
    expect(new StandardWebhook(made.secret).verify(got!.body, headers)).toMatchObject(content);
    expect(() => new SvixWebhook(made.secret).verify(got!.body, headers)).not.toThrow();
    expect(await verifyWebhook(got!.body, headers, made.secret)).toMatchObject(content);
    expect(await verifyWebhook(got!.body, new Headers(headers), [made.publicKey])).toMatchObject(content);
    const event = HTTP.toEvent({ headers: got!.headers, body: got!.body }) as CloudEvent<object>;
    expect(event).toBeInstanceOf(CloudEvent);
    expect(event).toMatchObject({ ...content, id: 'acme-1', source: 'https://numgate.example' });
  });

  it('are refused by each of them after any change', async () => {
    const [got] = received;
    const headers = headersOf(got!);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    for (const [body, changed] of [
      [got!.body.replace('true', 'false'), headers],
      [got!.body, { ...headers, 'webhook-id': 'acme-2' }],
      [got!.body, { ...headers, 'webhook-timestamp': later }],
      [got!.body, { ...headers, 'webhook-signature': 'v1,AAAA v1a,AAAA' }],
      [got!.body, { ...headers, 'webhook-signature': headers['webhook-signature']!.replaceAll('v1', 'v2') }],
    ] as const) {
      expect(() => new StandardWebhook(made.secret).verify(body, changed)).toThrow();
      expect(() => new SvixWebhook(made.secret).verify(body, changed)).toThrow();
      for (const key of [made.secret, made.publicKey])
        await expect(verifyWebhook(body, changed, key)).rejects.toThrow(WebhookError);
    }
    const minute = 60_000;
    const check = (now: number) => verifyWebhook(got!.body, headers, made.secret, { now });
    const at = Number(headers['webhook-timestamp']) * 1000;
    await expect(check(at + 4 * minute)).resolves.toBeDefined();
    for (const now of [at + 6 * minute, at - 6 * minute]) await expect(check(now)).rejects.toThrow('too old');
  });

  it('are signed by both secrets after a rotation', async () => {
    const rotated = await run<WebhookSecret>('webhooks', 'rotate', id);
    expect(rotated.webhook).toMatchObject({ secretNumber: 2, previousSecretUntil: expect.any(String) });
    await run('webhooks', 'test', id);
    const got = received.at(-1)!;
    for (const { secret, publicKey } of [made, rotated]) {
      expect(() => new StandardWebhook(secret).verify(got.body, headersOf(got))).not.toThrow();
      expect(() => new SvixWebhook(secret).verify(got.body, headersOf(got))).not.toThrow();
      expect(await isSignedBy(got, publicKey)).toBe(true);
    }
    // Earlier requests are not signed with the new secret.
    expect(await isSignedBy(received[0]!, rotated.secret)).toBe(false);
    expect(await isSignedBy(received[0]!, rotated.publicKey)).toBe(false);
  });

  it.each([
    ['redirects', 302, 'REDIRECT'],
    ['fails', 503, 'HTTP_503'],
    ['is gone', 410, 'GONE'],
    ['breaks the connection off', 'broken', 'UNREACHABLE'],
  ] as const)('have a named error if the receiver %s, and follow nothing', async (_what, given, error) => {
    mode = given;
    const before = received.length;
    const { code, errors } = await failing('webhooks', 'test', id);
    expect([code, errors]).toEqual([1, expect.stringContaining('did not accept the test notice')]);
    expect(received).toHaveLength(before + 1);
    const { deliveries } = await run<{ deliveries: DeliveryInfo[] }>(
      'webhooks',
      'deliveries',
      id,
      '--limit',
      '1',
    );
    expect(deliveries[0]).toMatchObject({ state: 'failed', type: 'test', log: [{ error }] });
  });

  it.each(['huge', 'endless', 'slow'] as const)(
    'are delivered by the status alone: a body is %s',
    async (given) => {
      mode = given;
      expect(await run<DeliveryInfo>('webhooks', 'test', id)).toMatchObject({ state: 'delivered' });
    },
  );

  it('are listed, disabled, enabled and removed, with an audit chain', async () => {
    mode = 204;
    await run('webhooks', 'disable', id);
    expect(await failing('webhooks', 'replay', id, '--notice', '1')).toMatchObject({
      errors: expect.stringContaining('enable it first'),
    });
    expect(await run('webhooks', 'enable', id, '--skip')).toMatchObject({ state: 'enabled', waiting: 0 });
    const before = received.length;
    expect(await run('webhooks', 'replay', id, '--notice', '1')).toEqual({ replayed: 1, more: false });
    await expect
      .poll(() => received.slice(before).map(({ headers }) => headers['webhook-id']), WAIT)
      .toEqual(['acme-1']);
    expect(await failing('webhooks', 'replay', id)).toMatchObject({ code: 2 });
    const list = await as(senders.sender, () => numgate('webhooks', 'list', ...ACME));
    expect(list.out).toMatch(new RegExp(`${id}.*all.*enabled`));
    const notices = await as(senders.sender, () => numgate('notices', 'list', '--limit', '2', ...ACME));
    expect(notices.out).toMatch(/kr\.numgate\.test\.v1.*yes[\s\S]*--after 2/);
    const shown = await as(senders.sender, () => numgate('notices', 'show', '1', ...ACME));
    expect(shown.out).toContain('This is a test.');
    expect(await run('webhooks', 'remove', id)).toEqual({ id, removed: true });
    expect(await run('webhooks', 'list')).toEqual({ webhooks: [] });
    const audit = await as(senders.sender, () => numgate('webhooks', 'audit', ...ACME));
    expect(
      audit.out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { action: string }).action),
    ).toEqual(
      ['add', 'rotate', 'disable', 'enable', 'replay', 'remove'].map((action) => `webhooks.${action}`),
    );
    expect(audit.out).not.toContain(made.secret.slice(6));
  });
});
