/**
 * `lists status`: with and without a head, with and without a service.
 */
import './support/workspace.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { status } from '../../cli/commands/status.ts';
import { signHead } from '../../shared/release/head.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { buildOf, HOME } from './support/builds.ts';
import { lists } from './support/command.ts';
import { failureOf } from './support/failing.ts';
import { putText } from './support/kv.ts';
import { FOREIGN_KEY, SECRETS, SIGNING_KEY } from './support/workspace.ts';

const target = { remote: false, env: '' };

/** A service that says what it is told to. */
let answer = '';
const service = createServer((request, response) => {
  response.statusCode = request.url === '/healthz' ? 503 : 404;
  response.end(answer);
});

describe('status', () => {
  let url = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  });
  afterAll(() => service.close());

  it('without a head and without a service says so, and how to begin', async () => {
    process.env.NUMGATE_URL = 'http://127.0.0.1:1';
    const { code, out } = await lists('status');
    expect(code).toBe(0);
    expect(out).toBe(
      'no release is current: npm run lists -- build, prove, push\nhttp://127.0.0.1:1 does not answer\n',
    );
    process.env.NUMGATE_URL = 'no url';
    expect(await status(target)).toEqual({ head: null, manifest: null, service: null, url: 'no url' });
  });

  it('with both shows the release of each', async () => {
    const { folder, manifest } = await buildOf('status');
    const promotedAt = '2026-11-24T03:12:09.000Z';
    const head = await signHead({ seq: 7, promotedAt, manifest: folder.manifest }, SIGNING_KEY);
    await putText(HEAD_KEY, JSON.stringify(head));
    process.env.NUMGATE_URL = url;
    answer = '{"status":"ok","release":"20261124T0312Z-00000000"}';
    const [{ out: text }, { code, out }] = await Promise.all([lists('status'), lists('status', '--json')]);
    expect(text).toContain(`${manifest.release}, seq 7, current since ${promotedAt}`);
    expect(text).toContain(`suspended │ NUMBER_SUSPENDED`);
    expect(text).toContain(HOME.length.toLocaleString('en'));
    expect(text).toContain(`${url} answers from 20261124T0312Z-00000000 (ok)`);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      head: { release: manifest.release, seq: 7, promotedAt },
      lists: manifest.lists,
      service: { status: 'ok', release: '20261124T0312Z-00000000' },
      url,
    });
  });

  it('takes a service that answers no JSON for none', async () => {
    process.env.NUMGATE_URL = url;
    answer = '<html>';
    expect(await status(target)).toMatchObject({ head: { seq: 7 }, service: null });
  });

  it('says when the release was made with other secrets', async () => {
    process.env.LIST_KEY = btoa('y'.repeat(32));
    const failure = await failureOf(() => status(target));
    process.env.LIST_KEY = SECRETS.LIST_KEY;
    expect(failure.message).toMatch(/the release was made with LIST_KEY/);
  });

  it('says when the head is signed by another key, and names no release', async () => {
    const { folder, manifest } = await buildOf('foreign');
    const promotedAt = '2026-11-24T03:12:09.000Z';
    const head = await signHead({ seq: 8, promotedAt, manifest: folder.manifest }, FOREIGN_KEY);
    await putText(HEAD_KEY, JSON.stringify(head));
    const { code, out, errors } = await lists('status');
    expect([code, out]).toEqual([1, '']);
    expect(errors).toMatch(/^error: the head is not signed by a key this service trusts; .*--replace-head/);
    expect(errors).not.toContain(manifest.release);
  });
});

describe('wrangler that fails', () => {
  it('is quoted in its own words, without colours and without a stack', async () => {
    const { code, out, errors } = await lists('status', '--env', 'nosuch');
    expect([code, out]).toEqual([1, '']);
    expect(errors).toMatch(/^error: wrangler kv key get failed \(exit 1\):\n/);
    expect(errors).toContain('No environment found in configuration with name "nosuch"');
    expect(errors).not.toMatch(/\n\s+at /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for
    expect(errors).not.toMatch(/\u001b/);
  });
});
