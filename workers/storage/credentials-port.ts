/**
 * What flows between the credential store, of which there is one, and the coordinator: the part of the head that names
 * certificates, delegations and status lists.
 */
import type { HeadCredentials, NamedValue } from '../../shared/release/head.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { ChainAnchor } from './chain-anchor.ts';

/** What the store gives the coordinator. */
export interface CredentialsUpdate {
  readonly head: HeadCredentials;
  /** All its values: the index, and those that the index names. */
  readonly named: readonly NamedValue[];
  /** Values that KV did not accept: the coordinator writes them. */
  readonly unwritten: readonly string[];
  /** IDs of the keys that seal the values. */
  readonly keyIds: readonly string[];
}

/** What the store needs from the coordinator. */
export interface CredentialKeeper {
  /** What the head has now, null if it never had anything, and the ID of the key that values must be sealed with. */
  credentials(): Promise<{ readonly head: HeadCredentials | null; readonly keyId: string }>;
  /** Puts it into the head. @returns that key; PART_BEHIND if the head has a later version: the store lost its tables */
  putCredentials(update: CredentialsUpdate): Promise<Result<{ readonly keyId: string }, Failure>>;
}

/** The store, as the coordinator and the public routes call it. */
export interface CredentialObject {
  /** A sealed value that the head names or named, or null. */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Gives the coordinator the current state, with values that are sealed with the key of its answer. */
  refresh(): Promise<void>;
  /** The statuses of all delegations by ID, two bits each, as a status list has them. */
  delegationStatuses(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What the store needs from the coordinator besides. */
export interface CredentialAnchorRecorder {
  /** Records the end of the audit chain of the credentials in the audit log. */
  anchorCredentials(end: ChainAnchor): Promise<number>;
}

/** The name of the only store of credentials. */
export const CREDENTIALS_NAME = 'main';
