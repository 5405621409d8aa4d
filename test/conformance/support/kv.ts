/**
 * Workers KV of a running service, as a holder of wrangler credentials sees it. The service sees every write
 * immediately.
 */
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { retry } from '../../support/retry.ts';

export interface Kv {
  get(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  put(key: string, value: Uint8Array<ArrayBuffer> | string): Promise<void>;
  delete(key: string): Promise<void>;
  keys(prefix?: string): Promise<string[]>;
  close(): Promise<void>;
}

/** @param state folder of the state, as for `--persist-to` */
export async function openKv(state: string): Promise<Kv> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: join(state, 'v3'),
      cf: false,
      modules: true,
      script: 'export default {}',
      kvNamespaces: { LISTS: 'numgate-lists' },
    }),
  );
  const lists = await miniflare.getKVNamespace('LISTS');
  return {
    get: async (key) => {
      const bytes = await retry(() => lists.get(key, 'arrayBuffer'));
      return bytes === null ? null : new Uint8Array(bytes);
    },
    put: (key, value) =>
      retry(() => lists.put(key, typeof value === 'string' ? value : value.slice().buffer)),
    delete: (key) => retry(() => lists.delete(key)),
    keys: async (prefix = '') => (await retry(() => lists.list({ prefix }))).keys.map(({ name }) => name),
    close: () => miniflare.dispose(),
  };
}

/** Copies all values of one store to another. */
export async function copyKv(from: Kv, to: Kv): Promise<void> {
  for (const key of await from.keys()) await to.put(key, (await from.get(key))!);
}
