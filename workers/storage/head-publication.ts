/**
 * Gives the coordinator a part of the head, at most once per HEAD_PART_INTERVAL_MS, however many changes there are. One
 * run serves all callers that wait for a version.
 */
import { HEAD_PART_INTERVAL_MS } from '../../shared/limits/control.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { warn } from '../log.ts';
import { SharedWork } from './shared-work.ts';
import { within } from './single-flight.ts';

export class HeadPublication {
  readonly #publish: () => Promise<number>;
  readonly #work = new SharedWork<void>();
  /** Whether the coordinator must get the state even if it already has this version. */
  #isStale = true;
  /** The last version that the head has, and when it was given to the coordinator, in ms since 1970. */
  #version = 0;
  #at = 0;

  /** @param publish gives the coordinator the current state, and returns the version of that state */
  constructor(publish: () => Promise<number>) {
    this.#publish = publish;
  }

  get isStale(): boolean {
    return this.#isStale;
  }

  /** Makes the next run due, whatever the version. */
  setStale(): void {
    this.#isStale = true;
  }

  /** Returns once the head has this version. @throws the error of `publish`; the next call tries again */
  async upTo(version: number): Promise<void> {
    // A run that has already begun may not include this version.
    while (this.#isStale || this.#version < version) {
      await this.#work.run('publish', () => this.#run());
    }
  }

  async #run(): Promise<void> {
    const pauseMs = this.#at + HEAD_PART_INTERVAL_MS - Date.now();
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    this.#at = Date.now();
    this.#isStale = false;
    try {
      this.#version = await this.#publish();
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }
}

/** Stores a value in KV. @returns whether KV accepted it */
export type PutValue = (key: string, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>;

/** Writes to KV until a write fails, so that a change does not wait for many failing writes. */
export function valuePutter(kv: KVNamespace): PutValue {
  let isAccepting = true;
  return async (key, bytes) => {
    if (!isAccepting) return false;
    try {
      await within(kv.put(key, bytes), LOAD_WAIT_MS);
    } catch {
      isAccepting = false;
      warn('valuePutFailed', { key });
    }
    return isAccepting;
  };
}
