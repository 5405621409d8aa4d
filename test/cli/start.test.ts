/**
 * `npm start` where it must not go on: over a state that was made with other secrets, or has lost values.
 */
import './support/workspace.ts';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Admin } from '../../cli/admin.ts';
import { push } from '../../cli/commands/push.ts';
import type * as Paths from '../../cli/paths.ts';
import { type LocalSecrets, localSecrets, workerSecrets } from '../../cli/secrets.ts';
import { startService } from '../../cli/service.ts';
import { kvOf } from '../../cli/wrangler.ts';
import { buildOf } from './support/builds.ts';
import { FOLDER, SECRETS, write } from './support/workspace.ts';

// The secrets of whoever runs this are not to be touched: only their places are others here.
vi.mock('../../cli/paths.ts', async (original) => {
  const paths = await original<typeof Paths>();
  const place = (name: string): string => paths.STATE.replace(/state$/, name);
  return {
    ...paths,
    ...{ SECRETS_FILE: place('secrets.json'), DEV_VARS_FILE: place('dev.vars'), BUNDLE: place('bundle') },
  };
});

const STATE = join(FOLDER, 'state');

/** What `npm start` says until it ends, and its exit code. */
async function startAgain(): Promise<{ code: unknown; said: string }> {
  const ended = Promise.withResolvers<unknown>();
  vi.spyOn(process, 'exit').mockImplementation(((status: unknown) => ended.resolve(status)) as never);
  let said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
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
    const { folder } = await buildOf('started');
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
    expect(said).toContain('restore those secrets, or delete that folder to begin anew');
  });

  it('over a state whose KV is gone stops, and says what to do', async () => {
    rmSync(join(STATE, 'v3', 'kv'), { recursive: true });
    const { code, said } = await startAgain();
    expect(code).toBe(1);
    expect(said).toMatch(
      /the local KV in \S+ has lost values of \d{8}T\d{4}Z-[0-9a-f]{8}:\ndelete that folder/,
    );
  });
});
