/** The real service in its own process, which a test kills and starts again on the same port and state. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onExit } from './cleanup.ts';
import { runtimes } from './process-usage.ts';

const SCRIPT = fileURLToPath(new URL('./spawned-service.ts', import.meta.url));

export class KillableService {
  url = 'http://localhost:0';
  readonly #state: string;
  readonly #bundleFolder: string;
  #child: ChildProcess | null = null;

  /** @param state folder of its state @param bundleFolder of an existing bundle */
  constructor(state: string, bundleFolder: string) {
    this.#state = state;
    this.#bundleFolder = bundleFolder;
    onExit(() => this.#signal());
  }

  /** @param secrets for `startService` */
  async start(secrets: object): Promise<void> {
    const port = new URL(this.url).port || '0';
    const values = [port, this.#state, this.#bundleFolder, JSON.stringify(secrets)];
    // The service has its own process group, because the runtime is a child of this process.
    this.#child = spawn(process.execPath, [SCRIPT, ...values], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(this.#child.stdout!, 'data')) as [Buffer];
    this.url = line.toString().trim();
  }

  /** Process ids of the runtime (workerd). */
  get runtimePids(): readonly number[] {
    return this.#child?.pid === undefined ? [] : runtimes(this.#child.pid);
  }

  /** Kills the service. Does nothing if it is already dead. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    this.#signal();
    await ended;
  }

  #signal(): void {
    if (this.#child?.pid !== undefined && this.#child.signalCode === null)
      process.kill(-this.#child.pid, 'SIGKILL');
  }
}
