/** The server of the example issuer answers every request. It must not crash, because it runs in the process of `npm start`. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { Issuer } from '../../../examples/issuer/issuer.ts';
import { issuerServer } from '../../../examples/issuer/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'numgate-issuer-'));
const issuer = await Issuer.create(folder, {
  iss: 'https://issuer.example',
  statusUri: 'https://issuer.example/status-lists/1',
});
const server = issuerServer(issuer).listen(0, '127.0.0.1');
await once(server, 'listening');

afterAll(() => {
  server.close();
  issuer.close();
  rmSync(folder, { recursive: true });
});

test.each([
  ['/status-lists/1', 200],
  ['/.well-known/jwks.json', 200],
  ['/issued.sqlite', 404],
  ['//', 404],
  ['http://[', 404],
])('%s: %i', async (target, status) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`GET ${target} HTTP/1.1\r\nhost: issuer.example\r\nconnection: close\r\n\r\n`);
  expect((await text(socket)).split(' ')[1]).toBe(String(status));
});
