/**
 * The client directory, as this isolate knows it: read from KV in the background, kept when KV fails.
 */
import { type Client, openDirectory } from '../shared/clients.ts';
import { KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import { CLIENTS_KEY } from '../shared/release/kv-keys.ts';
import type { Env, Secrets } from './env.ts';
import { warn } from './log.ts';
import { Poll } from './poll.ts';
import { Unavailable } from './single-flight.ts';

export class DirectoryReader {
  #clients: ReadonlyMap<string, Client> | null = null;
  /** The directory as it was read: unchanged text needs no second look. */
  #seen: string | null = null;
  readonly #poll = new Poll();

  /** The clients by id, or null when they were never loaded. Waits when what it has is too old: keys end. */
  async clients(
    env: Env,
    secrets: Secrets,
    ctx: ExecutionContext,
  ): Promise<ReadonlyMap<string, Client> | null> {
    await this.#poll.keep(() => this.#refresh(env, secrets), ctx);
    return this.#clients;
  }

  async #refresh(env: Env, { publicKeys }: Secrets): Promise<void> {
    const text = await env.LISTS.get(CLIENTS_KEY, { type: 'text', cacheTtl: KV_MUTABLE_TTL_SECONDS });
    if (text === null) throw new Unavailable('no client directory in KV');
    if (text !== this.#seen) {
      const clients = await openDirectory(text, publicKeys);
      if (clients === null) {
        warn('directoryRefused');
        throw new Unavailable(
          'the client directory in KV is damaged or not signed by a key this service trusts',
        );
      }
      this.#clients = clients;
      this.#seen = text;
    }
  }
}
