/**
 * A part of the head that another Durable Object gives: its version, its content in the head, and the values that the
 * head names for it. The coordinator keeps only the names; the other object has the values.
 */
import type { NamedValue } from '../../shared/release/head.ts';
import type { Meta } from './meta.ts';

export interface StoredPart<Part> {
  readonly head: Part;
  /** IDs of the keys that seal the values of the part. */
  readonly keyIds: readonly string[];
  /** The values of the part, if `head` itself does not name all of them. */
  readonly named?: readonly NamedValue[];
}

type PartKey = 'registrations' | 'credentials' | 'text';

export class HeadPart<Part extends { readonly version: number }> {
  protected readonly meta: Meta;
  readonly #key: PartKey;

  constructor(meta: Meta, key: PartKey) {
    this.meta = meta;
    this.#key = key;
  }

  protected get stored(): StoredPart<Part> | null {
    return this.meta.json<StoredPart<Part>>(this.#key);
  }

  /** The part as it is in the head; null before the first change. */
  get head(): Part | null {
    return this.stored?.head ?? null;
  }

  get named(): readonly NamedValue[] {
    return this.stored?.named ?? [];
  }

  get keyIds(): readonly string[] {
    return this.stored?.keyIds ?? [];
  }

  /** Version of the last change; 0 before the first. */
  get version(): number {
    return this.stored?.head.version ?? 0;
  }

  /** Whether the head, or the keys of the values, differ from what is stored. */
  isNew({ head, keyIds }: StoredPart<Part>): boolean {
    return JSON.stringify(this.head) !== JSON.stringify(head) || this.keyIds.join() !== keyIds.join();
  }

  /** Must run in a transaction. */
  store(part: StoredPart<Part>): void {
    this.meta.set(this.#key, part);
  }
}
