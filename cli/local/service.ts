/**
 * The embedded service: the deployed bundle in Miniflare, on a direct socket without a proxy, over the state
 * that `wrangler … --local` writes. One machine, no account, full speed.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare';
import { CommandFailure } from '../failure.ts';
import { BUNDLE, STATE } from '../paths.ts';
import { temporaryFolder } from '../temporary.ts';
import { bundle, readBundle } from './bundle.ts';
import { workerOptionsOf } from './worker-options.ts';

const NAME = 'numgate';
const HOST = '127.0.0.1';

export interface Service {
  readonly url: string;
  /** URLs of the other Workers in this process, by name. */
  readonly besideUrls: Readonly<Record<string, string>>;
  /** Runs the Worker's cron handler once. The runtime does not schedule it. */
  runCron(): Promise<void>;
  /** Restarts the Worker with other secrets, on the same port and state. */
  replaceSecrets(secrets: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

export interface ServiceSettings {
  readonly port: number;
  /** Secrets of the Worker. */
  readonly secrets: Record<string, string>;
  /** Folder of the state, as for `--persist-to`. */
  readonly state?: string;
  readonly bundleFolder?: string;
  /** Whether the bundle is already in its folder. Default: it is made now. */
  readonly isBundled?: boolean;
  /**
   * Other Workers in the same process, by name, as one module each and on sockets of their own. Benchmarks
   * use them as baselines.
   */
  readonly beside?: Readonly<Record<string, string>>;
}

/** As in wrangler.toml. */
const EVERY_MINUTE = '* * * * *';

export async function startService(settings: ServiceSettings): Promise<Service> {
  const { port, secrets, state = STATE, bundleFolder = BUNDLE, isBundled = false, beside = {} } = settings;
  if (!isBundled) rmSync(bundleFolder, { recursive: true, force: true });
  const modules = isBundled ? readBundle(bundleFolder) : await bundle('', bundleFolder);
  const workerOptions = workerOptionsOf('');
  const optionsWith = (bindings: Record<string, string>, ownPort: number) =>
    convertV4MiniflareOptions({
      log: new Log(LogLevel.WARN),
      resourcePersistencePath: join(state, 'v3'),
      // A fixed placeholder, because the default is fetched from the network.
      cf: false,
      workers: [
        {
          ...workerOptions,
          name: NAME,
          modulesRoot: bundleFolder,
          modules: modules.map((module) => ({ ...module })),
          bindings,
          unsafeDirectSockets: [{ host: HOST, port: ownPort }],
        },
        ...Object.entries(beside).map(
          ([name, contents]): V4WorkerOptions => ({
            name,
            compatibilityDate: String(workerOptions.compatibilityDate),
            modules: [{ type: 'ESModule', path: `${name}.js`, contents }],
            unsafeDirectSockets: [{ host: HOST, port: 0 }],
          }),
        ),
      ],
    });
  const working = temporaryFolder('service');
  const miniflare = inFolder(working.path, () => new Miniflare(optionsWith(secrets, port)));
  const stop = (): Promise<void> => miniflare.dispose().finally(working.remove);
  try {
    await miniflare.ready;
    const urlOf = async (name: string): Promise<string> =>
      (await miniflare.unsafeGetDirectURL(name)).origin.replace(HOST, 'localhost');
    const besideUrls: Record<string, string> = {};
    for (const name of Object.keys(beside)) besideUrls[name] = await urlOf(name);
    return {
      url: await urlOf(NAME),
      besideUrls,
      replaceSecrets: async (changed) => {
        const { port: own } = await miniflare.unsafeGetDirectURL(NAME);
        await miniflare.setOptions(optionsWith(changed, Number(own)));
      },
      runCron: async () => void (await (await miniflare.getWorker(NAME)).scheduled({ cron: EVERY_MINUTE })),
      stop,
    };
  } catch (error) {
    // `stop` rejects with the same error.
    await stop().catch(() => undefined);
    const words = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(
      `the service did not start on port ${port}: ${words}\nset PORT to use another port`,
    );
  }
}

/**
 * Makes Miniflare keep its working files in `folder`. By default, they have random names in the system's temporary folder,
 * where nothing removes those of a killed process. Miniflare chooses their place only in its constructor.
 */
function inFolder<Value>(folder: string, make: () => Value): Value {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  try {
    return make();
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}
