/**
 * Buffers records of blocked texts and calls and writes many of them to KV as one value. `waitUntil` of a
 * request covers the wait, so at most RECORDS_WAIT_MS of records are lost with the isolate.
 */

import { RECORDS_KEPT_SECONDS, RECORDS_PER_VALUE_MAX, RECORDS_WAIT_MS } from '../../shared/limits/edge.ts';
import { recordsKey } from '../../shared/release/kv-keys.ts';
import { sealRecords } from '../../shared/screening/block-record.ts';
import { warn } from '../log.ts';
import type { LoadContext } from './head/head-sources.ts';

/** Attempts to write one value. */
const TRIES = 3;
/** Pause between attempts, in ms. */
const PAUSE_MS = 1_000;

export class BlockRecorder {
  /** The buffered records, as `writeRecord` returns them. */
  #records: string[] = [];
  /** Time of the first buffered record, RFC 3339. */
  #since = '';
  #waiting = false;

  /** @param at time of the record, RFC 3339 @param line the record, as `writeRecord` returns it */
  add(at: string, line: string, context: LoadContext): void {
    if (this.#records.length === 0) this.#since = at;
    this.#records.push(line);
    if (this.#records.length >= RECORDS_PER_VALUE_MAX) context.ctx.waitUntil(this.#write(context));
    else if (!this.#waiting) {
      this.#waiting = true;
      context.ctx.waitUntil(this.#writeSoon(context));
    }
  }

  async #writeSoon(context: LoadContext): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, RECORDS_WAIT_MS));
    this.#waiting = false;
    await this.#write(context);
  }

  async #write({ env, secrets }: LoadContext): Promise<void> {
    const records = this.#records;
    this.#records = [];
    if (records.length === 0) return;
    const key = recordsKey(this.#since, crypto.randomUUID());
    const bytes = await sealRecords(records, secrets.keys.writer, key);
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      try {
        await env.LISTS.put(key, bytes, { expirationTtl: RECORDS_KEPT_SECONDS });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
      }
    }
    warn('recordsLost', { records: records.length });
  }
}
