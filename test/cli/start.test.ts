/**
 * `npm start` over a state that is not as it left it: made with other secrets, or with values lost or damaged.
 */
import './support/workspace.ts';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Admin } from '../../cli/admin.ts';
import type { BuildResult } from '../../cli/commands/build.ts';
import { push } from '../../cli/commands/push.ts';
import { healthOf } from '../../cli/commands/watch.ts';
import { startService } from '../../cli/local/service.ts';
import type * as Paths from '../../cli/paths.ts';
import { kvOf } from '../../cli/publish/wrangler.ts';
import { type LocalSecrets, localSecrets, workerSecrets } from '../../cli/secrets.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { buildOf } from './support/builds.ts';
import { FOLDER, SECRETS, write } from './support/workspace.ts';

// The secrets of whoever runs this are not to be touched: only their places are others here.
vi.mock('../../cli/paths.ts', async (original) => {
  const paths = await original<typeof Paths>();
  const place = (name: string): string => paths.STATE.replace(/state$/, name);
  return {
    ...paths,
    ...{ SECRETS_FILE: place('secrets.json'), DEV_VARS_FILE: place('dev.vars'), BUNDLE: place('bundle') },
    BUILDS: place('builds/started'),
  };
});

const STATE = join(FOLDER, 'state');
/** A busy machine may not answer at once. */
const WAIT = { timeout: 60_000 };
let started: BuildResult;

/** What `npm start` says until it ends, and its exit code. Once it serves, it is looked at and stopped. */
async function startAgain(
  look: (url: string) => Promise<void> = async () => undefined,
): Promise<{ code: unknown; said: string }> {
  const before = process.listeners('SIGTERM');
  const ended = Promise.withResolvers<unknown>();
  vi.spyOn(process, 'exit').mockImplementation(((status: unknown) => ended.resolve(status)) as never);
  let said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    const url = /numgate answers on \S*?(http:\/\/localhost:\d+)/.exec(String(text))?.[1];
    if (url === undefined) return true;
    said += String(text);
    const stop = process.listeners('SIGTERM').findLast((listener) => !before.includes(listener));
    look(url).then(() => stop?.('SIGTERM'), ended.reject);
    return true;
  });
  vi.resetModules();
  await import('../../cli/start.ts');
  return { code: await ended.promise, said };
}

beforeAll(async () => {
  const secrets: LocalSecrets = { ...SECRETS, DEMO_CLIENT_KEY: `demo.${'b'.repeat(43)}` };
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
      ...{ plan: null, unproven: true, all: false, share: 1, overrides: [], reason: 'a test' },
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
  it('over a state that another one serves stops, and says where that is', async () => {
    const claim = write('state/running.json', JSON.stringify({ pid: process.ppid, port: 18_900 }));
    const { code, said } = await startAgain();
    rmSync(claim);
    expect(code).toBe(1);
    expect(said).toContain(`this installation is running already, on port 18900 (process ${process.ppid})`);
  });

  it('over a state of an older version stops, and says what to do', async () => {
    const old = join(STATE, 'v3', 'do', 'numgate-Authority');
    mkdirSync(old);
    const { code, said } = await startAgain();
    rmSync(old, { recursive: true });
    expect(code).toBe(1);
    expect(said).toContain(`${STATE} was made by numgate 0.1`);
    expect(said).toContain('delete that folder, and start again');
  });

  it('over a state that other secrets made stops, and says what to do', async () => {
    const others = { ...(await localSecrets()), LIST_KEY: btoa('x'.repeat(32)) };
    write('secrets.json', JSON.stringify(others));
    process.env.LIST_KEY = others.LIST_KEY;
    const { code, said } = await startAgain();
    process.env.LIST_KEY = SECRETS.LIST_KEY;
    write('secrets.json', JSON.stringify({ ...others, LIST_KEY: SECRETS.LIST_KEY }));
    expect(code).toBe(1);
    expect(said).toContain(
      `what is in ${STATE} was made with other secrets than ${join(FOLDER, 'secrets.json')}`,
    );
    expect(said).toContain(
      'restore those secrets. Only if nothing in it is needed any more, delete that folder',
    );
  });

  it('over a state that has lost a value and holds another damaged uploads them again', async () => {
    const keys = blobsOf(started.manifest).map(({ key }) => key);
    await change(async (lists) => {
      await lists.delete(keys[0]!);
      await lists.put(keys[1]!, new Uint8Array(5).buffer);
    });
    const { code, said } = await startAgain(async (url) => {
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'ok' });
    });
    expect([code, said]).toEqual([0, expect.stringContaining('numgate answers on')]);
    expect(said).toContain(
      `the local KV has lost 2 of ${keys.length} values of ${started.manifest.release}, or holds them damaged`,
    );
    expect(said).not.toContain('delete');
  });

  it('where the build is gone too starts all the same, and says what repairs it', async () => {
    const { release } = started.manifest;
    await change((lists) => lists.delete(blobsOf(started.manifest)[0]!.key));
    const { path } = started.folder;
    renameSync(path, `${path}.kept`);
    const { code, said } = await startAgain(async (url) => {
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'degraded', release });
    });
    renameSync(`${path}.kept`, path);
    expect([code, said]).toEqual([0, expect.stringContaining('numgate answers on')]);
    expect(said).toContain(`${path} is not there`);
    expect(said).toContain(`npx numgate push ${path} --all\n`);
    expect(said.indexOf('delete')).toBeGreaterThan(said.indexOf('--all'));
    expect(said).toContain('that destroys its\nclients, keys, tokens, live entries and audit log');
  });

  it('over a state whose KV is gone uploads all of it again', async () => {
    const { path } = started.folder;
    rmSync(join(STATE, 'v3', 'kv'), { recursive: true });
    renameSync(path, `${path}.kept`);
    const without = await startAgain(async (url) => {
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'degraded' });
    });
    renameSync(`${path}.kept`, path);
    expect([without.code, without.said]).toEqual([0, expect.stringContaining('numgate answers on')]);
    const { code, said } = await startAgain(async (url) => {
      await expect.poll(() => healthOf(url), WAIT).toMatchObject({ status: 'ok' });
    });
    expect([code, said]).toEqual([0, expect.stringContaining('numgate answers on')]);
  });
});

/** Change the local KV while no service runs over it. */
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
