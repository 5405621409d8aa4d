/**
 * The keys of LIST_KEY that the coordinator uses for its own data: fingerprints of sources, segments, the client
 * directory, the head, and numbers in the audit log. They change only in the transaction that re-keys all of this data
 * (key-rotation.ts), whatever the order of the keys in LIST_KEY. So a reader finds all of it under one key.
 */
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { Meta } from './meta.ts';

export class ActiveKeys {
  readonly ring: KeyRing;
  readonly #meta: Meta;
  #current: ListKeys;

  constructor(ring: KeyRing, meta: Meta) {
    this.ring = ring;
    this.#meta = meta;
    this.#current = ring.writer;
  }

  get current(): ListKeys {
    return this.#current;
  }

  /**
   * Must be called before the keys are used.
   * @param releaseKeyId ID of the current release's key, which is the key of tables that predate key rotation
   */
  start(releaseKeyId: string | null): Result<void, Failure> {
    const stored = this.#meta.text('listKey');
    const keyId = stored ?? releaseKeyId ?? this.ring.writer.keyId;
    const keys = this.ring.of(keyId);
    if (keys === null) {
      const remedy = 'add that key to LIST_KEY again, after a comma, and finish the rotation';
      const held = this.ring.ids.join(' and ');
      return fail(
        'NOT_CONFIGURED',
        `the coordinator's tables need LIST_KEY ${keyId}, not ${held}: ${remedy}`,
      );
    }
    this.#current = keys;
    if (stored === null) this.#meta.set('listKey', keyId);
    return ok(undefined);
  }

  /** Must run in the transaction that re-keys the tables. Call `reload` after it. */
  store({ keyId }: ListKeys): void {
    this.#meta.set('listKey', keyId);
  }

  reload(): void {
    this.#current = this.ring.of(this.#meta.text('listKey') ?? '') ?? this.#current;
  }
}
