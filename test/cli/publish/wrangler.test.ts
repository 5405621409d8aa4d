/** What wrangler receives from this process, and how its failures are reported. */
import '../support/workspace.ts';
import { chmodSync, readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { kvOf, wrangler } from '../../../cli/publish/wrangler.ts';
import { SECRETS, write } from '../support/workspace.ts';

const { execPath } = process;
afterEach(() => {
  process.execPath = execPath;
  vi.unstubAllEnvs();
});

it('reports why Node did not start', async () => {
  process.execPath = '/missing/node';
  await expect(wrangler(['kv', 'key', 'list'])).rejects.toThrow(
    'wrangler kv key list failed (exit ENOENT):\nspawn /missing/node ENOENT',
  );
});

it('reports why wrangler ended before it read its input', async () => {
  // The input exceeds a pipe buffer, so wrangler ends while it is being written.
  process.execPath = write('refusing', '#!/bin/sh\necho no such secret >&2\nexit 3\n');
  chmodSync(process.execPath, 0o755);
  await expect(wrangler(['secret', 'put', 'NAME'], 'x'.repeat(1_000_000))).rejects.toThrow(
    'wrangler secret put NAME failed (exit 3):\nno such secret',
  );
});

/** A wrangler whose first calls to KV fail with this output. Later calls list no keys. @returns the number of calls */
function failingKv(times: number, failure: string): () => number {
  const calls = write('calls', '');
  process.execPath = write(
    'failing-kv',
    `#!/bin/sh\necho call >> ${calls}\nif [ $(wc -l < ${calls}) -gt ${times} ]; then echo '[]'; exit 0; fi\necho '${failure}' >&2\nexit 1\n`,
  );
  chmodSync(process.execPath, 0o755);
  return () => readFileSync(calls, 'utf8').split('\n').length - 1;
}

// Both are real output of wrangler. The first one appears while another process writes the local store.
it.each([
  'KV PUT failed: 500 Internal Server Error',
  'Received a malformed response from the API\n<html> 503 Service Unavailable',
])('repeats a call to KV that failed for a moment: %s', async (failure) => {
  const calls = failingKv(2, failure);
  await expect(kvOf({ remote: false, env: '' }).keys('m/')).resolves.toEqual([]);
  expect(calls()).toBe(3);
});

it('does not repeat a call to KV that is refused', async () => {
  const calls = failingKv(2, 'Authentication error [code: 10000]');
  await expect(kvOf({ remote: false, env: '' }).keys('m/')).rejects.toThrow('Authentication error');
  expect(calls()).toBe(1);
});

it('passes what wrangler reads, and no secret of the installation', async () => {
  const passed = {
    ...{ HTTPS_PROXY: 'http://proxy:1', no_proxy: 'localhost', LC_ALL: 'C.UTF-8', TMPDIR: '/tmp' },
    ...{ CLOUDFLARE_API_TOKEN: 'token', CLOUDFLARE_ACCOUNT_ID: 'account', WRANGLER_LOG_PATH: '/tmp/logs' },
    ...{ XDG_CONFIG_HOME: '/tmp/config', NODE_EXTRA_CA_CERTS: '/tmp/ca.pem' },
  };
  const kept = { ...SECRETS, NUMGATE_TOKEN: SECRETS.ADMIN_TOKEN, AWS_SECRET_ACCESS_KEY: 'aws', NEWER: 'x' };
  for (const [name, value] of Object.entries({ ...passed, ...kept })) vi.stubEnv(name, value);
  process.execPath = write('env', '#!/bin/sh\nenv\n');
  chmodSync(process.execPath, 0o755);
  const printed = await wrangler(['kv', 'key', 'list']);
  const given = Object.fromEntries(printed.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  expect(given).toMatchObject({ ...passed, PATH: process.env.PATH, CI: '1', WRANGLER_SEND_METRICS: 'false' });
  expect(Object.keys(given).filter((name) => name in kept)).toEqual([]);
  for (const secret of Object.values(kept)) expect(printed.split(/[=\n]/)).not.toContain(secret);
});
