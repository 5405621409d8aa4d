/** Third-party peers for the feed: Debian's jose and crowdsec-custom-bouncer. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const isInstalled = (command: string): boolean =>
  (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)));
export const hasJose = isInstalled('jose');
export const hasBouncer = isInstalled('crowdsec-custom-bouncer');

/** Makes a private key with Debian's jose. */
export function generateWithJose(template: object): Record<string, string> {
  const out = execFileSync('jose', ['jwk', 'gen', '-i', JSON.stringify(template)], { encoding: 'utf8' });
  return JSON.parse(out) as Record<string, string>;
}

/** Decrypts with Debian's jose. @param keyFile a JWK @throws if decryption fails */
export function decryptWithJose(jwe: string, keyFile: string): string {
  return execFileSync('jose', ['jwe', 'dec', '-i', '-', '-k', keyFile], {
    ...{ input: jwe, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] },
  });
}

/** A CrowdSec bouncer whose script records its calls. */
export class Bouncer {
  readonly #folder: string;
  readonly #config: string;
  #child: ChildProcess | null = null;

  /** @param key of a client */
  constructor(folder: string, url: string, key: string) {
    this.#folder = folder;
    this.#config = join(folder, 'bouncer.yaml');
    const script = join(folder, 'bouncer.sh');
    writeFileSync(script, `#!/bin/sh\necho "$1 $2 $4" >> ${this.#calls}\n`);
    chmodSync(script, 0o755);
    const settings = {
      ...{ bin_path: script, piddir: folder, update_frequency: '1s', cache_retention_duration: '1s' },
      ...{ daemonize: false, log_mode: 'stdout', log_level: 'info', api_url: `${url}/`, api_key: key },
      prometheus: { enabled: false },
    };
    // JSON is valid YAML.
    writeFileSync(this.#config, JSON.stringify(settings));
    writeFileSync(this.#calls, '');
  }

  get #calls(): string {
    return join(this.#folder, 'bouncer.calls');
  }

  /** The calls so far, in order. Each one has `add` or `del`, the value and the scenario. */
  get calls(): readonly string[] {
    return readFileSync(this.#calls, 'utf8').split('\n').slice(0, -1);
  }

  /** Values that the script was called to block and has not been called to unblock since. */
  get blocked(): readonly string[] {
    const values = new Set<string>();
    for (const call of this.calls) {
      const [action, value] = call.split(' ');
      if (action === 'add') values.add(value!);
      else values.delete(value!);
    }
    return [...values].sort();
  }

  start(): void {
    this.#child = spawn('crowdsec-custom-bouncer', ['-c', this.#config], { stdio: 'ignore' });
  }

  /** @param signal SIGKILL for a crash */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Whether the bouncer is still running. */
  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null;
  }
}
