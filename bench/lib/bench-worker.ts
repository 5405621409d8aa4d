/**
 * Runs a Worker of `bench/workers/` in its own workerd, on a direct socket, with the inspector of its isolate.
 * Measurements there use the same engine and the same kind of isolate as the product.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import type { BundleModule } from '../../cli/local/bundle.ts';
import { PROJECT } from '../../cli/paths.ts';
import { Inspector } from './inspector.ts';
import { runtimes } from './process-usage.ts';

const NAME = 'bench';
/** Same as in wrangler.toml. */
export const COMPATIBILITY_DATE = '2026-10-15';
/** Folder name of the bundle. The bundle exists only in memory. */
const BUNDLE = join(PROJECT, 'build', 'bench');

export interface BenchWorker {
  /** Origin of the Worker's socket. */
  readonly url: string;
  /** Calls the Worker. @returns the response @throws if the status is not 200 */
  call<Result>(
    path: string,
    body?: string | Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  ): Promise<Result>;
  /** Writes a value to the Worker's KV. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  inspector(): Promise<Inspector>;
  /** Process IDs of its runtime. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/**
 * Starts a Worker. @param name a file of `bench/workers/`, without its extension
 * @param bindings text variables of its environment
 */
export async function startBenchWorker(
  name: string,
  bindings: Record<string, string> = {},
): Promise<BenchWorker> {
  const modules = await bundleBenchWorker(name);
  const others = new Set(runtimes());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.WARN),
      cf: false,
      inspectorPort: 0,
      workers: [
        {
          name: NAME,
          compatibilityDate: COMPATIBILITY_DATE,
          modulesRoot: BUNDLE,
          bindings,
          kvNamespaces: { LISTS: 'lists' },
          modules,
          unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  const { origin } = await miniflare.unsafeGetDirectURL(NAME);
  const kv = await miniflare.getKVNamespace('LISTS', NAME);
  return {
    url: origin,
    call: async <Result>(path: string, body: BodyInit | null = null) => {
      // Use a new connection each time, because the runtime closes idle ones while a benchmark prepares.
      const headers = { connection: 'close' };
      const response = await fetch(`${origin}${path}`, { method: 'POST', headers, body });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} of the bench Worker returned ${response.status}: ${text}`);
      return JSON.parse(text) as Result;
    },
    put: (key, bytes) => kv.put(key, bytes as never),
    pids: runtimes().filter((pid) => !others.has(pid)),
    inspector: async () => Inspector.open(await miniflare.getInspectorURL()),
    stop: () => miniflare.dispose(),
  };
}

/** Bundles the Worker with everything that it imports. The main module comes first. */
async function bundleBenchWorker(name: string): Promise<BundleModule[]> {
  const { outputFiles } = await build({
    entryPoints: [join(PROJECT, 'bench', 'workers', `${name}.ts`)],
    absWorkingDir: PROJECT,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    outdir: BUNDLE,
    write: false,
    // As in wrangler: packages resolve to their Workers build, and Wasm stays a separate module.
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    loader: { '.wasm': 'copy' },
    // The paths in tsconfig.json are only for types.
    tsconfigRaw: '{}',
    logLevel: 'error',
  });
  const modules = outputFiles.map(
    ({ path, text, contents }): BundleModule =>
      path.endsWith('.js')
        ? { type: 'ESModule', path, contents: text }
        : { type: 'CompiledWasm', path, contents: new Uint8Array(contents) },
  );
  return modules.sort((a, b) => (a.type === b.type ? 0 : a.type === 'ESModule' ? -1 : 1));
}
