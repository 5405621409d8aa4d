/**
 * The values that the coordinator creates and the head names: segments and the client directory. Each is
 * written to KV before the head names it. If KV rejects or loses a value, that is recorded, and the value is
 * written again. Until then, readers get the value from the coordinator, and the copy of the head in KV is not
 * replaced. The same holds for the values of parts of the head that other objects create and keep.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import { type DirectoryContent, sealDirectory } from '../../shared/clients.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import { clientsKey } from '../../shared/release/kv-keys.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { warn } from '../log.ts';
import { within } from '../storage/single-flight.ts';
import type { HeadPart } from './head-part.ts';
import type { Tables } from './tables.ts';

export interface StoredValue extends NamedValue {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Values of a part of the head, which another object keeps. */
export interface PartValues {
  /** Prefix of the keys of the values. */
  readonly prefix: string;
  readonly part: Pick<HeadPart<{ readonly version: number }>, 'named'>;
  /** The object that has the values. */
  readonly source: () => { value(key: string): Promise<Uint8Array<ArrayBuffer> | null> };
}

export class ValueStore {
  readonly #storage: DurableObjectStorage;
  readonly #tables: Tables;
  readonly #kv: KVNamespace;
  readonly #parts: readonly PartValues[];
  /** Keys that are being written and will be named next. */
  readonly #coming = new Set<string>();

  constructor(storage: DurableObjectStorage, tables: Tables, kv: KVNamespace, parts: readonly PartValues[]) {
    this.#parts = parts;
    this.#storage = storage;
    this.#tables = tables;
    this.#kv = kv;
  }

  /** The current client directory, as the head names it. */
  get directory(): NamedValue | null {
    return this.#tables.meta.json<NamedValue>('clients');
  }

  /** Must run in the transaction that changes the clients. */
  setDirectory({ key, sha256 }: NamedValue): void {
    this.#tables.meta.set('clients', { key, sha256 });
  }

  /** The sealed client directory and its name. */
  async directoryOf(
    content: DirectoryContent,
    keys: ListKeys = this.#tables.keys.current,
  ): Promise<StoredValue> {
    const bytes = await sealDirectory(content, keys);
    const sha256 = await sha256Hex(bytes);
    return { key: clientsKey(sha256), sha256, bytes };
  }

  /** Keys that the head names now. */
  get named(): string[] {
    const { directory } = this;
    const parts = this.#parts.flatMap(({ part }) => part.named);
    const keys = [...this.#tables.segments.named, ...parts].map(({ key }) => key);
    return directory === null ? keys : [...keys, directory.key];
  }

  isNamed(key: string): boolean {
    const other = this.#partOf(key);
    if (other !== undefined) return other.part.named.some((named) => named.key === key);
    return this.#tables.segments.has(key) || this.directory?.key === key;
  }

  #partOf(key: string): PartValues | undefined {
    return this.#parts.find(({ prefix }) => key.startsWith(prefix));
  }

  /** Whether a value must be kept: the head names it, or is about to. */
  isWanted(key: string): boolean {
    return this.#coming.has(key) || this.isNamed(key);
  }

  /** A value that the head names, or null. */
  async bytes(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const other = this.#partOf(key);
    if (other !== undefined) return this.isNamed(key) ? other.source().value(key) : null;
    const segment = this.#tables.segments.bytes(key);
    if (segment !== null) return segment;
    const directory = await this.directoryOf(this.#tables.directoryContent());
    return directory.key === key ? directory.bytes : null;
  }

  /**
   * Writes values to KV and makes the head name them, whether or not KV accepts them.
   * @param name runs in a transaction; makes the head name the values, or refuses
   */
  async publish<Done>(values: readonly StoredValue[], name: () => Done): Promise<Done> {
    const unwritten = new Set(values.map(({ key }) => key));
    for (const key of unwritten) this.#coming.add(key);
    try {
      for (const { key, bytes } of values) {
        // If one write fails, leave the rest for later, so the change does not wait for each.
        if (!(await this.#put(key, bytes))) break;
        unwritten.delete(key);
      }
      return this.#storage.transactionSync(() => {
        for (const key of unwritten) this.markMissing(key);
        return name();
      });
    } finally {
      for (const { key } of values) this.#coming.delete(key);
    }
  }

  /**
   * Records that KV lacks a value that the head names. The copy of the head is not written until KV has it.
   */
  markMissing(key: string): void {
    this.#storage.sql.exec('INSERT OR IGNORE INTO values_to_put VALUES (?)', key);
    this.#tables.meta.set('kvSeq', 0);
  }

  get #missing(): string[] {
    return this.#storage.sql
      .exec<{ key: string }>('SELECT key FROM values_to_put')
      .toArray()
      .map(({ key }) => key);
  }

  /** Whether KV has all values that the head names. */
  get complete(): boolean {
    return !this.#missing.some((key) => this.isNamed(key));
  }

  /** Writes missing values until a write fails. */
  async putMissing(): Promise<void> {
    for (const key of this.#missing) {
      // A value that is no longer named is no longer needed.
      const bytes = await this.bytes(key);
      if (bytes !== null && !(await this.#put(key, bytes))) return;
      this.#storage.sql.exec('DELETE FROM values_to_put WHERE key = ?', key);
    }
  }

  async #put(key: string, value: Uint8Array<ArrayBuffer>): Promise<boolean> {
    try {
      await within(this.#kv.put(key, value), LOAD_WAIT_MS);
      return true;
    } catch {
      warn('valuePutFailed', { key });
      return false;
    }
  }
}
