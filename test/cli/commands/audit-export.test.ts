/**
 * The continuous export from the real service to a server on this machine. Its pieces are files that `audit verify` accepts,
 * and a redirect receives nothing.
 */
import '../support/workspace.ts';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { type Service, startService } from '../../../cli/local/service.ts';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { numgate } from '../support/command.ts';
import { serviceSecrets } from '../support/service.ts';
import { FOLDER, SECRETS, write } from '../support/workspace.ts';

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly path: string | undefined;
  readonly body: string;
}

const received: Received[] = [];
/** Status of the responses. Any status but 200 is a redirect to this server. */
let status = 200;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { headers, url: path } = request;
    received.push({ headers, path, body: Buffer.concat(chunks).toString() });
    response.writeHead(status, status === 200 ? {} : { location: '/elsewhere' }).end();
  });
});
let service: Service;
let admin: Admin;

async function addOrganisation(id: string): Promise<void> {
  const organisation = { id, displayName: '대표', roles: ['operator'] };
  await admin.change('PUT', `organisations/${id}`, { organisation, reason: 'a "test"' });
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sink = { AUDIT_SINK_URL: `http://127.0.0.1:${port}/log`, AUDIT_SINK_TOKEN: 't0k3n' };
  service = await startService({
    ...{ port: 0, secrets: { ...(await serviceSecrets()), ...sink }, state: join(FOLDER, 'export-state') },
    ...{ bundleFolder: await sharedBundle(), isBundled: true },
  });
  process.env.NUMGATE_URL = service.url;
  admin = new Admin({ url: service.url, token: SECRETS.ADMIN_TOKEN });
});
afterAll(async () => {
  await service.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('the export of the audit log', () => {
  it('arrives as pieces and checkpoints that verify as files', async () => {
    for (const id of ['one', 'two']) await addOrganisation(id);
    await service.runCron();
    await addOrganisation('three');
    await service.runCron();
    expect(received.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'audit/000000000000001-000000000000002.ndjson',
      'audit/checkpoints/000000000000002.txt',
      'audit/000000000000003-000000000000003.ndjson',
    ]);
    for (const { headers, path } of received)
      expect([path, headers.authorization]).toEqual(['/log', 'Bearer t0k3n']);
    const files = received.map(({ body }, at) => write(`piece-${at}`, body));
    const { out: key } = await numgate('audit', 'key');
    const pieces = [files[0]!, files[2]!];
    const verified = await numgate(
      'audit',
      'verify',
      ...pieces,
      '--checkpoint',
      files[1]!,
      '--key',
      key.trim(),
    );
    expect([verified.code, verified.errors]).toEqual([0, '']);
    expect(verified.out).toContain('3 records verified');
    expect(verified.out).toContain('records 1 to 2 are unchanged');
    expect((await numgate('audit', 'verify', files[0]!)).code).toBe(0);
    expect((await numgate('audit', 'verify', files[2]!)).code).toBe(1);
    expect((await numgate('status')).out).toContain('export to https: 3 of 3 records');
  });

  it('follows no redirect, and says so in the status', async () => {
    status = 307;
    const before = received.length;
    await addOrganisation('four');
    await service.runCron();
    expect(received.slice(before).map(({ path }) => path)).toEqual(['/log']);
    const { audit } = await admin.get<StatusInfo>('status');
    expect(audit.exports).toMatchObject([{ sink: 'https', n: 3, error: 'the server returned 307' }]);
    expect(JSON.stringify(audit)).not.toMatch(/t0k3n|127\.0\.0\.1/);
  });
});
