/**
 * Builds the head from the tables, once per state, and writes a copy to KV. Readers use the copy while the
 * coordinator does not respond.
 */
import { toBase64 } from '../../shared/bytes.ts';
import { KV_HEAD_AGE_MS, KV_HEAD_INTERVAL_MS } from '../../shared/limits/control.ts';
import { encodeSegment } from '../../shared/live/segment.ts';
import { type Head, type SealedHead, sealHead } from '../../shared/release/head.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { warnFailed } from '../log.ts';
import { Unavailable, within } from '../storage/single-flight.ts';
import type { StoredRelease } from './release-store.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

/** Timeout for writing the copy to KV, in ms. */
const KV_WRITE_WAIT_MS = 10_000;

export class HeadWriter {
  readonly #tables: Tables;
  readonly #values: ValueStore;
  readonly #kv: KVNamespace;
  #sealed: Promise<SealedHead> | null = null;
  #writtenAt = 0;
  #version = 0;
  /** Whether the copy in KV is known not to be ahead. Until then, only a change overwrites it. */
  knowsKv = false;

  constructor(tables: Tables, values: ValueStore, kv: KVNamespace) {
    this.#tables = tables;
    this.#values = values;
    this.#kv = kv;
  }

  /** Call after the tables have changed. */
  changed(): void {
    this.#version++;
    this.#sealed = null;
  }

  /** The head as sent to readers; null before the first change. */
  async sealed(): Promise<SealedHead | null> {
    if (this.#tables.ledger.seq === 0) return null;
    this.#sealed ??= this.#seal().catch((error: unknown) => {
      this.#sealed = null;
      throw error;
    });
    return this.#sealed;
  }

  async #seal(): Promise<SealedHead> {
    const head = this.#head();
    return { seq: head.seq, sealed: await sealHead({ head, manifests: [] }, this.#tables.keys.current) };
  }

  /** Everything is read synchronously, so nothing can change in between. */
  #head(): Head {
    const { meta, ledger, settings, live, segments, releases, registeredSenders } = this.#tables;
    const { credentials, text } = this.#tables;
    const { current, candidate } = releases;
    const { seq } = ledger;
    const { policy, canaries } = settings;
    const { head: registrations } = registeredSenders;
    return {
      kind: 'numgate-head',
      format: 2,
      seq,
      changedAt: meta.text('changedAt') ?? new Date().toISOString(),
      current: current === null ? null : namedOf(current),
      candidate: candidate === null ? null : { ...namedOf(candidate), share: candidate.share ?? 0 },
      droppedSeq: meta.number('droppedSeq'),
      segments: segments.named,
      tail: toBase64(encodeSegment(live.entries(segments.sealedSeq, seq))),
      clients: this.#values.directory,
      // Omitted for version 0, so edges that predate the policy can read the head.
      ...(policy.version === 0 ? {} : { policy }),
      // Likewise.
      ...(canaries.length === 0 ? {} : { canaries }),
      ...(registrations === null ? {} : { registrations }),
      ...(credentials.head === null ? {} : { credentials: credentials.head }),
      ...(text.head === null ? {} : { text: text.head }),
    };
  }

  /** The `seq` of the copy in KV. */
  get kvSeq(): number {
    return this.#tables.meta.number('kvSeq');
  }

  /**
   * Updates the copy in KV and records when it was written. Writes one at a time, and not more often than KV
   * allows. The next call writes the changes that are made in the meantime.
   * @param onLate called if the write ends after the timeout, when it may have overwritten a newer copy
   * @returns whether the copy is current
   */
  async write(onLate: () => void): Promise<boolean> {
    const { seq } = this.#tables.ledger;
    const isOld = this.knowsKv && seq > 0 && Date.now() - this.#writtenAt >= KV_HEAD_AGE_MS;
    if (this.kvSeq < seq || isOld) {
      await this.#writeOnce(onLate).catch((error: unknown) => warnFailed('kvHeadFailed', error));
    }
    return this.kvSeq >= this.#tables.ledger.seq;
  }

  async #writeOnce(onLate: () => void): Promise<void> {
    const waitMs = this.#writtenAt + KV_HEAD_INTERVAL_MS - Date.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    // Never overwrite a complete copy with one that names values KV lacks.
    if (!this.#values.complete) return;
    const { meta, releases } = this.#tables;
    const head = this.#head();
    const version = this.#version;
    const { current, candidate } = releases;
    const manifests = [current, candidate].flatMap((release) => (release === null ? [] : [release.signed]));
    const writtenAt = new Date().toISOString();
    const bytes = await sealHead({ head, manifests, writtenAt }, this.#tables.keys.current);
    this.#writtenAt = Date.now();
    const put = this.#kv.put(HEAD_KEY, bytes);
    try {
      await within(put, KV_WRITE_WAIT_MS);
    } catch (error) {
      const settled = (): void => {
        meta.set('kvSeq', 0);
        onLate();
      };
      if (error instanceof Unavailable) put.then(settled, settled);
      throw error;
    }
    // If entries were sealed in the meantime under the same `seq`, the copy must be written again.
    if (version === this.#version) meta.set('kvSeq', head.seq);
  }
}

function namedOf({ release, signed }: StoredRelease): { release: string; signature: string } {
  return { release, signature: signed.signature };
}
