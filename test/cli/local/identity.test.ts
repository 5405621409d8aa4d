/** The local token is sent only to the service that this installation's `npm start` runs. */
import '../support/workspace.ts';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../../cli/local/free-port.ts';
import { proveService } from '../../../cli/local/identity.ts';
import type { Claim } from '../../../cli/local/state-claim.ts';
import { numgate, spawnNumgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';
import { FOLDER, SECRETS, write } from '../support/workspace.ts';

const CLAIM = join(FOLDER, 'state', 'running.json');
const claimed = (): Claim => JSON.parse(readFileSync(CLAIM, 'utf8')) as Claim;
const claim = (more: object): unknown =>
  write('state/running.json', JSON.stringify({ ...claimed(), ...more }));

beforeEach(() => {
  write('state/running.json', JSON.stringify({ pid: process.pid, port: 0 }));
  for (const name of ['NUMGATE_URL', 'NUMGATE_TOKEN', 'PORT']) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(CLAIM);
});

/** A running service, with the requests that it received. */
async function service() {
  const { url, requests } = await fakeService(() => ({ body: { releases: [] } }));
  return { url, port: Number(new URL(url).port), requests };
}

/** Standard error of a command that needs the token. */
const errorsOf = async (): Promise<string> => (await numgate('releases')).errors;

const refused = (url: string, why: string): string =>
  `error: NUMGATE_TOKEN is not set, and ${url} is not the service of this installation: ${why}, or set NUMGATE_TOKEN\n`;
const NOT_RUNNING = 'no such service is running. Start it with npm start';

it('the service of this installation gets the token, wherever it runs', async () => {
  const { port, requests } = await service();
  await proveService(port);
  expect(claimed()).toMatchObject({ pid: process.pid, port });
  for (const url of ['', `http://localhost:${port}`, `http://127.0.0.1:${port}/`]) {
    vi.stubEnv('NUMGATE_URL', url);
    expect(await errorsOf()).toBe('');
  }
  vi.stubEnv('PORT', `${port}`);
  expect(await errorsOf()).toBe('');
  const tokens = requests.map(({ headers }) => headers.authorization);
  expect(tokens).toEqual(Array(4).fill(`Bearer ${SECRETS.ADMIN_TOKEN}`));
});

it('a service that is stopping proves nothing any more', async () => {
  const { port, url, requests } = await service();
  const end = await proveService(port);
  expect(await errorsOf()).toBe('');
  const open = connect(claimed().proof!.port, '127.0.0.1');
  await once(open, 'connect');
  end();
  open.end(Buffer.alloc(32));
  expect(await buffer(open)).toHaveLength(0);
  const before = requests.length;
  expect(await errorsOf()).toBe(refused(url.replace('127.0.0.1', 'localhost'), NOT_RUNNING));
  expect(requests).toHaveLength(before);
});

it('another service at the requested port gets no request, and the error names both', async () => {
  const [own, other] = [await service(), await service()];
  await proveService(own.port);
  vi.stubEnv('PORT', `${other.port}`);
  const why = `that service runs at http://localhost:${own.port}. Set NUMGATE_URL to it`;
  expect(await errorsOf()).toBe(refused(`http://localhost:${other.port}`, why));
  vi.stubEnv('NUMGATE_URL', other.url);
  expect(await errorsOf()).toBe(refused(other.url, why));
  expect([own.requests, other.requests]).toEqual([[], []]);
});

it.each<[string, () => Promise<object>]>([
  ['of a service that has not started yet', async () => ({ proof: undefined })],
  ['whose process has ended', async () => ({ proof: { ...claimed().proof!, port: await freePort() } })],
  ['with another key', async () => ({ proof: { ...claimed().proof!, key: 'ab'.repeat(32) } })],
  ['that is damaged', async () => ({ proof: 1 })],
])('a claim %s proves nothing', async (_what, changes) => {
  const { port, url, requests } = await service();
  await proveService(port);
  claim(await changes());
  expect(await errorsOf()).toBe(refused(url.replace('127.0.0.1', 'localhost'), NOT_RUNNING));
  expect(requests).toEqual([]);
});

it('a relay in front of the service proves nothing, because the proof covers the port', async () => {
  const [own, relay] = [await service(), await service()];
  await proveService(own.port);
  claim({ port: relay.port });
  expect(await errorsOf()).toBe(refused(`http://localhost:${relay.port}`, NOT_RUNNING));
  expect(relay.requests).toEqual([]);
});

it.each<[string, (socket: Socket) => unknown]>([
  ['too much', (socket) => socket.end(Buffer.alloc(1_000_000))],
  ['too little', (socket) => socket.end('x')],
  ['a wrong proof', (socket) => socket.end(Buffer.alloc(32))],
  ['nothing', (socket) => socket.destroy()],
])('a process that answers %s proves nothing', async (_what, answer) => {
  const { port, requests } = await service();
  const impostor = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void impostor.close());
  await proveService(port);
  claim({ proof: { ...claimed().proof!, port: (impostor.address() as { port: number }).port } });
  expect(await errorsOf()).toContain(NOT_RUNNING);
  expect(requests).toEqual([]);
});

it('without any service the error says so, and a given token is sent as before', async () => {
  rmSync(CLAIM);
  expect(await errorsOf()).toBe(refused('http://localhost:8787', NOT_RUNNING));
  const { url, requests } = await service();
  vi.stubEnv('NUMGATE_URL', url);
  vi.stubEnv('NUMGATE_TOKEN', 'night.x');
  expect(await errorsOf()).toBe('');
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer night.x']);
  write('state/running.json', '{}');
});

it.each([undefined, 'example.com', '*'])(
  'a proxy of the environment sees no request (NO_PROXY %s)',
  async (others) => {
    const { port, requests } = await service();
    await proveService(port);
    let seen = 0;
    const proxy = createServer((socket) => {
      seen++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${(proxy.address() as { port: number }).port}`);
    vi.stubEnv('http_proxy', undefined);
    vi.stubEnv('NO_PROXY', others);
    vi.stubEnv('no_proxy', undefined);
    expect((await spawnNumgate('releases')).errors).toBe('');
    expect([seen, requests.length]).toEqual([0, 1]);
  },
);
