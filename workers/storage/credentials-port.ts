/**
 * The interfaces between the only credential store and the coordinator: the part of the head that names certificates,
 * delegations and status lists.
 */
import type { HeadCredentials, NamedValue } from '../../shared/release/head.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { ChainAnchor } from './chain-anchor.ts';

/** What the store gives the coordinator. */
export interface CredentialsUpdate {
  readonly head: HeadCredentials;
  /** All values: the index, and the values that the index names. */
  readonly named: readonly NamedValue[];
  /** Values that KV did not accept: the coordinator writes them. */
  readonly unwritten: readonly string[];
  /** IDs of the keys that seal the values. */
  readonly keyIds: readonly string[];
}

/** What the store needs from the coordinator. */
export interface CredentialKeeper {
  /** The current part in the head, null if there never was one, and the ID of the key with which values must be sealed. */
  credentials(): Promise<{ readonly head: HeadCredentials | null; readonly keyId: string }>;
  /** Puts the update into the head. @returns the key ID; PART_BEHIND if the head is newer: the store lost its tables */
  putCredentials(update: CredentialsUpdate): Promise<Result<{ readonly keyId: string }, Failure>>;
}

/** The store, as the coordinator and the public routes call it. */
export interface CredentialObject {
  /** A sealed value that the head names or has named; otherwise null. */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Gives the coordinator the current state, with values that are sealed with the coordinator's key. */
  refresh(): Promise<void>;
  /** The statuses of all delegations by ID, two bits each, as a status list has them. */
  delegationStatuses(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What else the store needs from the coordinator. */
export interface CredentialAnchorRecorder {
  /** Records the end of the audit chain of the credentials in the audit log. */
  anchorCredentials(end: ChainAnchor): Promise<number>;
}

/** The name of the only store of credentials. */
export const CREDENTIALS_NAME = 'main';
