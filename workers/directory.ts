/**
 * The client directory, as this isolate knows it: read from KV in the background, kept when KV fails.
 */
import { type Client, openDirectory } from '../shared/clients.ts';
import { HEAD_FRESH_MS, HEAD_STALE_MS, KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import { CLIENTS_KEY } from '../shared/release/kv-keys.ts';
import type { Env, Secrets } from './env.ts';
import { warn } from './log.ts';
import { SingleFlight, Unavailable } from './single-flight.ts';

export class DirectoryReader {
  #clients: ReadonlyMap<string, Client> | null = null;
  #asOf = 0;
  /** The directory as it was read: unchanged text needs no second look. */
  #seen: string | null = null;
  /** After a wait in vain, the directory in memory serves without waiting until then. */
  #waitAgainAt = 0;
  readonly #flight = new SingleFlight(HEAD_FRESH_MS);

  /** The clients by id, or null when they were never loaded. Waits when what it has is too old: keys end. */
  async clients(
    env: Env,
    secrets: Secrets,
    ctx: ExecutionContext,
  ): Promise<ReadonlyMap<string, Client> | null> {
    const load = (): Promise<void> => this.#refresh(env, secrets);
    const age = Date.now() - this.#asOf;
    if (this.#clients === null || (age > HEAD_STALE_MS && Date.now() >= this.#waitAgainAt)) {
      const before = this.#asOf;
      await this.#flight
        .wait(load, () => this.#asOf > before, ctx)
        .catch(() => {
          this.#waitAgainAt = Date.now() + HEAD_FRESH_MS;
        });
    } else if (age > HEAD_FRESH_MS) {
      this.#flight.refresh(load, ctx);
    }
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
    this.#asOf = Date.now();
  }
}
