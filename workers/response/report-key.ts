/**
 * The key of reports: 32 random bytes with which reporters and subjects are keyed. It is made once and never changes, so
 * keyed values outlive a rotation of LIST_KEY. It is stored only sealed, once with each key of LIST_KEY. Any of these
 * keys that remains after a rotation opens it.
 */

import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { seal, unseal } from '../../shared/set/seal.ts';
import { warn } from '../log.ts';

const KEY_BYTES = 32;
/** The seal is bound to this place, so no other sealed value opens as a key of reports. */
const PLACE = 'report-key';

export type KeyLost = Failure<'REPORT_KEY_LOST'>;

export class ReportKey {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Opens the key, or makes it at first use, and seals it with the current keys of LIST_KEY.
   * @returns REPORT_KEY_LOST if none of these keys opens it: nothing is counted until LIST_KEY has the right key again
   */
  async open(ring: KeyRing): Promise<Result<Uint8Array<ArrayBuffer>, KeyLost>> {
    const stored = this.#sql
      .exec<{ id: string; sealed: ArrayBuffer }>('SELECT key_id AS id, sealed FROM report_key')
      .toArray();
    const key =
      stored.length === 0 ? crypto.getRandomValues(new Uint8Array(KEY_BYTES)) : await opened(stored, ring);
    if (key === null) {
      const ids = stored.map(({ id }) => id).join(', ');
      warn('reportKeyLost', { keyIds: ids });
      return fail(
        'REPORT_KEY_LOST',
        `LIST_KEY does not have the key ${ids}, which opens the key of reports: add it to LIST_KEY again`,
      );
    }
    if (!ring.ids.every((id) => stored.some((each) => each.id === id)) || stored.length > ring.ids.length)
      await this.#store(key, ring);
    return ok(key);
  }

  /** IDs of the keys with which the key of reports is sealed. */
  get keyIds(): string[] {
    return this.#sql
      .exec<{ id: string }>('SELECT key_id AS id FROM report_key ORDER BY key_id')
      .toArray()
      .map(({ id }) => id);
  }

  async #store(key: Uint8Array<ArrayBuffer>, ring: KeyRing): Promise<void> {
    const sealed = await Promise.all(
      ring.all.map(async (keys) => ({ id: keys.keyId, bytes: await seal(key, keys, PLACE) })),
    );
    // There is no await between these statements, so SQLite commits them together.
    this.#sql.exec('DELETE FROM report_key');
    for (const { id, bytes } of sealed) this.#sql.exec('INSERT INTO report_key VALUES (?, ?)', id, bytes);
  }
}

async function opened(
  stored: readonly { readonly id: string; readonly sealed: ArrayBuffer }[],
  ring: KeyRing,
): Promise<Uint8Array<ArrayBuffer> | null> {
  for (const { id, sealed } of stored) {
    const keys = ring.of(id);
    const key = keys && (await unseal(new Uint8Array(sealed), keys, PLACE));
    if (key !== null) return key;
  }
  return null;
}
