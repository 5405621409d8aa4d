/** `npm start` with a state that has changed since its creation: by other secrets, or by lost or damaged values. */
import { HANG_MS } from '../shared/support/hang.ts';
import './support/workspace.ts';
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Admin } from '../../cli/admin.ts';
import type { BuildResult } from '../../cli/commands/build.ts';
import { push } from '../../cli/commands/push.ts';
import { healthOf } from '../../cli/commands/watch.ts';
import type * as Bundles from '../../cli/local/bundle.ts';
import { localSecrets, workerSecrets } from '../../cli/local/secrets.ts';
import { startService } from '../../cli/local/service.ts';
import type * as Paths from '../../cli/paths.ts';
import { BUNDLE } from '../../cli/paths.ts';
import { kvOf } from '../../cli/publish/wrangler.ts';
import type { LocalSecrets } from '../../cli/secrets.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { sharedBundle } from '../support/shared-bundle.ts';
import { buildOf } from './support/builds.ts';
import { spawnNumgate } from './support/command.ts';
import { FOLDER, SECRETS, write } from './support/workspace.ts';

// Use other paths, so that the developer's own secrets stay untouched.
vi.mock('../../cli/paths.ts', async (original) => {
  const paths = await original<typeof Paths>();
  const place = (name: string): string => paths.STATE.replace(/state$/, name);
  return {
    ...paths,
    ...{ SECRETS_FILE: place('secrets.json'), DEV_VARS_FILE: place('dev.vars'), BUNDLE: place('bundle') },
    BUILDS: place('builds/started'),
  };
});

// Making a bundle takes wrangler seconds, so each start copies the shared bundle of the test run.
vi.mock('../../cli/local/bundle.ts', async (original) => {
  const bundles = await original<typeof Bundles>();
  return {
    ...bundles,
    bundle: async (env: string, outdir: string) => {
      if (outdir !== BUNDLE) return bundles.bundle(env, outdir);
      cpSync(await sharedBundle(), outdir, { recursive: true });
      return bundles.readBundle(outdir);
    },
  };
});

const STATE = join(FOLDER, 'state');
/** A busy machine may respond late. */
const WAIT = { timeout: HANG_MS };
let started: BuildResult;
/** The demo issuer at each start. */
const issuers: object[] = [];

/** Runs `npm start` until it serves, calls `look`, and stops it. @returns the output and the exit code */
async function startAgain(
  look: (url: string, printed: string) => Promise<void> = async () => undefined,
): Promise<{ code: unknown; output: string }> {
  const before = process.listeners('SIGTERM');
  const ended = Promise.withResolvers<unknown>();
  vi.spyOn(process, 'exit').mockImplementation(((status: unknown) => ended.resolve(status)) as never);
  let output = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    const url = /numgate is running on \S*?(http:\/\/localhost:\d+)/.exec(String(text))?.[1];
    if (url === undefined) return true;
    output += String(text);
    const stop = process.listeners('SIGTERM').findLast((listener) => !before.includes(listener));
    look(url, String(text)).then(() => stop?.('SIGTERM'), ended.reject);
    return true;
  });
  vi.resetModules();
  await import('../../cli/start.ts');
  return { code: await ended.promise, output };
}

