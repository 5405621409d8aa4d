/**
 * The interfaces between the stores of registrations, one for each organisation, and the only registry. The registry
 * publishes approved registrations. `numgate build` and a repair of the registry read them from the stores.
 */
import type { Span } from '../../shared/numbers/spans.ts';
import type { HeadRegistrations } from '../../shared/release/head.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { PairsUsage } from '../../shared/senders/pairs.ts';
import type { ChainAnchor } from './chain-anchor.ts';

/** The numbers from `from` to `to`, both inclusive, are registered for this client, or no longer registered. */
export interface PublishedChange {
  /** `<organisation>/<client>` */
  readonly client: string;
  readonly from: number;
  readonly to: number;
  /** `addOwn`: the holder is the organisation itself, which lifts the identity opt-out for its own clients. */
  readonly op: 'add' | 'addOwn' | 'remove';
}

/** A registration in the queue of reviewers, with its numbers. Any state but `submitted` and `inReview` removes it. */
export interface QueueChange extends Span {
  readonly id: string;
  readonly state: string;
  /** ms since 1970. */
  readonly submittedAt: number;
  readonly claimedBy: string | null;
  readonly basis: string;
}

export interface RegistryPort {
  /**
   * Publishes a batch. Idempotent by organisation and `n`, which rises with each batch. Later changes of a number and
   * client win.
   * @returns the version that contains the batch. BATCH_KNOWN: nothing is stored; number the batch after `last`.
   *   REGISTRATIONS_FULL: there is no room for its additions and nothing is stored; the same `n` may be sent again with
   *   other content. CHANGE_IMPOSSIBLE: the store has a defect; `status` names the organisation
   * @param usage the room that the organisation's registrations in force take
   * @throws if the coordinator does not respond: send the same batch again
   */
  publish(
    organisation: string,
    n: number,
    changes: readonly PublishedChange[],
    queue: readonly QueueChange[],
    usage?: PairsUsage,
  ): Promise<Published>;
}

/** The registry has another batch with this number, or a later one: the tables of the store were set back. */
export interface BatchKnown extends Failure<'BATCH_KNOWN'> {
  /** The number of the last batch. */
  readonly last: number;
}

export type Published = Result<
  { readonly version: number },
  Failure<'REGISTRATIONS_FULL' | 'CHANGE_IMPOSSIBLE'> | BatchKnown
>;

/** A registration in the queue, as reviewers see it. */
export interface QueuedRegistration extends Omit<QueueChange, keyof Span> {
  readonly organisation: string;
}

export interface RegistryStatus {
  readonly version: number;
  /** Every readable release contains the changes up to this version. */
  readonly droppedVersion: number;
  /** Changes that not every readable release contains. */
  readonly changes: number;
  /** Organisations whose additions wait for room, with the time of the first refusal, ms since 1970. */
  readonly waiting: readonly { readonly organisation: string; readonly since: number }[];
  /** Organisations with an impossible batch, which blocks all later batches. */
  readonly refused: readonly { readonly organisation: string; readonly since: number }[];
  /** The room that the registrations in force of all organisations take, and the organisations with the most. */
  readonly used: PairsUsage & {
    readonly mostPairs: readonly OrganisationUsage[];
    readonly mostRanges: readonly OrganisationUsage[];
  };
}

export interface OrganisationUsage extends PairsUsage {
  readonly organisation: string;
}

/** The registry, as the coordinator and the admin routes call it. */
export interface RegistryObject extends RegistryPort {
  /** A sealed segment that the head names or has named; otherwise null. */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Gives the coordinator the current state, and follows its answer. Called after a promotion and a rotation. */
  refresh(): Promise<void>;
  /**
   * The queue of reviewers, in the order of submission.
   * @param after `next` of the page before; null for the first
   * @param organisation only registrations of this organisation
   */
  queued(
    after: string | null,
    limit: number,
    organisation?: string | null,
  ): Promise<{ readonly queue: readonly QueuedRegistration[]; readonly next: string | null }>;
  /**
   * Organisations that may have registrations in force, because they have published something. By ID; null after the
   * registry has lost its tables, until it has read them back.
   */
  publishers(): Promise<readonly string[] | null>;
  /** Organisations that may have a registration of one of the numbers, at most `limit`; null as for `publishers`. */
  organisationsOf(numbers: Span, limit: number): Promise<readonly string[] | null>;
  /** The same for each of several single numbers, in their order. */
  organisationsOfEach(
    numbers: readonly number[],
    limit: number,
  ): Promise<readonly (readonly string[])[] | null>;
  status(): Promise<RegistryStatus>;
}

/** What the registry gives the coordinator. */
export interface RegistryUpdate {
  readonly registrations: HeadRegistrations;
  /** Segments that KV did not accept: the coordinator writes them. */
  readonly unwritten: readonly string[];
  /** IDs of the keys that seal the segments. */
  readonly keyIds: readonly string[];
}

export interface RegistryAnswer {
  /** ID of the key with which segments must be sealed. */
  readonly keyId: string;
  /** Every readable release contains the changes up to this version. */
  readonly droppedVersion: number;
}

/** What the registry needs from the coordinator. */
export interface RegistryKeeper {
  /** The current part in the head, null if there never was one, and the ID of the key with which segments must be sealed. */
  registrations(): Promise<Pick<RegistryAnswer, 'keyId'> & { readonly head: HeadRegistrations | null }>;
  /** Puts the update into the head. @returns PART_BEHIND if the head has a later version: the registry lost its tables */
  putRegistrations(update: RegistryUpdate): Promise<Result<RegistryAnswer, Failure>>;
  organisations(): Promise<readonly { readonly id: string }[]>;
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
   * Approved pairs that are in force now, in order of client and number; no pair of client, `from` and `to` twice. Pairs
   * of one client may overlap: a number is `addOwn` if any pair says so.
   * @param after `next` of the page before; null for the first
   */
  published(
    after: string | null,
    limit: number,
  ): Promise<{ readonly pairs: readonly PublishedPair[]; readonly next: string | null }>;
  /** The organisation's part of the review queue, by ID. @param after ID of a registration; 0 for the first page */
  queued(after: number, limit: number): Promise<readonly QueueChange[]>;
  /**
   * Numbers of registrations that are not closed, by ID. @param after ID of a registration; 0 for the first page
   * @returns `last` is null on the last page
   */
  numbers(
    after: number,
    limit: number,
  ): Promise<{ readonly numbers: readonly Span[]; readonly last: number | null }>;
  /** The room that the pairs in force take in a release. */
  usage(): Promise<PairsUsage>;
}

/** The names are the IDs of the organisations. */
export interface RegistrationSources {
  getByName(name: string): RegistrationSource;
}

/** What a store of registrations needs from the coordinator. */
export interface AnchorRecorder {
  /** Records the end of the audit chain of an organisation's registrations in the audit log. */
  anchorRegistrations(organisation: string, end: ChainAnchor): Promise<number>;
}
