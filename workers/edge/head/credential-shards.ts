/**
 * Keeps the shards of the credential table that message tokens need in memory. A shard is loaded when a token
 * names one of its credentials, once for all requests that wait for it.
 */
import { CredentialTable } from '../../../shared/credentials/credential-table.ts';
import { CREDENTIAL_SHARDS_MAX, ISOLATE_CREDENTIAL_BYTES_MAX } from '../../../shared/limits/credentials.ts';
import type { NamedValue } from '../../../shared/release/head.ts';
import { SingleFlight, Unavailable } from '../../storage/single-flight.ts';
import { ByteLru } from '../byte-lru.ts';
import type { LoadContext } from './head-sources.ts';
import { loadNamed, sealedOpener } from './head-values.ts';

/** Why a shard is missing: it cannot be loaded now, or its read was refused. */
export type MissingShard = 'unavailable' | 'refused';

export class CredentialShards {
  readonly #held = new ByteLru<CredentialTable>(ISOLATE_CREDENTIAL_BYTES_MAX, (_key, { bytes }) => bytes);
  /** Loads under way, by KV key. */
  readonly #flights = new Map<string, SingleFlight>();
  readonly #onChange: () => void;

  /** @param onChange called when `bytes` changes */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Bytes of the shards held. */
  get bytes(): number {
    return this.#held.bytes;
  }

  /**
   * @param chargeRead called before a read that no other request has begun; returns false if the read may not begin
   * @returns the table, or why it is missing
   */
  async get(
    named: NamedValue,
    loadContext: LoadContext,
    chargeRead: () => boolean,
  ): Promise<CredentialTable | MissingShard> {
    const { key } = named;
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    if (!this.#flights.has(key) && !chargeRead()) return 'refused';
    // Keep a reference here, because the cache may evict the table at once.
    let loaded: CredentialTable | null = null;
    const load = async (): Promise<void> => {
      const open = sealedOpener((bytes) => new CredentialTable(bytes), 'a credential shard', loadContext);
      loaded = await loadNamed(named, loadContext, open);
      this.#held.set(key, loaded);
      this.#onChange();
    };
    // Failed loads stay until their pause ends. Shards of earlier heads are never needed again.
    if (this.#flights.size > CREDENTIAL_SHARDS_MAX) this.#flights.clear();
    const flight = this.#flights.get(key) ?? new SingleFlight();
    this.#flights.set(key, flight);
    try {
      await flight.wait(load, () => this.#held.get(key) !== undefined, loadContext.ctx);
    } catch (error) {
      if (error instanceof Unavailable) return 'unavailable';
      throw error;
    }
    this.#flights.delete(key);
    return loaded ?? this.#held.get(key) ?? 'unavailable';
  }
}
