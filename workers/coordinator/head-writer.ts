/**
 * Builds the head from the tables, once per state, and writes a copy to KV. Readers use the copy while the
 * coordinator does not respond.
 */
import { toBase64 } from '../../shared/bytes.ts';
import { KV_HEAD_AGE_MS, KV_HEAD_INTERVAL_MS } from '../../shared/limits.ts';
import { encodeSegment } from '../../shared/live/segment.ts';
import { type Head, sealHead } from '../../shared/release/head.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { warnFailed } from '../log.ts';
import { Unavailable, within } from '../storage/single-flight.ts';
import type { Ledger } from './ledger.ts';
import type { LiveStore } from './live-store.ts';
import { policyIn } from './policy-store.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';
import type { SegmentStore } from './segments.ts';
import type { ValueStore } from './value-store.ts';

/** Timeout for writing the copy to KV, in ms. */
const KV_WRITE_WAIT_MS = 10_000;

export interface SealedHead {
  readonly seq: number;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

export interface Stores {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly segments: SegmentStore;
  readonly releases: ReleaseStore;
  readonly values: ValueStore;
}

export class HeadWriter {
  readonly #stores: Stores;
  readonly #keys: ListKeys;
  readonly #kv: KVNamespace;
  readonly #again: () => void;
  #sealed: Promise<SealedHead> | null = null;
  #writtenAt = 0;
  #version = 0;
  /** Whether the copy in KV is known not to be ahead. Until then, only a change overwrites it. */
  knowsKv = false;

  /** @param again schedules another write of the copy */
  constructor(stores: Stores, keys: ListKeys, kv: KVNamespace, again: () => void) {
    this.#stores = stores;
    this.#keys = keys;
    this.#kv = kv;
    this.#again = again;
  }

  /** Call after the tables have changed. */
  changed(): void {
    this.#version++;
    this.#sealed = null;
  }

  /** The head as sent to readers; null before the first change. */
  async sealed(): Promise<SealedHead | null> {
    if (this.#stores.ledger.seq === 0) return null;
    this.#sealed ??= this.#seal().catch((error: unknown) => {
      this.#sealed = null;
      throw error;
    });
    return this.#sealed;
  }

  async #seal(): Promise<SealedHead> {
    // Everything is read synchronously, so nothing can change in between.
    const head = this.#head();
    return { seq: head.seq, sealed: await sealHead({ head, manifests: [] }, this.#keys) };
  }

  #head(): Head {
    const { ledger, live, segments, releases, values } = this.#stores;
    const { current, candidate } = releases;
    const { seq } = ledger;
    const policy = policyIn(ledger);
    return {
      kind: 'numgate-head',
      format: 2,
      seq,
      changedAt: ledger.changedAt ?? new Date().toISOString(),
      current: current === null ? null : namedOf(current),
      candidate: candidate === null ? null : { ...namedOf(candidate), share: candidate.share ?? 0 },
      droppedSeq: ledger.droppedSeq,
      segments: segments.named,
      tail: toBase64(encodeSegment(live.entries(segments.sealedSeq, seq))),
      clients: values.directory,
      // Omitted for version 0, so edges that predate the policy can read the head.
      ...(policy.version === 0 ? {} : { policy }),
    };
  }

  /** The `seq` of the copy in KV. */
  get kvSeq(): number {
    return Number(this.#stores.ledger.get('kvSeq') ?? 0);
  }

  /**
   * Updates the copy in KV and records when it was written. Writes one at a time, and not more often than KV
   * allows. Changes made meanwhile are left to the next call.
   * @returns whether the copy is current
   */
  async write(): Promise<boolean> {
    const { ledger } = this.#stores;
    const isOld = this.knowsKv && ledger.seq > 0 && Date.now() - this.#writtenAt >= KV_HEAD_AGE_MS;
    if (this.kvSeq < ledger.seq || isOld) {
      await this.#writeOnce().catch((error: unknown) => warnFailed('kvHeadFailed', error));
    }
    return this.kvSeq >= ledger.seq;
  }

  async #writeOnce(): Promise<void> {
    const waitMs = this.#writtenAt + KV_HEAD_INTERVAL_MS - Date.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    // Never overwrite a complete copy with one that names values KV lacks.
    if (!this.#stores.values.complete) return;
    const head = this.#head();
    const version = this.#version;
    const { current, candidate } = this.#stores.releases;
    const manifests = [current, candidate].flatMap((release) => (release === null ? [] : [release.signed]));
    const writtenAt = new Date().toISOString();
    const bytes = await sealHead({ head, manifests, writtenAt }, this.#keys);
    this.#writtenAt = Date.now();
    await this.#put(bytes);
    // If entries were sealed meanwhile under the same `seq`, the copy must be written again.
    if (version === this.#version) this.#stores.ledger.set('kvSeq', String(head.seq));
  }

  async #put(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const put = this.#kv.put(HEAD_KEY, bytes);
    try {
      await within(put, KV_WRITE_WAIT_MS);
    } catch (error) {
      if (error instanceof Unavailable) {
        // The write may still land in KV later and overwrite a newer one.
        const settled = (): void => {
          this.#stores.ledger.set('kvSeq', '0');
          this.#again();
        };
        put.then(settled, settled);
      }
      throw error;
    }
  }
}

function namedOf({ release, signed }: StoredRelease): { release: string; signature: string } {
  return { release, signature: signed.signature };
}
