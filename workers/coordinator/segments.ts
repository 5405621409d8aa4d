/**
 * The sealed segments of the live layer: immutable values, named by the head, that hold all entries except
 * the newest. The last segment grows until it is full, and all are rewritten before most of their entries are
 * dead. So there are few segments, and polls stay small.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import {
  SEALED_PER_LIVE_MAX,
  SEGMENT_ENTRIES_MAX,
  UNSEALED_ENTRIES_MAX,
} from '../../shared/limits/control.ts';
import type { LiveEntry } from '../../shared/live/entry.ts';
import { encodeSegment } from '../../shared/live/segment.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import { segmentKey } from '../../shared/release/kv-keys.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { seal } from '../../shared/set/seal.ts';
import type { ActiveKeys } from './active-keys.ts';
import type { LiveRekey } from './live-rekey.ts';
import type { LiveStore } from './live-store.ts';

/** A segment: the entries of changes above `from` and up to `to`. */
type Span = {
  readonly from: number;
  readonly to: number;
  /** Number of entries when it was sealed. */
  readonly entries: number;
};
type Row = Span & NamedValue;

export type SealedSegment = Row & { readonly bytes: Uint8Array<ArrayBuffer> };

export class SegmentStore {
  readonly #sql: SqlStorage;
  readonly #live: LiveStore;
  readonly #keys: ActiveKeys;

  constructor(sql: SqlStorage, live: LiveStore, keys: ActiveKeys) {
    this.#sql = sql;
    this.#live = live;
    this.#keys = keys;
  }

  #rows(): Row[] {
    return this.#sql
      .exec<Row>(
        'SELECT key, sha256, from_seq AS "from", to_seq AS "to", entries FROM segments ORDER BY from_seq',
      )
      .toArray();
  }

  /** The segments as the head names them. */
  get named(): NamedValue[] {
    return this.#rows().map(({ key, sha256 }) => ({ key, sha256 }));
  }

  has(key: string): boolean {
    return this.#sql.exec('SELECT 1 FROM segments WHERE key = ?', key).toArray().length > 0;
  }

  /** The `seq` of the last change in a segment. */
  get sealedSeq(): number {
    return this.#rows().at(-1)?.to ?? 0;
  }

  bytes(key: string): Uint8Array<ArrayBuffer> | null {
    const [row] = this.#sql
      .exec<{ bytes: ArrayBuffer }>('SELECT bytes FROM segments WHERE key = ?', key)
      .toArray();
    return row === undefined ? null : new Uint8Array(row.bytes);
  }

  /**
   * The sealed segments to write and the keys they replace; null if nothing is due.
   * @param compact if nothing new is due, also check whether most sealed entries are dead, which reads the
   * whole table
   */
  async due(seq: number, compact = false): Promise<{ sealed: SealedSegment[]; replaced: string[] } | null> {
    const rows = this.#rows();
    const spans = this.#spansDue(rows, seq, compact);
    if (spans === null) return null;
    const { current } = this.#keys;
    const sealed = await this.#seal(spans, current, (span) => this.#live.entries(span.from, span.to));
    const first = spans[0]?.from ?? 0;
    return { sealed, replaced: rows.filter(({ from }) => from >= first).map(({ key }) => key) };
  }

  /** The segments under another key, and the keys they replace. Entries that cannot be re-keyed are left out. */
  async rekeyed(live: LiveRekey, to: ListKeys): Promise<{ sealed: SealedSegment[]; replaced: string[] }> {
    const rows = this.#rows();
    const last = rows.at(-1)?.to ?? 0;
    const held = this.#live.counts(0).filter(({ seq }) => seq <= last);
    const spans = rows.length === 0 ? [] : spansOf(held, 0, last);
    const sealed = await this.#seal(spans, to, (span) => live.entries(span.from, span.to));
    return { sealed, replaced: rows.map(({ key }) => key) };
  }

  async #seal(
    spans: readonly Span[],
    keys: ListKeys,
    entriesOf: (span: Span) => LiveEntry[],
  ): Promise<SealedSegment[]> {
    const sealed: SealedSegment[] = [];
    for (const span of spans) {
      const bytes = await seal(encodeSegment(entriesOf(span)), keys);
      const sha256 = await sha256Hex(bytes);
      sealed.push({ ...span, key: segmentKey(sha256), sha256, bytes });
    }
    return sealed;
  }

  #spansDue(rows: readonly Row[], seq: number, compact: boolean): Span[] | null {
    const last = rows.at(-1);
    const unsealed = this.#live.counts(last?.to ?? 0);
    const sealedEntries = sum(rows);
    if (sum(unsealed) > UNSEALED_ENTRIES_MAX) {
      // Replaced entries stay in their segments. Before there are too many, rewrite all segments without
      // them.
      const most = SEALED_PER_LIVE_MAX * this.#live.rows + SEGMENT_ENTRIES_MAX;
      if (sealedEntries + sum(unsealed) > most) return spansOf(this.#live.counts(0), 0, seq);
      // While the last segment has room, rewrite it with the new entries added.
      const joins = last !== undefined && last.entries + sum(unsealed) <= SEGMENT_ENTRIES_MAX;
      return spansOf(
        joins ? this.#live.counts(last.from) : unsealed,
        joins ? last.from : (last?.to ?? 0),
        seq,
      );
    }
    if (rows.length === 0 || !compact) return null;
    // Most entries in the segments have expired, were replaced, or are folded into every release.
    const held = this.#live.counts(0).filter((count) => count.seq <= last!.to);
    return sum(held) * 2 < sealedEntries ? spansOf(held, 0, last!.to) : null;
  }

  /** Replaces segments. Must run in a transaction, once readers can find the values. */
  replace(sealed: readonly SealedSegment[], replaced: readonly string[]): void {
    for (const key of replaced) this.#sql.exec('DELETE FROM segments WHERE key = ?', key);
    for (const { key, sha256, from, to, entries, bytes } of sealed) {
      this.#sql.exec(
        'INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?, ?)',
        ...[key, sha256, from, to, entries, bytes],
      );
    }
  }
}

function sum(counts: readonly { readonly entries: number }[]): number {
  return counts.reduce((total, { entries }) => total + entries, 0);
}

/**
 * Splits changes into runs that fit a segment. A single change always fits: it has at most BULK_ENTRIES_MAX
 * entries.
 */
function spansOf(counts: readonly { seq: number; entries: number }[], from: number, to: number): Span[] {
  const spans: Span[] = [];
  let start = from;
  let entries = 0;
  let end = from;
  for (const count of counts) {
    if (entries > 0 && entries + count.entries > SEGMENT_ENTRIES_MAX) {
      spans.push({ from: start, to: end, entries });
      start = end;
      entries = 0;
    }
    entries += count.entries;
    end = count.seq;
  }
  if (entries > 0 || spans.length === 0) spans.push({ from: start, to, entries });
  return spans;
}
