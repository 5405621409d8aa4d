/**
 * What flows between the stores of registrations, one for each organisation, and the registry, of which there is one.
 * The registry publishes what is approved; `numgate build` and a repair read it from the stores.
 */
import type { KnownRecord } from '../../shared/audit.ts';
import type { Failure, Result } from '../../shared/result.ts';

/** The numbers from `from` to `to`, both inclusive, are registered for this client, or no longer. */
export interface PublishedChange {
  /** `<organisation>/<client>` */
  readonly client: string;
  readonly from: number;
  readonly to: number;
  /** `addOwn`: the holder is the organisation itself, which lifts the identity opt-out for its own clients. */
  readonly op: 'add' | 'addOwn' | 'remove';
}

/** A registration in the queue of reviewers. Any state but `submitted` and `inReview` removes it. */
export interface QueueChange {
  readonly id: string;
  readonly state: string;
  /** ms since 1970. */
  readonly submittedAt: number;
  readonly claimedBy: string | null;
  readonly basis: string;
}

export interface RegistryPort {
  /**
   * Idempotent by organisation and `n`, which rises by one with each batch. Later changes of a number and client win.
   * @returns the version that contains the batch; REGISTRATIONS_FULL if there is no room for its additions, and then
   *   nothing of it is stored and the same `n` may come again with other content
   */
  publish(
    organisation: string,
    n: number,
    changes: readonly PublishedChange[],
    queue: readonly QueueChange[],
  ): Promise<Result<{ readonly version: number }, Failure>>;
}

/** The name of the only registry. */
export const REGISTRY_NAME = 'main';

/** A pair in force. */
export interface PublishedPair extends Omit<PublishedChange, 'op'> {
  readonly op: 'add' | 'addOwn';
}

/** The store of one organisation, for `numgate build` and for a repair of the registry. */
export interface RegistrationSource {
  /**
   * What is approved and in force now, in order of client and number; no pair of client, `from` and `to` twice.
   * Pairs of one client may overlap: a number is `addOwn` if any pair says so.
   * @param after `next` of the page before; null for the first
   */
  published(
    after: string | null,
    limit: number,
  ): Promise<{ readonly pairs: readonly PublishedPair[]; readonly next: string | null }>;
}

/** The names are the IDs of the organisations. */
export interface RegistrationSources {
  getByName(name: string): RegistrationSource;
}

/** What a store needs from the coordinator. */
export interface AnchorRecorder {
  /** Records the end of the audit chain of an organisation's registrations in the audit log. */
  anchorRegistrations(organisation: string, end: KnownRecord): Promise<void>;
}
