/**
 * The shards that an isolate holds, across all its releases, within a byte budget. Releases share shards with
 * the same key. Eviction drops retired shards first, then the least recently used, and never a pinned one
 * (`pin`). An evicted shard is "not loaded", never "not listed".
 */
import type { Shard } from '../set/shard.ts';

/** Slot of one shard. Releases hold the slot, so an eviction applies to all of them. */
export interface Slot {
  readonly key: string;
  readonly bytes: number;
  shard: Shard | null;
  /** Number of waiters and imminent users. */
  pins: number;
  /** Whether no current release names it. */
  retired: boolean;
}

/** Shards keep at least half of their budget, whatever else is in memory. */
const RESERVED_SHARE_MAX = 0.5;

export class ShardMemory {
  readonly #budget: number;
  #reserved = 0;
  /** Incremented when a shard is added or dropped. */
  changes = 0;
  readonly #slots = new Map<string, Slot>();
  /** Slots with a shard, least recently used first. */
  readonly #held = new Set<Slot>();
  /** Pinned slots, whether their shard is loaded or on its way. */
  readonly #pinned = new Set<Slot>();
  #bytes = 0;

  /** @param bytesMax unbounded by default, for a single release that is needed whole */
  constructor(bytesMax = Number.POSITIVE_INFINITY) {
    this.#budget = bytesMax;
  }

  /** Room for shards, in bytes. */
  get bytesMax(): number {
    return this.#budget - this.#reserved;
  }

  /** Reduces the room for shards by the bytes of other data in the isolate. Evicts nothing yet. */
  reserve(bytes: number): void {
    this.#reserved = Math.min(bytes, this.#budget * RESERVED_SHARE_MAX);
  }

  /** Bytes of the shards held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The slot of a shard that a release names. It is no longer retired. */
  slot(key: string, bytes: number): Slot {
    const slot = this.#slots.get(key) ?? { key, bytes, shard: null, pins: 0, retired: false };
    slot.retired = false;
    this.#slots.set(key, slot);
    return slot;
  }

  /** Keeps a shard if there is room or the slot is pinned. */
  hold(slot: Slot, shard: Shard): void {
    if (slot.shard !== null || !this.#makeRoom(slot)) return;
    slot.shard = shard;
    // The slot is gone if another release took over during the load. This release may still serve next.
    if (!this.#slots.has(slot.key)) this.#slots.set(slot.key, slot);
    this.#held.add(slot);
    this.#bytes += slot.bytes;
    this.changes++;
  }

  /** @returns whether the shard of this slot may be kept now */
  #makeRoom({ bytes, pins }: Slot): boolean {
    const fits = (): boolean => this.#bytes + bytes <= this.bytesMax;
    const dropWhere = (mayGo: (slot: Slot) => boolean): void => {
      for (const held of this.#held) {
        if (fits()) return;
        if (held.pins === 0 && mayGo(held)) this.#drop(held);
      }
    };
    dropWhere(({ retired }) => retired);
    if (pins === 0) return fits();
    dropWhere(() => true);
    return true;
  }

  #drop(slot: Slot): void {
    slot.shard = null;
    this.#held.delete(slot);
    this.#bytes -= slot.bytes;
    this.changes++;
  }

  /**
   * Protects these slots from eviction until `unpin`, and marks them as used. Pins all or none, so that no two
   * waiters each hold a shard that the other needs. Pinned shards stay within the budget unless a single
   * request exceeds it.
   * @returns whether there was room
   */
  pin(slots: readonly Slot[]): boolean {
    if (this.#pinned.size > 0 && totalBytes([...this.#pinned, ...slots]) > this.bytesMax) return false;
    for (const slot of slots) {
      slot.pins++;
      this.#pinned.add(slot);
      if (this.#held.delete(slot)) this.#held.add(slot);
    }
    return true;
  }

  unpin(slots: readonly Slot[]): void {
    for (const slot of slots) if (--slot.pins === 0) this.#pinned.delete(slot);
  }

  /** The items that fit, in order, beside the shards in use. @param bytesOf 0 for an item that takes no room */
  fitting<Item>(items: readonly Item[], bytesOf: (item: Item) => number): Item[] {
    const current = [...this.#held].filter(({ retired }) => !retired);
    let used = totalBytes([...this.#pinned, ...current]);
    return items.filter((item) => {
      const bytes = bytesOf(item);
      if (bytes > 0 && used + bytes > this.bytesMax) return false;
      used += bytes;
      return true;
    });
  }

  /**
   * Call when a release replaces another. Retires every shard that is not in `keys` and drops those already
   * retired. Requests that started with the previous release still find its shards.
   */
  retireAllBut(keys: Iterable<string>): void {
    const named = new Set(keys);
    for (const slot of [...this.#held]) {
      if (slot.retired && slot.pins === 0 && !named.has(slot.key)) this.#drop(slot);
    }
    for (const slot of this.#slots.values()) {
      slot.retired = !named.has(slot.key);
      if (slot.retired && slot.shard === null && slot.pins === 0) this.#slots.delete(slot.key);
    }
  }
}

/** Bytes of all these slots, each counted once. */
function totalBytes(slots: Iterable<Slot>): number {
  let total = 0;
  for (const { bytes } of new Set(slots)) total += bytes;
  return total;
}
