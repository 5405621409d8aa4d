/**
 * The real service with the state of the workspace, and its KV. Each test file starts it once, because a start
 * takes seconds.
 */
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { type Service, startService } from '../../../cli/local/service.ts';
import type { Kv } from '../../../cli/publish/wrangler.ts';
import { secretDigest } from '../../../cli/secrets.ts';
import { retry } from '../../support/retry.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { FOLDER, SECRETS } from './workspace.ts';

/** For tests that wait until the edge shows a change. */
export const VISIBLE_WAIT_MS = 240_000;

export interface TestService extends Service {
  readonly admin: Admin;
  readonly kv: TestKv;
}

/** The KV of the service, accessed without wrangler, which takes a second per call. */
export interface TestKv extends Kv {
  /** Reads a value; null if the key has none. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  delete(key: string): Promise<void>;
  keys(prefix?: string): Promise<string[]>;
}

/** Starts the service, sets its address in the environment, and stops it after the tests of the file. */
export async function startTestService(secrets: Partial<typeof SECRETS> = {}): Promise<TestService> {
  const { ADMIN_TOKEN } = { ...SECRETS, ...secrets };
  const service = await startService({
    port: 0,
    secrets: await serviceSecrets(secrets),
    state: join(FOLDER, 'state'),
    bundleFolder: await sharedBundle(),
    isBundled: true,
  });
  process.env.NUMGATE_URL = service.url;
  const kv = await openKv();
  afterAll(() => service.stop());
  return { ...service, admin: new Admin({ url: service.url, token: ADMIN_TOKEN }), kv };
}

export async function serviceSecrets(secrets: Partial<typeof SECRETS> = {}) {
  const {
    LIST_KEY,
    RELEASE_PUBLIC_KEYS,
    CHECKPOINT_KEY,
    CREDENTIAL_KEY,
    SHARING_KEY,
    TEXT_KEY,
    ADMIN_TOKEN,
  } = {
    ...SECRETS,
    ...secrets,
  };
  return {
    LIST_KEY,
    RELEASE_PUBLIC_KEYS,
    CHECKPOINT_KEY,
    CREDENTIAL_KEY,
    SHARING_KEY,
    TEXT_KEY,
    // Names the service in its credentials. Nothing connects to this URL.
    PUBLIC_URL: 'https://numgate.example',
    ROOT_TOKEN_SHA256: await secretDigest(ADMIN_TOKEN),
  };
}

export async function openKv(): Promise<TestKv> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: join(FOLDER, 'state', 'v3'),
      cf: false,
      modules: true,
      script: 'export default {}',
      kvNamespaces: { LISTS: 'numgate-lists' },
    }),
  );
  afterAll(() => miniflare.dispose());
  const lists = await miniflare.getKVNamespace('LISTS');
  return {
    name: 'the KV of the tests',
    bulkBytesMax: 70_000_000,
    get: async (key) => {
      const bytes = await retry(() => lists.get(key, 'arrayBuffer'));
      return bytes === null ? null : new Uint8Array(bytes);
    },
    put: (key, value) => retry(() => lists.put(key, value)),
    bulkPut: async (values) => {
      for (const [key, bytes] of values) await retry(() => lists.put(key, bytes.slice().buffer));
    },
    delete: (key) => retry(() => lists.delete(key)),
    keys: async (prefix = '') => (await retry(() => lists.list({ prefix }))).keys.map(({ name }) => name),
  };
}
