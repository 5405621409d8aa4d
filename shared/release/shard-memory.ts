/**
 * The shards that an isolate holds, of all its releases together, within a budget of bytes: releases share
 * what has the same key. Where there is no room, what is used no more goes first, then what was used longest
 * ago, and never what somebody waits for (`pin`). A shard that went is "not loaded", never "not listed".
 */
import type { Shard } from '../set/shard.ts';

/** Place of one shard: releases hold the place, so that what goes is gone for all of them. */
export class Slot {
  readonly key: string;
  readonly bytes: number;
  shard: Shard | null = null;
  /** How many wait for it, or are about to use it. */
  pins = 0;
  /** Whether no current release names it. */
  retired = false;

  constructor(key: string, bytes: number) {
    this.key = key;
    this.bytes = bytes;
  }
}

export class ShardMemory {
  readonly bytesMax: number;
  /** Rises with every shard that comes or goes. */
  changes = 0;
  readonly #slots = new Map<string, Slot>();
  /** Those with a shard, what was used longest ago first. */
  readonly #held = new Set<Slot>();
  /** Whether their shard is there or on its way. */
  readonly #pinned = new Set<Slot>();
  #bytes = 0;

  /** @param bytesMax unbounded where there is one release, and all of it is wanted */
  constructor(bytesMax = Number.POSITIVE_INFINITY) {
    this.bytesMax = bytesMax;
  }

  /** Bytes of the shards that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The place of a shard that a release names: it is no longer retired. */
  slot(key: string, bytes: number): Slot {
    const slot = this.#slots.get(key) ?? new Slot(key, bytes);
    slot.retired = false;
    this.#slots.set(key, slot);
    return slot;
  }

  /** Keep a shard, if there is room, or somebody waits for it. */
  hold(slot: Slot, shard: Shard): void {
    if (slot.shard !== null || !this.#makeRoom(slot)) return;
    slot.shard = shard;
    // A release that was still coming in while another one took over may be the next to serve.
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
   * Let nothing of these go until `unpin`, and count them as used now. All or none, so that those who wait
   * never hold what the others need; what is pinned stays within the budget, unless one asks for more.
   * @returns whether there was room
   */
  pin(slots: readonly Slot[]): boolean {
    let bytes = 0;
    for (const slot of new Set([...this.#pinned, ...slots])) bytes += slot.bytes;
    if (this.#pinned.size > 0 && bytes > this.bytesMax) return false;
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

  /** As many of these, in order, as there is room for beside what is in use. */
  fitting<Wanted extends { readonly bytes: number }>(wanted: readonly Wanted[]): Wanted[] {
    const inUse = new Set(this.#pinned);
    for (const slot of this.#held) if (!slot.retired) inUse.add(slot);
    let used = 0;
    for (const { bytes } of inUse) used += bytes;
    return wanted.filter(({ bytes }) => {
      if (used + bytes > this.bytesMax) return false;
      used += bytes;
      return true;
    });
  }

  /**
   * A release took the place of another: from now on, what none of these keys names is the first to go, and
   * what was so already goes at once. Requests that began with the release before still find its shards.
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
