/**
 * Separate planes, as `[env.control]` and `[env.edge]` deploy them, in one runtime; and edges whose
 * coordinator never responds.
 */
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { bundle } from '../../../cli/local/bundle.ts';
import { workerOptionsOf } from '../../../cli/local/worker-options.ts';

const CONTROL = 'numgate-control';

/** Replaces control: the objects have the right names, but lack their methods. */
const WITHOUT_METHODS = `
  import { DurableObject } from 'cloudflare:workers';
  export class Coordinator extends DurableObject {}
  export class UsageCounter extends DurableObject {}
  export class ScanDetector extends DurableObject {}
  export default {};
`;

export interface Running {
  /** Address of each Worker, by its name. */
  readonly urls: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

type Plane = 'edge' | 'control';
/** Finished or running bundles, by plane. */
const bundles = new Map<Plane, ReturnType<typeof bundle>>();

/** @param folder for the bundles */
async function workerOf(env: Plane, name: string, secrets: Record<string, string>, folder: string) {
  const modulesRoot = join(folder, `bundle-${env}`);
  const bundling = bundles.get(env) ?? bundle(env, modulesRoot);
  bundles.set(env, bundling);
  const modules = await bundling;
  return {
    ...workerOptionsOf(env),
    ...{ name, modulesRoot, bindings: secrets },
    modules: modules.map((module) => ({ ...module })),
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  };
}

async function run(state: string, workers: readonly object[], names: readonly string[]): Promise<Running> {
  const options = convertV4MiniflareOptions({
    log: new Log(LogLevel.WARN),
    resourcePersistencePath: join(state, 'v3'),
    cf: false,
    workers: [...workers] as never,
  });
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  const urls: Record<string, string> = {};
  for (const name of names) urls[name] = (await miniflare.unsafeGetDirectURL(name)).origin;
  return { urls, stop: () => miniflare.dispose() };
}

/** Workers `edge` and `numgate-control`, with one state. */
export async function startPlanes(
  secrets: Record<string, string>,
  state: string,
  folder: string,
): Promise<Running> {
  const { ROOT_TOKEN_SHA256: _, CHECKPOINT_KEY: _key, SHARING_KEY: _sharing, ...edgeSecrets } = secrets;
  const workers = await Promise.all([
    workerOf('edge', 'edge', edgeSecrets, folder),
    workerOf('control', CONTROL, secrets, folder),
  ]);
  return run(state, workers, ['edge', CONTROL]);
}

/** Worker `name`: an edge whose coordinator does not respond, in its own data centre. */
export async function startAlone(
  name: string,
  secrets: Record<string, string>,
  state: string,
  folder: string,
): Promise<Running> {
  const { ROOT_TOKEN_SHA256: _, CHECKPOINT_KEY: _key, SHARING_KEY: _sharing, ...edgeSecrets } = secrets;
  const edge = await workerOf('edge', name, edgeSecrets, folder);
  const control = {
    ...{ name: CONTROL, modules: true, script: WITHOUT_METHODS, compatibilityDate: '2026-10-15' },
    durableObjects: {
      COORDINATOR: { className: 'Coordinator', useSQLite: true },
      USAGE: { className: 'UsageCounter', useSQLite: true },
      SCANS: { className: 'ScanDetector', useSQLite: true },
    },
  };
  return run(state, [edge, control], [name]);
}
