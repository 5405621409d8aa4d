/** Gives the coordinator what the head must have of the credentials. */

import { CREDENTIALS_RESTORED_GAP } from '../../shared/limits/credential-store.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { type ControlEnv, openSecrets } from '../env.ts';
import { warn } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { CredentialKeeper } from '../storage/credentials-port.ts';
import { HeadPublication, valuePutter } from '../storage/head-publication.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { within } from '../storage/single-flight.ts';
import type { Tables } from './tables.ts';

export class HeadValues {
  readonly #env: ControlEnv;
  readonly #tables: Tables;
  readonly #ownUri: string;
  readonly #work = new SharedWork<void>();
  readonly #publication = new HeadPublication(() => this.#publish());
  /** Whether the tables are known to be at least as new as the head. */
  #isReady = false;
  #keys: KeyRing | null = null;
  /** The key that values are sealed with: the coordinator decides. */
  #keyId = '';

  constructor(env: ControlEnv, tables: Tables, ownUri: string) {
    this.#env = env;
    this.#tables = tables;
    this.#ownUri = ownUri;
  }

  get #coordinator(): CredentialKeeper {
    return this.#env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as CredentialKeeper;
  }

  /** Returns once the head has all changes until now. @returns their version @throws if the coordinator does not respond */
  async publish(): Promise<number> {
    await this.#ready();
    const { version } = this.#tables.publication;
    if (version > 0) await this.#publication.upTo(version);
    return version;
  }

  /** Gives it the current state, even if it has this version. */
  async refresh(): Promise<void> {
    this.#publication.setStale();
    await this.publish();
  }

  /** If the head has a later version, the tables were lost or set back: everything is published again, above it. */
  async #ready(): Promise<void> {
    if (this.#isReady) return;
    await this.#work.run('ready', async () => {
      if (this.#isReady) return;
      const secrets = await openSecrets(this.#env);
      if (!secrets.ok) throw new Error(secrets.message);
      this.#keys = secrets.value.keys;
      const { head, keyId } = await within(this.#coordinator.credentials(), LOAD_WAIT_MS);
      const { publication, meta } = this.#tables;
      const before = publication.version;
      if (head !== null && head.version > before) {
        publication.restart(head.version + CREDENTIALS_RESTORED_GAP);
        warn('credentialsRestored', { before, version: publication.version });
      }
      // The URI is in the rows of every delegation.
      else if (before > 0 && meta.text('ownUri') !== this.#ownUri) publication.restart(before + 1);
      meta.set('ownUri', this.#ownUri);
      this.#keyId = keyId;
      this.#isReady = true;
    });
  }

  async #publish(): Promise<number> {
    const keys = this.#keys!.of(this.#keyId);
    if (keys === null) throw new Error(`the key ${this.#keyId} is not in LIST_KEY`);
    const { publication, values } = this.#tables;
    const update = await publication.make(keys, valuePutter(this.#env.LISTS), this.#ownUri);
    const answer = await within(this.#coordinator.putCredentials(update), LOAD_WAIT_MS);
    if (!answer.ok) {
      // Its version is later, or the coordinator is full: read it again, and retry.
      this.#isReady = false;
      throw new Error(answer.message);
    }
    values.setWritten(update.unwritten);
    values.removeReplaced();
    const { version } = update.head;
    publication.setPublished(version);
    // The next run seals with that key.
    if (answer.value.keyId !== this.#keyId) this.#publication.setStale();
    this.#keyId = answer.value.keyId;
    return version;
  }
}
