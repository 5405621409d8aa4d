/**
 * Gives the coordinator an object's part of the head: its index, and the values that the index names. All calls of one
 * object share the work. The version of a head never goes back.
 */
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { type Env, openSecrets, type Secrets } from '../env.ts';
import { HeadPublication, type PutValue, valuePutter } from './head-publication.ts';
import { SharedWork } from './shared-work.ts';
import { within } from './single-flight.ts';

interface Update {
  readonly head: { readonly version: number };
  /** Values that KV did not accept: the coordinator writes them. */
  readonly unwritten: readonly string[];
}

/** The parts that differ between objects. */
export interface HeadValuesSource<Given extends Update> {
  /** Number of the last change of the object; 0 before the first. */
  readonly version: number;
  /** The current part in the head, null if there never was one, and the ID of the key with which values must be sealed. */
  readHead(): Promise<{ readonly head: Given['head'] | null; readonly keyId: string }>;
  /**
   * Called before the first publication, with the object's part of the head. If its version is later, the tables were
   * lost or set back, and the next version must be above it.
   */
  start(head: Given['head'] | null, secrets: Secrets): Promise<void> | void;
  /** Makes the values that are due, and the index. Calls do not overlap. */
  make(keys: ListKeys, put: PutValue): Promise<Given>;
  /** Gives the update to the coordinator. */
  put(update: Given): Promise<Result<{ readonly keyId: string }, Failure>>;
  /** Records that the head has this update. */
  setPublished(update: Given): void;
}

export class HeadValues<Given extends Update> {
  readonly #env: Pick<Env, 'LISTS' | 'LIST_KEY' | 'RELEASE_PUBLIC_KEYS'>;
  readonly #source: HeadValuesSource<Given>;
  readonly #work = new SharedWork<void>();
  readonly #publication = new HeadPublication(() => this.#publish());
  /** Whether the tables are known to be at least as new as the head. */
  #isReady = false;
  #keys: KeyRing | null = null;
  /** ID of the key with which values are sealed. The coordinator decides which key. */
  #keyId = '';

  constructor(env: Pick<Env, 'LISTS' | 'LIST_KEY' | 'RELEASE_PUBLIC_KEYS'>, source: HeadValuesSource<Given>) {
    this.#env = env;
    this.#source = source;
  }

  /** Returns once the head has all changes so far. @returns their version @throws if the coordinator does not respond */
  async publish(): Promise<number> {
    await this.ready();
    const { version } = this.#source;
    if (version > 0) await this.#publication.upTo(version);
    return version;
  }

  /** Gives the coordinator the current state, even if it already has this version. */
  async refresh(): Promise<void> {
    this.#publication.setStale();
    await this.publish();
  }

  /** Returns once the tables are at least as new as the head. @throws if the coordinator does not respond */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    await this.#work.run('ready', async () => {
      if (this.#isReady) return;
      const secrets = await openSecrets(this.#env);
      if (!secrets.ok) throw new Error(secrets.message);
      this.#keys = secrets.value.keys;
      const { head, keyId } = await within(this.#source.readHead(), LOAD_WAIT_MS);
      await this.#source.start(head, secrets.value);
      this.#keyId = keyId;
      this.#isReady = true;
    });
  }

  async #publish(): Promise<number> {
    const keys = this.#keys!.of(this.#keyId);
    if (keys === null) throw new Error(`the key ${this.#keyId} is not in LIST_KEY`);
    const update = await this.#source.make(keys, valuePutter(this.#env.LISTS));
    const answer = await within(this.#source.put(update), LOAD_WAIT_MS);
    if (!answer.ok) {
      // The head has a later version, or the coordinator is full: read the head again, and retry.
      this.#isReady = false;
      throw new Error(answer.message);
    }
    this.#source.setPublished(update);
    // The next run seals with the new key.
    if (answer.value.keyId !== this.#keyId) this.#publication.setStale();
    this.#keyId = answer.value.keyId;
    return update.head.version;
  }
}
