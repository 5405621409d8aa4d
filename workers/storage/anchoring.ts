/**
 * Records the end of an object's own audit chain in the audit log, so that nobody can rewrite the chain unnoticed: once
 * per ANCHOR_INTERVAL_MS, or per ANCHOR_BACKLOG_MS with a backlog. An anchor also has the root of the Merkle tree (RFC
 * 6962) over the records since the previous anchor, so an evidence file can prove one record alone: see `prove`.
 */
import type { AuditRecord, KnownRecord } from '../../shared/audit.ts';
import { toBase64 } from '../../shared/bytes.ts';
import { auditLeaf } from '../../shared/checkpoint.ts';
import { PAGE_MAX } from '../../shared/limits/control.ts';
import {
  ANCHOR_BACKLOG_MS,
  ANCHOR_RECORDS_MAX,
  EVIDENCE_LEAVES_MAX,
} from '../../shared/limits/evidence-files.ts';
import { ANCHOR_INTERVAL_MS } from '../../shared/limits/registrations.ts';
import { inclusionProof, rootHash, subtreesOf } from '../../shared/merkle.ts';
import { warnFailed } from '../log.ts';
import type { ChainAnchor } from './chain-anchor.ts';
import type { AnchoredRecord, AnchorPlace } from './evidence-port.ts';
import type { SingleValues } from './single-values.ts';

export type AnchorKey = 'anchoredAt';

export interface AnchoredChain {
  /** The newest record of the chain. */
  readonly last: KnownRecord;
  /** Records after a number, oldest first. */
  records(after: number, limit: number): AuditRecord[];
}

/** Puts an anchor into the audit log. @returns the number of its record */
export type RecordAnchor = (anchor: ChainAnchor) => Promise<number>;

export class Anchoring {
  readonly #sql: SqlStorage;
  readonly #chain: AnchoredChain;
  readonly #meta: Pick<SingleValues<AnchorKey>, 'number' | 'set'>;
  readonly #record: RecordAnchor;
  readonly #failedEvent: string;
  #running: Promise<void> | null = null;

  /** @param sql of the object, with the table `anchors` @param failedEvent the event to log if `record` fails */
  constructor(
    sql: SqlStorage,
    chain: AnchoredChain,
    meta: Pick<SingleValues<AnchorKey>, 'number' | 'set'>,
    record: RecordAnchor,
    failedEvent: string,
  ) {
    this.#sql = sql;
    this.#chain = chain;
    this.#meta = meta;
    this.#record = record;
    this.#failedEvent = failedEvent;
  }

  /** When the end must be recorded, in ms since 1970; null if it is recorded. */
  get dueAt(): number | null {
    const behind = this.#chain.last.n - this.#anchoredTo;
    if (behind <= 0) return null;
    const pause = behind > ANCHOR_RECORDS_MAX ? ANCHOR_BACKLOG_MS : ANCHOR_INTERVAL_MS;
    return this.#meta.number('anchoredAt') + pause;
  }

  /** Records the end if that is due. Never throws: after a failure, the next attempt follows an interval later. */
  async run(): Promise<void> {
    const due = this.dueAt;
    if (due === null || due > Date.now()) return;
    await this.#next().catch((error: unknown) => warnFailed(this.#failedEvent, error));
  }

  /**
   * Proves some records of the chain. Records that are not in the audit log yet are anchored first.
   * @param records in ascending order @returns only the first of them if the trees of all are too much work
   * @throws if the coordinator does not respond
   */
  async prove(records: readonly AuditRecord[], leavesMax = EVIDENCE_LEAVES_MAX): Promise<AnchoredRecord[]> {
    const last = records.at(-1)?.n ?? 0;
    while (this.#anchoredTo < last) await this.#next();
    const byAnchor = Map.groupBy(records, ({ n }) => this.#placeOf(n).to);
    const proven: AnchoredRecord[] = [];
    let leaves = 0;
    for (const [to, own] of byAnchor) {
      const place = this.#placeOf(to);
      leaves += place.to - place.from;
      if (leaves > leavesMax) break;
      proven.push(...this.#proveIn(place, own));
      // Give waiting requests a turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return proven;
  }

  #proveIn(anchor: AnchorPlace, records: readonly AuditRecord[]): AnchoredRecord[] {
    const { leaves } = this.#range(anchor.from, anchor.to);
    const read = subtreesOf(leaves);
    return records.map((record) => {
      const hashes = inclusionProof(record.n - anchor.from - 1, leaves.length, read);
      return { record, anchor, hashes: hashes.map(toBase64) };
    });
  }

  /** The anchor that covers a record. */
  #placeOf(n: number): AnchorPlace {
    const {
      to_n: to,
      from_n: from,
      log_n: logN,
    } = this.#sql
      .exec<{ to_n: number; from_n: number; log_n: number }>(
        'SELECT * FROM anchors WHERE to_n >= ? ORDER BY to_n LIMIT 1',
        n,
      )
      .one();
    return { logN, from, to };
  }

  /** The last record that an anchor with a root covers. Older versions made anchors without a root. */
  get #anchoredTo(): number {
    return this.#sql.exec<{ to: number | null }>('SELECT MAX(to_n) AS "to" FROM anchors').one().to ?? 0;
  }

  /** Makes the next anchor. Two calls at the same time make one anchor. */
  #next(): Promise<void> {
    this.#running ??= this.#anchor().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #anchor(): Promise<void> {
    const from = this.#anchoredTo;
    const { leaves, end } = this.#range(from, from + ANCHOR_RECORDS_MAX);
    // Set this even if the call fails, so that the next attempt follows an interval later.
    this.#meta.set('anchoredAt', Date.now());
    if (end === null) return;
    const root = toBase64(rootHash(leaves.length, subtreesOf(leaves)));
    const logN = await this.#record({ ...end, from, root });
    this.#sql.exec('INSERT OR REPLACE INTO anchors VALUES (?, ?, ?)', end.n, from, logN);
  }

  /** The leaves of the records after `from`, up to `to` at most, and the last of these records. */
  #range(from: number, to: number): { readonly leaves: Uint8Array[]; readonly end: KnownRecord | null } {
    const leaves: Uint8Array[] = [];
    let end: KnownRecord | null = null;
    while (from + leaves.length < to) {
      const after = from + leaves.length;
      const page = this.#chain.records(after, Math.min(PAGE_MAX, to - after));
      for (const record of page) leaves.push(auditLeaf(record));
      const last = page.at(-1);
      if (last === undefined) break;
      end = { n: last.n, hash: last.hash };
    }
    return { leaves, end };
  }
}
