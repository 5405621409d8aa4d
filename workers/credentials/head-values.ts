/** Provides `HeadValues` with the values that the credential store publishes. */

import { CREDENTIALS_RESTORED_GAP } from '../../shared/limits/credential-store.ts';
import type { HeadCredentials } from '../../shared/release/head.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { ControlEnv } from '../env.ts';
import { warn } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { CredentialKeeper, CredentialsUpdate } from '../storage/credentials-port.ts';
import type { PutValue } from '../storage/head-publication.ts';
import type { HeadValuesSource } from '../storage/head-values.ts';
import type { Tables } from './tables.ts';

export class CredentialValues implements HeadValuesSource<CredentialsUpdate> {
  readonly #env: Pick<ControlEnv, 'COORDINATOR'>;
  readonly #tables: Tables;
  readonly #ownUri: string;

  constructor(env: Pick<ControlEnv, 'COORDINATOR'>, tables: Tables, ownUri: string) {
    this.#env = env;
    this.#tables = tables;
    this.#ownUri = ownUri;
  }

  get #coordinator(): CredentialKeeper {
    return this.#env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as CredentialKeeper;
  }

  get version(): number {
    return this.#tables.publication.version;
  }

  readHead(): ReturnType<CredentialKeeper['credentials']> {
    return this.#coordinator.credentials();
  }

  start(head: HeadCredentials | null): void {
    const { publication, meta } = this.#tables;
    const before = publication.version;
    if (head !== null && head.version > before) {
      publication.restart(head.version + CREDENTIALS_RESTORED_GAP);
      warn('credentialsRestored', { before, version: publication.version });
    }
    // The row of every delegation contains the URI, so all shards must be made again.
    else if (before > 0 && meta.text('ownUri') !== this.#ownUri) publication.restart(before + 1);
    meta.set('ownUri', this.#ownUri);
  }

  make(keys: ListKeys, put: PutValue): Promise<CredentialsUpdate> {
    return this.#tables.publication.make(keys, put, this.#ownUri);
  }

  put(update: CredentialsUpdate): ReturnType<CredentialKeeper['putCredentials']> {
    return this.#coordinator.putCredentials(update);
  }

  setPublished({ head, unwritten }: CredentialsUpdate): void {
    const { values, publication } = this.#tables;
    values.setWritten(unwritten);
    values.removeReplaced();
    publication.setPublished(head.version);
  }
}
