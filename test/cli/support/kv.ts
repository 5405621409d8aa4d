/**
 * The local KV that wrangler writes, read without wrangler: what the service would find there.
 */
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { FOLDER } from './workspace.ts';

interface Namespace {
  list(): Promise<{ keys: { name: string }[] }>;
  get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>;
  put(key: string, value: string): Promise<void>;
}

/** Opens the KV for the time of the work, since wrangler opens it too. */
async function withKv<Value>(work: (kv: Namespace) => Promise<Value>): Promise<Value> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: join(FOLDER, 'state', 'v3'),
      cf: false,
      modules: true,
      script: 'export default {}',
      kvNamespaces: { LISTS: 'numgate-lists' },
    }),
  );
  try {
    return await work(await miniflare.getKVNamespace('LISTS'));
  } finally {
    await miniflare.dispose();
  }
}

/** Everything that is there. */
export function kvContent(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  return withKv(async (kv) => {
    const content = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const { name } of (await kv.list()).keys)
      content.set(name, new Uint8Array((await kv.get(name, 'arrayBuffer'))!));
    return content;
  });
}

export function putText(key: string, value: string): Promise<void> {
  return withKv((kv) => kv.put(key, value));
}

export function textOf(value: Uint8Array | undefined): string {
  return new TextDecoder().decode(value);
}
