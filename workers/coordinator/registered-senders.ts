/**
 * The part of the head that the registry gives: the changes of registered senders since the releases. The coordinator
 * keeps only the names of the segments and the newest changes; the registry has the rest.
 */
import type { HeadRegistrations, NamedValue } from '../../shared/release/head.ts';
import { HeadPart, type StoredPart } from './head-part.ts';
import type { Meta } from './meta.ts';
import type { ReleaseStore } from './release-store.ts';

export class RegisteredSenders extends HeadPart<HeadRegistrations> {
  readonly #releases: ReleaseStore;

  constructor(meta: Meta, releases: ReleaseStore) {
    super(meta, 'registrations');
    this.#releases = releases;
  }

  override get head(): HeadRegistrations | null {
    const stored = super.head;
    return stored && { ...stored, droppedVersion: this.droppedVersion };
  }

  override get named(): readonly NamedValue[] {
    return super.head?.segments ?? [];
  }

  /** Changes up to this version are in every readable release, or lost. */
  get droppedVersion(): number {
    return Math.max(this.meta.number('registrationsDropped'), super.head?.droppedVersion ?? 0);
  }

  override isNew({ head, keyIds }: StoredPart<HeadRegistrations>): boolean {
    // The releases may have dropped more than the registry knows.
    const droppedVersion = Math.max(head.droppedVersion, this.droppedVersion);
    return super.isNew({ head: { ...head, droppedVersion }, keyIds });
  }

  /** Records which changes every readable release now contains. Must run in the transaction that changes the releases. */
  dropReleased(): void {
    const versions = this.#releases.readable.map(({ manifest }) => manifest.registrations?.version ?? 0);
    const released = Math.min(...versions);
    if (released > this.droppedVersion) this.meta.set('registrationsDropped', released);
  }
}
