/**
 * What the registry gave the coordinator for the head: the changes of registered senders since the releases. The
 * coordinator keeps only their names, and the newest of them; the registry has the rest.
 */
import type { HeadRegistrations, NamedValue } from '../../shared/release/head.ts';
import type { Meta } from './meta.ts';
import type { ReleaseStore } from './release-store.ts';

interface Stored {
  readonly head: HeadRegistrations;
  /** IDs of the keys that seal the segments. */
  readonly keyIds: readonly string[];
}

export class RegisteredSenders {
  readonly #meta: Meta;
  readonly #releases: ReleaseStore;

  constructor(meta: Meta, releases: ReleaseStore) {
    this.#meta = meta;
    this.#releases = releases;
  }

  get #stored(): Stored | null {
    return this.#meta.json<Stored>('registrations');
  }

  /** As the head has it; null if there was never a change. */
  get head(): HeadRegistrations | null {
    const stored = this.#stored;
    if (stored === null) return null;
    return { ...stored.head, droppedVersion: this.droppedVersion };
  }

  get named(): readonly NamedValue[] {
    return this.#stored?.head.segments ?? [];
  }

  get keyIds(): readonly string[] {
    return this.#stored?.keyIds ?? [];
  }

  /** The last change; 0 before the first. */
  get version(): number {
    return this.#stored?.head.version ?? 0;
  }

  /** Changes up to this version are in every readable release, or lost. */
  get droppedVersion(): number {
    return Math.max(this.#meta.number('registrationsDropped'), this.#stored?.head.droppedVersion ?? 0);
  }

  /** Must run in a transaction. */
  store(head: HeadRegistrations, keyIds: readonly string[]): void {
    this.#meta.set('registrations', { head, keyIds });
  }

  /** Records what every readable release contains now. Must run in the transaction that changes the releases. */
  dropReleased(): void {
    const versions = this.#releases.readable.map(({ manifest }) => manifest.registrations?.version ?? 0);
    const released = Math.min(...versions);
    if (released > this.droppedVersion) this.#meta.set('registrationsDropped', released);
  }
}
