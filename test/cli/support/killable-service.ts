/** The real service in a process of its own, which a test kills and starts again on the same port and state. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { FOLDER } from './workspace.ts';

const SCRIPT = fileURLToPath(new URL('./spawned-service.ts', import.meta.url));

export class KillableService {
  url = 'http://localhost:0';
  #child: ChildProcess | null = null;

  /** @param secrets those of `startService` */
  async start(secrets: Readonly<Record<string, string>>): Promise<void> {
    const values = [
      new URL(this.url).port || '0',
      join(FOLDER, 'state'),
      await sharedBundle(),
      JSON.stringify(secrets),
    ];
    // A group of its own: the runtime is a child of this process.
    this.#child = spawn(process.execPath, [SCRIPT, ...values], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(this.#child.stdout!, 'data')) as [Buffer];
    this.url = line.toString().trim();
  }

  /** Also after its death. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  }
}
