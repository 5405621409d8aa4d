/**
 * Re-keys everything that the coordinator stores, from one key of LIST_KEY to the other. New segments and a new
 * client directory are written to KV first. One transaction then changes the fingerprints of sources, names the
 * new values and switches the keys, so a reader finds everything under the old key or everything under the new one.
 * If the coordinator stops before the transaction, nothing has changed, and a repeat of the request starts over.
 */
import type { KeyRotated, RotateKey } from '../../shared/admin/list-key.ts';
import { LIVE_KEYS_SHOWN_MAX, READER_SEEN_MS } from '../../shared/limits/control.ts';
import { ok } from '../../shared/result.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { BackgroundWork } from './background-work.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse, refuseField } from './change-request.ts';
import type { ClientChanges } from './client-changes.ts';
import { LiveRekey } from './live-rekey.ts';
import { counted, FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

/** A data centre as the coordinator last saw it. Edges that predate rotations send no key IDs. */
export interface Reader {
  readonly dataCentre: string;
  /** When it polled, in ms since 1970. */
  readonly at: number;
  readonly keyIds: readonly string[] | null;
}

export class KeyRotation {
  readonly #sql: SqlStorage;
  readonly #tables: Tables;
  readonly #values: ValueStore;
  readonly #background: BackgroundWork;
  readonly #clients: ClientChanges;

  constructor(
    sql: SqlStorage,
    tables: Tables,
    values: ValueStore,
    background: BackgroundWork,
    clients: ClientChanges,
  ) {
    this.#sql = sql;
    this.#tables = tables;
    this.#values = values;
    this.#background = background;
    this.#clients = clients;
  }

  /** Repeating a completed rotation changes nothing. @param readers data centres that must know the new key */
  async rotate(
    request: ChangeRequest,
    options: RotateKey,
    readers: readonly Reader[],
  ): Promise<ChangeResult<KeyRotated>> {
    const { ledger, keys } = this.#tables;
    const { writer } = keys.ring;
    if (options.keyId !== writer.keyId) {
      return refuseField('keyId', `must be ${writer.keyId}, the ID of the first key in LIST_KEY`);
    }
    if (keys.current === writer) return ok(unchanged(ledger.seq, writer));
    const behind = readers
      .filter(({ at, keyIds }) => Date.now() - at < READER_SEEN_MS && !keyIds?.includes(writer.keyId))
      .map(({ dataCentre }) => dataCentre)
      .slice(0, LIVE_KEYS_SHOWN_MAX);
    if (behind.length > 0) {
      const remedy = 'set LIST_KEY of the edge to both keys first, and wait until its isolates have it';
      return refuse('LIST_KEY_STATE', `edges in ${behind.join(', ')} do not know this key: ${remedy}`);
    }
    // Until the rotation is done, no sealing and no change of clients may write a value under the old key.
    return this.#clients.inTurn(() =>
      this.#background.withoutSealing(() => this.#rotate(request, options, keys.current, writer)),
    );
  }

  async #rotate(
    request: ChangeRequest,
    { dropUnknownSources }: RotateKey,
    from: ListKeys,
    to: ListKeys,
  ): Promise<ChangeResult<KeyRotated>> {
    const { meta, ledger, keys, live, segments, feed } = this.#tables;
    // Another request rotated the key in an earlier turn.
    if (from === to) return ok(unchanged(ledger.seq, to));
    const known = ledger.begin<KeyRotated>(request, FREEING_CHANGE);
    if (known !== null) return known;
    const rekey = new LiveRekey(this.#sql, live, from, to);
    const { sealed, replaced } = await segments.rekeyed(rekey, to);
    const directory =
      this.#values.directory === null
        ? null
        : await this.#values.directoryOf(this.#tables.directoryContent(), to);
    const values = directory === null ? sealed : [...sealed, directory];
    const done = await this.#values.publish(values, () =>
      ledger.change<Omit<KeyRotated, 'seq'>>(request, counted(FREEING_CHANGE), () => {
        const { sources, unknown } = rekey.apply();
        if (unknown.length > 0 && !dropUnknownSources) {
          const names = unknown.slice(0, LIVE_KEYS_SHOWN_MAX).join(', ');
          const remedy = 'block each again by its name, or drop them with "dropUnknownSources"';
          const message = `${unknown.length} live sources have lost their names, and no other key can find them: ${names}`;
          return refuse('LIST_KEY_STATE', `${message}; ${remedy}`);
        }
        segments.replace(sealed, replaced);
        if (directory !== null) this.#values.setDirectory(directory);
        keys.store(to);
        feed.startAgain();
        meta.set('listKeyRotated', { from: from.keyId, to: to.keyId, at: Date.now() });
        const after = { keyId: to.keyId, sources, dropped: unknown.slice(0, LIVE_KEYS_SHOWN_MAX) };
        return applied({ from: from.keyId, to: to.keyId, sources, dropped: unknown.length }, [
          { action: 'keys.rotate', subject: 'LIST_KEY', before: { keyId: from.keyId }, after },
        ]);
      }),
    );
    if (!done.ok) return done;
    keys.reload();
    this.#background.changed();
    return done;
  }
}

function unchanged(seq: number, { keyId }: ListKeys): KeyRotated {
  return { seq, from: keyId, to: keyId, sources: 0, dropped: 0 };
}
