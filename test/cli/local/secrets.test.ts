/** The secrets that `npm start` creates. It creates only missing ones, and never replaces those of existing data. */
import '../support/workspace.ts';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { localSecrets } from '../../../cli/local/secrets.ts';
import type * as Paths from '../../../cli/paths.ts';
import type { LocalSecrets } from '../../../cli/secrets.ts';
import { failureOf } from '../support/failing.ts';
import { FOLDER, write } from '../support/workspace.ts';

// Use other paths, so that the developer's own secrets stay untouched.
vi.mock('../../../cli/paths.ts', async (original) => {
  const paths = await original<typeof Paths>();
  const place = (name: string): string => paths.STATE.replace(/state$/, name);
  return { ...paths, SECRETS_FILE: place('secrets.json'), DEV_VARS_FILE: place('dev.vars') };
});

const FILE = join(FOLDER, 'secrets.json');
const DEV_VARS = join(FOLDER, 'dev.vars');
const stored = (): LocalSecrets => JSON.parse(readFileSync(FILE, 'utf8')) as LocalSecrets;

afterEach(() => {
  for (const path of [FILE, DEV_VARS]) rmSync(path, { force: true });
});

describe('local secrets', () => {
  it('are created if there are none, readable only by their owner, and then stay the same', async () => {
    const made = await localSecrets();
    expect(Object.keys(made).sort()).toEqual([
      'ADMIN_TOKEN',
      'CHECKPOINT_KEY',
      'CREDENTIAL_KEY',
      'DEMO_CLIENT_KEY',
      'DEMO_FEED_KEY',
      'DEMO_PARTNER_KEY',
      'LIST_KEY',
      'RELEASE_PUBLIC_KEYS',
      'RELEASE_SIGNING_KEY',
      'SHARING_KEY',
      'TEXT_KEY',
    ]);
    expect(stored()).toEqual(made);
    expect(await localSecrets()).toEqual(made);
    expect([FILE, DEV_VARS].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
    const shared = readFileSync(DEV_VARS, 'utf8');
    const digest = createHash('sha256').update(made.ADMIN_TOKEN.replace('root.', '')).digest('hex');
    expect(shared.split('\n')).toEqual([
      `LIST_KEY='${made.LIST_KEY}'`,
      `RELEASE_PUBLIC_KEYS='${made.RELEASE_PUBLIC_KEYS}'`,
      `CHECKPOINT_KEY='${made.CHECKPOINT_KEY}'`,
      `CREDENTIAL_KEY='${made.CREDENTIAL_KEY}'`,
      `SHARING_KEY='${made.SHARING_KEY}'`,
      `TEXT_KEY='${made.TEXT_KEY}'`,
      `ROOT_TOKEN_SHA256='${digest}'`,
      '',
    ]);
    expect(made.ADMIN_TOKEN).toMatch(/^root\.[\w-]{43}$/);
  });

  it('that others may read become private', async () => {
    await localSecrets();
    for (const path of [FILE, DEV_VARS]) chmodSync(path, 0o644);
    chmodSync(FOLDER, 0o755);
    await localSecrets();
    expect([FILE, DEV_VARS, FOLDER].map((path) => statSync(path).mode & 0o777)).toEqual([
      ...[0o600, 0o600, 0o700],
    ]);
  });

  it.each([
    ['LIST_KEY'],
    ['DEMO_CLIENT_KEY'],
    ['DEMO_PARTNER_KEY'],
    ['DEMO_FEED_KEY'],
    ['ADMIN_TOKEN'],
    ['CHECKPOINT_KEY'],
    ['CREDENTIAL_KEY'],
    ['SHARING_KEY'],
    ['RELEASE_SIGNING_KEY', 'RELEASE_PUBLIC_KEYS'],
    ['LIST_KEY', 'DEMO_CLIENT_KEY'],
  ] as const)('are kept, and only missing ones are created: %s', async (...missing) => {
    const before = await localSecrets();
    const kept = Object.entries(before).filter(([name]) => !(missing as readonly string[]).includes(name));
    write('secrets.json', JSON.stringify(Object.fromEntries(kept)));
    const after = await localSecrets();
    expect(after).toMatchObject(Object.fromEntries(kept));
    expect(stored()).toEqual(after);
    for (const name of missing) {
      expect(after[name]).toBeTypeOf('string');
      expect(after[name]).not.toBe(before[name]);
    }
  });

  it.each(['RELEASE_SIGNING_KEY', 'RELEASE_PUBLIC_KEYS'] as const)(
    'with only %s of its pair are left unchanged',
    async (name) => {
      const text = JSON.stringify({ [name]: (await localSecrets())[name] });
      write('secrets.json', text);
      const { message } = await failureOf(() => localSecrets());
      expect(message).toBe(`${FILE} has only one key of the pair that signs releases: restore the other`);
      expect(readFileSync(FILE, 'utf8')).toBe(text);
    },
  );

  it('that are damaged are left unchanged', async () => {
    write('secrets.json', '{');
    expect((await failureOf(() => localSecrets())).message).toMatch(/secrets\.json is damaged: restore it/);
    expect([readFileSync(FILE, 'utf8'), existsSync(DEV_VARS)]).toEqual(['{', false]);
  });
});
