/**
 * The client directory, as this isolate knows it: read from KV in the background, kept when KV fails.
 */
import { type Client, parseDirectory } from '../shared/clients.ts';
import { HEAD_FRESH_MS, KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import { CLIENTS_KEY } from '../shared/release/kv-keys.ts';
import type { Env } from './env.ts';
import { warn } from './log.ts';
import { SingleFlight, Unavailable } from './single-flight.ts';

export class DirectoryReader {
  #clients: ReadonlyMap<string, Client> | null = null;
  #asOf = 0;
  readonly #flight = new SingleFlight();

  /** The clients by id, or null when they were never loaded. */
  async clients(env: Env, ctx: ExecutionContext): Promise<ReadonlyMap<string, Client> | null> {
    const load = (): Promise<void> => this.#refresh(env);
    if (this.#clients === null) {
      await this.#flight.wait(load, () => this.#clients !== null, ctx).catch(() => undefined);
    } else if (Date.now() - this.#asOf > HEAD_FRESH_MS) {
      this.#flight.refresh(load, ctx);
    }
    return this.#clients;
  }

  async #refresh(env: Env): Promise<void> {
    const text = await env.LISTS.get(CLIENTS_KEY, { type: 'text', cacheTtl: KV_MUTABLE_TTL_SECONDS });
    if (text === null) throw new Unavailable('no client directory in KV');
    const clients = parseDirectory(text);
    if (clients === null) {
      warn('directoryRefused');
      throw new Unavailable('the client directory in KV is not one');
    }
    this.#clients = clients;
    this.#asOf = Date.now();
  }
}
