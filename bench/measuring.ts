/**
 * Runs a measuring Worker of `bench/workers/` in its own workerd, on a direct socket, with the inspector of
 * its isolate. Measurements there use the same engine and kind of isolate as the product.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import type { BundleModule } from '../cli/local/bundle.ts';
import { PROJECT } from '../cli/paths.ts';
import { temporaryFolder } from './leftovers.ts';

const NAME = 'measuring';
/** As in wrangler.toml. */
export const COMPATIBILITY_DATE = '2026-10-15';

export interface Measuring {
  /** Calls the Worker. @returns the body of the response @throws if the status is not 200 */
  ask(path: string, body?: string | Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Promise<string>;
  /** The response of the Worker, parsed as JSON. */
  told<Told>(path: string): Promise<Told>;
  /** Writes a value to its KV. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  inspector(): Promise<Inspector>;
  stop(): Promise<void>;
}

/**
 * @param name a file of `bench/workers/`, without its extension @param bindings text variables of its
 * environment
 */
export async function startMeasuring(
  name: string,
  bindings: Record<string, string> = {},
): Promise<Measuring> {
  const { path: folder, remove: clean } = temporaryFolder('measuring');
  try {
    const modules = await bundled(name, folder);
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        log: new Log(LogLevel.WARN),
        cf: false,
        inspectorPort: 0,
        workers: [
          {
            name: NAME,
            compatibilityDate: COMPATIBILITY_DATE,
            modulesRoot: folder,
            bindings,
            kvNamespaces: { LISTS: 'lists' },
            modules: modules.map((module) => ({ ...module })),
            unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
          },
        ],
      }),
    );
    const stop = async (): Promise<void> => {
      await miniflare.dispose().finally(clean);
    };
    try {
      await miniflare.ready;
      const { origin } = await miniflare.unsafeGetDirectURL(NAME);
      const ask: Measuring['ask'] = async (path, body) => {
        // A new connection each time, because the runtime closes idle ones while a benchmark prepares.
        const headers = { connection: 'close' };
        const answer = await fetch(`${origin}${path}`, { method: 'POST', headers, body: body ?? null });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`the measuring Worker answered ${answer.status}: ${text}`);
        return text;
      };
      const kv = await miniflare.getKVNamespace('LISTS', NAME);
      return {
        ask,
        put: (key, bytes) => kv.put(key, bytes as never),
        told: async <Told>(path: string) => JSON.parse(await ask(path)) as Told,
        inspector: async () => Inspector.open(await miniflare.getInspectorURL()),
        stop,
      };
    } catch (error) {
      await stop().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    clean();
    throw error;
  }
}

/** The Worker and all that it imports, the main module first. */
async function bundled(name: string, outdir: string): Promise<BundleModule[]> {
  await build({
    entryPoints: [join(PROJECT, 'bench', 'workers', `${name}.ts`)],
    absWorkingDir: PROJECT,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    outdir,
    // As in wrangler: packages resolve to their form for Workers, and Wasm stays a separate module.
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    // The paths in tsconfig.json are only for types.
    tsconfigRaw: '{}',
    logLevel: 'error',
  });
  const modules: BundleModule[] = [];
  for (const file of readdirSync(outdir)) {
    const path = join(outdir, file);
    if (file.endsWith('.js'))
      modules.unshift({ type: 'ESModule', path, contents: readFileSync(path, 'utf8') });
    if (file.endsWith('.wasm'))
      modules.push({ type: 'CompiledWasm', path, contents: new Uint8Array(readFileSync(path)) });
  }
  return modules;
}

/** A message from the inspector. */
interface Answered {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A node of a sampling heap profile. */
interface HeapNode {
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** Memory of an isolate, in bytes. */
export interface HeapUsage {
  /** JavaScript values. */
  readonly usedSize: number;
  /** Memory of array buffers outside the heap. */
  readonly backingStorageSize: number;
  /** Memory that the runtime holds for JavaScript values. */
  readonly embedderHeapUsedSize: number;
}

/** Chrome DevTools protocol connection to the isolate of the Worker. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answered: Answered) => void>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Answered;
      if (message.id === undefined) return;
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    });
  }

  static async open(url: URL): Promise<Inspector> {
    const listed = await fetch(new URL('/json', url.href.replace(/^ws/, 'http')));
    const [target] = (await listed.json()) as { webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(target!.webSocketDebuggerUrl);
    await once(socket, 'open');
    return new Inspector(socket);
  }

  async #call<Told>(method: string, params: object = {}): Promise<Told> {
    const id = ++this.#asked;
    const answered = new Promise<Answered>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as Told;
  }

  /** Memory of the isolate after a full garbage collection. */
  async heap(): Promise<HeapUsage> {
    // A snapshot collects all garbage first. The runtime does not respond to a plain collection request while
    // it idles.
    await this.#call('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    return this.#call('Runtime.getHeapUsage');
  }

  /** Memory of the isolate now, including garbage. */
  heapNow(): Promise<HeapUsage> {
    return this.#call('Runtime.getHeapUsage');
  }

  /** Bytes allocated in the heap during `run`, including garbage. Sampled. */
  async allocated(run: () => Promise<unknown>): Promise<number> {
    await this.#call('HeapProfiler.enable');
    await this.#call('HeapProfiler.startSampling', {
      samplingInterval: 4_096,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await run();
    const { profile } = await this.#call<{ profile: { head: HeapNode } }>('HeapProfiler.stopSampling');
    const sum = ({ selfSize, children }: HeapNode): number =>
      children.reduce((total, child) => total + sum(child), selfSize);
    return sum(profile.head);
  }

  close(): void {
    this.#socket.close();
  }
}
