/**
 * Two complete installations, each in its own process that can be killed. The first has a feed, and the second follows it with
 * `numgate feed pull`. They share nothing but HTTP.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../cli/local/bundle.ts';
import { newSecrets, workerSecrets } from '../../cli/local/secrets.ts';
import { PROJECT } from '../../cli/paths.ts';
import { openSigner } from '../../shared/signed-note.ts';
import { addClient, runNumgate } from '../simulation/installation.ts';
import { temporaryFolder } from './cleanup.ts';
import { KillableService } from './killable-service.ts';

/** Items of one batch of checks. */
const BATCH = 10_000;

/** The fields of a result that the bench reads. */
export interface CheckedParty {
  readonly verdict: string;
  readonly reasons: readonly {
    readonly subject: string;
    readonly code: string;
    readonly effect: string;
    readonly authority: string | null;
    readonly until: string | null;
    readonly rule?: string;
    readonly stage?: string;
  }[];
}

export interface FeedInstallation {
  readonly folder: string;
  readonly service: KillableService;
  readonly env: Readonly<Record<string, string>>;
  /** The public key of its checkpoints. */
  readonly verifierKey: string;
  numgate(...args: readonly string[]): Promise<unknown>;
  /** Sends a change with a token. @param path below `/v1/admin/` */
  admin<Value>(method: 'POST' | 'PUT' | 'GET', path: string, body?: object, token?: string): Promise<Value>;
  /** Checks items at the edge, as a client without a quota. */
  check(items: readonly object[]): Promise<CheckedParty[]>;
  restart(): Promise<void>;
}

export async function startFeedInstallations(...names: readonly string[]): Promise<FeedInstallation[]> {
  const bundleFolder = join(temporaryFolder('feed-bundle'), 'bundle');
  await bundle('', bundleFolder);
  const made: FeedInstallation[] = [];
  for (const name of names) made.push(await startOne(name, bundleFolder));
  return made;
}

async function startOne(name: string, bundleFolder: string): Promise<FeedInstallation> {
  const folder = temporaryFolder(`feed-${name}`);
  const secrets = await newSecrets();
  const ofWorker = await workerSecrets(secrets);
  const state = join(folder, 'state');
  const service = new KillableService(state, bundleFolder);
  await service.start(ofWorker);
  const env = {
    ...{ ...secrets, NUMGATE_STATE: state, NUMGATE_TOKEN: secrets.ADMIN_TOKEN, NUMGATE_URL: service.url },
  };
  const numgate = (...args: readonly string[]) => runNumgate(env, ...args);
  const clientKey = await addClient(numgate, '--rights', 'check');
  const send = async <Value>(method: string, path: string, key: string, body?: object): Promise<Value> => {
    const response = await fetch(`${service.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok)
      throw new Error(`${name}: ${path} returned ${response.status}: ${await response.text()}`);
    return (await response.json()) as Value;
  };
  return {
    ...{ folder, service, env, numgate },
    verifierKey: (await openSigner(secrets.CHECKPOINT_KEY))!.verifierKey,
    admin: (method, path, body, token = secrets.ADMIN_TOKEN) =>
      send(method, `/v1/admin/${path}`, token, method === 'GET' ? undefined : { ...body, reason: 'bench' }),
    check: async (items) => {
      const results: CheckedParty[] = [];
      for (let at = 0; at < items.length; at += BATCH) {
        const batch = { items: items.slice(at, at + BATCH) };
        const page = await send<{ results: CheckedParty[] }>('POST', '/v1/check/batch', clientKey, batch);
        results.push(...page.results);
      }
      return results;
    },
    restart: async () => {
      await service.kill();
      await service.start(ofWorker);
    },
  };
}

/** Result of `numgate feed pull --json`. */
export interface PullReport {
  readonly position: number;
  readonly events: number;
  readonly isSnapshot: boolean;
  readonly entries: number;
  readonly bytes: number;
  readonly catalogue: string;
}

/** Pulls the feed of the first installation into the second: the client, its keys and its folder. */
export class FeedFollower {
  readonly #first: FeedInstallation;
  readonly #second: FeedInstallation;
  readonly #env: Record<string, string>;
  readonly #jwk: string;
  readonly #url: string;
  readonly out: string;

  private constructor(first: FeedInstallation, second: FeedInstallation, url: string, key: string) {
    this.#url = url;
    this.#first = first;
    this.#second = second;
    this.out = join(second.folder, 'feed');
    this.#jwk = join(second.folder, 'feed.jwk.json');
    this.#env = { ...second.env, NUMGATE_FEED_KEY: key };
    mkdirSync(this.out, { recursive: true });
  }

  /** @param url under which the second installation reaches the first */
  static async add(first: FeedInstallation, second: FeedInstallation, url: string): Promise<FeedFollower> {
    const options = ['--rights', 'feed', '--feed', 'dir'];
    const added = (await first.numgate('clients', 'add', 'second', ...options)) as { key: string };
    const follower = new FeedFollower(first, second, url, added.key);
    await follower.rotate();
    return follower;
  }

  /** Replaces the key of the data. */
  async rotate(): Promise<void> {
    const made = (await this.#first.numgate('clients', 'feed-key', 'second', '--rotate')) as { jwk: object };
    writeFileSync(this.#jwk, JSON.stringify(made.jwk), { mode: 0o600 });
  }

  #args(out: string): string[] {
    const keys = ['--jwk', this.#jwk, '--verifier-key', this.#first.verifierKey];
    return ['feed', 'pull', this.#url, ...keys, '--out', out];
  }

  pull(out = this.out): Promise<PullReport> {
    return runNumgate(this.#env, ...this.#args(out)) as Promise<PullReport>;
  }

  /** Starts a pull in a process that can be killed. */
  start(): ChildProcess {
    return spawn(process.execPath, ['cli/numgate.ts', '--json', ...this.#args(this.out)], {
      cwd: PROJECT,
      env: { ...process.env, ...this.#env },
      stdio: 'ignore',
    });
  }

  /** Builds the second installation's own list together with the lists of the feed, runs a quick proof, and pushes them. */
  async publish(catalogue: string): Promise<{ wrong: number }> {
    const { numgate, folder } = this.#second;
    const own = join(folder, 'own.lists.json');
    writeFileSync(join(folder, 'own.txt'), '010-9999-0001\n');
    const list = { name: 'own', reason: 'NUMBER_SUSPENDED', authority: 'second' };
    const content = { lists: [list], inputs: [{ file: 'own.txt', list: 'own' }], include: [catalogue] };
    writeFileSync(own, JSON.stringify(content));
    const built = (await numgate('build', own, '--out', join(folder, 'out'))) as { folder: string };
    const proof = (await numgate('prove', built.folder, '--quick')) as { wrong: number };
    const overrides = ['--override', 'adds', '--override', 'removes', '--override', 'shrunken-list'];
    await numgate('push', built.folder, '--unproven', ...overrides, '--reason', 'bench', '--wait');
    return proof;
  }
}

/** Kills a process immediately, and waits for its exit. */
export async function killNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