beforeAll(async () => {
  const secrets: LocalSecrets = {
    ...SECRETS,
    ...{ DEMO_CLIENT_KEY: `demo.${'b'.repeat(43)}`, DEMO_PARTNER_KEY: `demo-partner.${'c'.repeat(43)}` },
    DEMO_FEED_KEY: `demo-feed.${'d'.repeat(43)}`,
  };
  write('secrets.json', JSON.stringify(secrets));
  const service = await startService({ port: 0, secrets: await workerSecrets(secrets) });
  try {
    started = await buildOf('started');
    const { folder } = started;
    const ports = {
      kv: kvOf({ remote: false, env: '' }),
      admin: new Admin({ url: service.url, token: SECRETS.ADMIN_TOKEN }),
    };
    await push(folder, ports, {
      ...{ unproven: true, reason: 'a test' },
    });
  } finally {
    await service.stop();
  }
  process.env.PORT = '0';
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('npm start', () => {
  it('with a state that another process serves stops and names that process', async () => {
    const claim = write('state/running.json', JSON.stringify({ pid: process.ppid, port: 18_900 }));
    const { code, output } = await startAgain();
    rmSync(claim);
    expect(code).toBe(1);
    expect(output).toContain(`this installation is already running on port 18900 (process ${process.ppid})`);
  });

  it('with a state of an older version stops and says what to do', async () => {
    const old = join(STATE, 'v3', 'do', 'numgate-Authority');
    mkdirSync(old);
    const { code, output } = await startAgain();
    rmSync(old, { recursive: true });
    expect(code).toBe(1);
    expect(output).toContain(`${STATE} was created by numgate 0.1.0, which this version cannot read`);
    expect(output).toContain('delete that folder and start again');
  });

  it('with a state of other secrets stops and says what to do', async () => {
    const others = { ...(await localSecrets()), LIST_KEY: btoa('x'.repeat(32)) };
    write('secrets.json', JSON.stringify(others));
    process.env.LIST_KEY = others.LIST_KEY;
    const { code, output } = await startAgain();
    process.env.LIST_KEY = SECRETS.LIST_KEY;
    write('secrets.json', JSON.stringify({ ...others, LIST_KEY: SECRETS.LIST_KEY }));
    expect(code).toBe(1);
    expect(output).toContain(
      `${STATE} was created with other secrets than those in ${join(FOLDER, 'secrets.json')}`,
    );
    expect(output).toContain('Restore those secrets. Only if you need nothing in that folder, delete it');
  });

  it('with a lost and a damaged value uploads them again', async () => {
    const keys = blobsOf(started.manifest).map(({ key }) => key);
    await change(async (lists) => {
      await lists.delete(keys[0]!);
      await lists.put(keys[1]!, new Uint8Array(5).buffer);
    });
    const { code, output } = await startAgain(async (url, printed) => {
      issuers.push(await issuerIn(printed));
      expect(await reportedWith(printed, url)).toEqual({ reportId: 'demo', status: 'accepted' });
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'ok' });
      // A command finds the service and sends it the local token, without a port in its environment.
      for (const name of ['NUMGATE_URL', 'NUMGATE_TOKEN', 'PORT']) vi.stubEnv(name, undefined);
      const status = await spawnNumgate('status');
      vi.unstubAllEnvs();
      expect(status).toMatchObject({ code: 0, errors: '', out: expect.stringContaining(`${url} uses`) });
    });
    expect([code, output]).toEqual([0, expect.stringContaining('numgate is running on')]);
    expect(output).toContain(
      `the local KV has lost 2 of ${keys.length} values of ${started.manifest.release}, or holds them damaged`,
    );
    expect(output).not.toContain('delete');
  });

  it('without the build starts anyway, and says how to repair it', async () => {
    const { release } = started.manifest;
    await change((lists) => lists.delete(blobsOf(started.manifest)[0]!.key));
    const { path } = started.folder;
    renameSync(path, `${path}.kept`);
    const { code, output } = await startAgain(async (url, printed) => {
      issuers.push(await issuerIn(printed));
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'degraded', release });
    });
    renameSync(`${path}.kept`, path);
    expect([code, output]).toEqual([0, expect.stringContaining('numgate is running on')]);
    expect(output).toContain(`${path} does not exist`);
    expect(output).toContain(`npx numgate push ${path} --all\n`);
    expect(output.indexOf('delete')).toBeGreaterThan(output.indexOf('--all'));
    expect(output).toContain('that destroys its\nclients, keys, tokens, live entries and audit log');
  });

  it('keeps the key and the address of the demo issuer, and ends it', async () => {
    expect(issuers).toHaveLength(2);
    expect(issuers[1]).toEqual(issuers[0]);
    const { url } = issuers[0] as { readonly url: string };
    await expect(fetch(url)).rejects.toThrow();
  });

  it('with an empty KV uploads all values again', async () => {
    const { path } = started.folder;
    rmSync(join(STATE, 'v3', 'kv'), { recursive: true });
    renameSync(path, `${path}.kept`);
    const without = await startAgain(async (url) => {
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'degraded' });
    });
    renameSync(`${path}.kept`, path);
    expect([without.code, without.output]).toEqual([0, expect.stringContaining('numgate is running on')]);
    const { code, output } = await startAgain(async (url) => {
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'ok' });
    });
    expect([code, output]).toEqual([0, expect.stringContaining('numgate is running on')]);
  });
});

/** The demo issuer of this start, by its output. */
async function issuerIn(printed: string): Promise<object> {
  const [, url = ''] = /issuer of sender certificates serves (\S+)/.exec(printed) ?? [];
  const list = await fetch(`${url}/status-lists/1`);
  expect(list.headers.get('content-type')).toBe('application/statuslist+jwt');
  return { url, keys: await (await fetch(`${url}/.well-known/jwks.json`)).json() };
}

/** Sends a report with the key of this start's mock partner. @returns the answer */
async function reportedWith(printed: string, url: string): Promise<unknown> {
  const [, key = ''] = /PARTNER_KEY=(\S+)/.exec(printed) ?? [];
  const report = {
    ...{ reportId: 'demo', from: '010-0000-1234', channel: 'sms', at: new Date().toISOString() },
    ...{ kind: 'loan', origin: 'domestic', reporter: 'somebody' },
  };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const sent = await fetch(`${url}/v1/reports`, { method: 'POST', headers, body: JSON.stringify(report) });
  return sent.json();
}

/** Changes the local KV while no service uses it. */
async function change(
  work: (lists: Awaited<ReturnType<Miniflare['getKVNamespace']>>) => Promise<unknown>,
): Promise<void> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: join(STATE, 'v3'),
      cf: false,
      modules: true,
      script: 'export default {}',
      kvNamespaces: { LISTS: 'numgate-lists' },
    }),
  );
  await work(await miniflare.getKVNamespace('LISTS')).finally(() => miniflare.dispose());
}
