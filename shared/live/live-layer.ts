/**
 * The live layer in memory: the sealed segments and the unsealed entries of the head, with a lookup for one
 * number or source at a time. Entries stay in the segments, and an index finds them by key. In front of each
 * index is a bitmap of hashed keys without false negatives, so a number without an entry costs two reads and
 * allocates nothing. The index of the sealed segments is rebuilt only when they change.
 */
import { SEGMENT_ENTRIES_MAX } from '../limits/control.ts';
import { hashOf, KeyFilter, powerOfTwo } from '../set/key-filter.ts';
import { SEGMENT_KIND_MASK, SEGMENT_ROW_WORDS, SEGMENT_SUBJECTS_SHIFT } from '../set/layout.ts';
import type { Code } from '../verdict.ts';
import { LIVE_KINDS, type LiveEntry, type LiveKey } from './entry.ts';
import { encodeSegment, Segment } from './segment.ts';

type Kind = LiveKey['kind'];

/**
 * Minimum words of the filter per entry: at most one in twenty other keys passes. With twice as many words, fewer keys
 * would pass, but at a higher cost: each check reads two words, which are seldom in the cache (docs/performance.md).
 */
const FILTER_WORDS_PER_ENTRY = 0.25;
/** Minimum slots of the index per entry. */
const SLOTS_PER_ENTRY = 2;
/** The place of an entry: the number of its segment and, in the low bits, its row in that segment. */
const ROW_BITS = 32 - Math.clz32(SEGMENT_ENTRIES_MAX - 1);
const ROW_MASK = 2 ** ROW_BITS - 1;

/** Mixes a hash again, because its lower bits are not well distributed. */
function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return half ^ (half >>> 16);
}

/** Index of the entries of some segments by key: open addressing, linear probing. */
class LiveIndex {
  readonly segments: readonly Segment[];
  readonly #filter: KeyFilter;
  /** 0 for empty, or 1 + the place of an entry. */
  readonly #slots: Uint32Array;

  constructor(segments: readonly Segment[]) {
    const count = segments.reduce((sum, segment) => sum + segment.count, 0);
    this.segments = segments;
    this.#filter = new KeyFilter(count * FILTER_WORDS_PER_ENTRY);
    this.#slots = new Uint32Array(powerOfTwo(count * SLOTS_PER_ENTRY));
    for (const [segment, { rows }] of segments.entries()) {
      for (let at = 0, row = 0; at < rows.length; at += SEGMENT_ROW_WORDS, row++) {
        this.#add(hashOf(rows[at]!, rows[at + 1]!), (segment << ROW_BITS) | row);
      }
    }
  }

  #add(hash: number, place: number): void {
    this.#filter.add(hash);
    const mask = this.#slots.length - 1;
    let slot = mixed(hash) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = place + 1;
  }

  /** False if no entry has a key with this hash. */
  mayHave(hash: number): boolean {
    return this.#filter.mayHave(hash);
  }

  /** Like LiveLayer.find, but only for the entries of this index. @param seqMin the entry must have a higher `seq` */
  find(
    hash: number,
    kind: Kind,
    high: number,
    low: number,
    subjectBit: number,
    seqMin: number,
    now: number,
  ): LiveEntry | null {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let newest = 0;
    let newestSeq = seqMin;
    for (let slot = mixed(hash) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const place = slots[slot]! - 1;
      const { rows } = this.segments[place >>> ROW_BITS]!;
      const at = (place & ROW_MASK) * SEGMENT_ROW_WORDS;
      const flags = rows[at + 4]!;
      if (
        rows[at] === high &&
        rows[at + 1] === low &&
        LIVE_KINDS[flags & SEGMENT_KIND_MASK] === kind &&
        ((flags >>> SEGMENT_SUBJECTS_SHIFT) & subjectBit) !== 0 &&
        now < rows[at + 2]! &&
        rows[at + 3]! > newestSeq
      ) {
        newest = slots[slot]!;
        newestSeq = rows[at + 3]!;
      }
    }
    if (newest === 0) return null;
    return this.segments[(newest - 1) >>> ROW_BITS]!.entry((newest - 1) & ROW_MASK);
  }
}

export class LiveLayer {
  /** A layer without entries. */
  static readonly EMPTY: LiveLayer = new LiveLayer([], new Segment(encodeSegment([])));

  readonly #sealed: LiveIndex;
  readonly #unsealed: LiveIndex;

  /** @param earlier a layer whose index is reused if it has the same segments in the same order */
  constructor(segments: readonly Segment[], unsealed: Segment, earlier?: LiveLayer) {
    const known = earlier === undefined ? undefined : earlier.#sealed;
    const isSame =
      known?.segments.length === segments.length &&
      segments.every((segment, index) => segment === known.segments[index]);
    this.#sealed = isSame ? known : new LiveIndex(segments);
    this.#unsealed = new LiveIndex([unsealed]);
  }

  /** Whether any block has this code, in force or not. */
  hasCode(code: Code): boolean {
    return [this.#sealed, this.#unsealed].some(({ segments }) => segments.some((each) => each.hasCode(code)));
  }

  /**
   * Returns the deciding entry: the newest entry of this key and subject that is in force and not folded into the
   * release. It may be a `clear`, but never an `undo`.
   * @param subjectBit from SUBJECT_BIT @param foldedSeq that of the release @param now seconds since 1970
   */
  find(
    kind: Kind,
    high: number,
    low: number,
    subjectBit: number,
    foldedSeq: number,
    now: number,
  ): LiveEntry | null {
    const hash = hashOf(high, low);
    if (!this.#unsealed.mayHave(hash) && !this.#sealed.mayHave(hash)) return null;
    const sealed = this.#sealed.find(hash, kind, high, low, subjectBit, foldedSeq, now);
    const seqMin = sealed?.seq ?? foldedSeq;
    const found = this.#unsealed.find(hash, kind, high, low, subjectBit, seqMin, now) ?? sealed;
    return found?.op === 'undo' ? null : found;
  }
}
