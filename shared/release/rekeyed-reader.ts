/**
 * Reads a release as if it had been made with other keys: in the order of the images of its numbers under the
 * other keys. So two releases can be compared across a change of LIST_KEY. Each key is decoded with the release's
 * own permutation, encoded with the other one, and sorted.
 *
 * An image stays within its prefix. So the shards between two whole prefixes form a group. A group with more
 * numbers than fit in memory is read several times, once for each window of images.
 */
import { REKEYED_NUMBERS_MAX } from '../limits/lists.ts';
import { NUMBER_LIMIT, prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import type { Failure } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { DatedEntry } from '../set/shard.ts';
import type { ListInfo, Manifest } from './manifest.ts';
import type { Load } from './release.ts';
import {
  DatedCursor,
  type EntryCursors,
  KeyCursor,
  type KeySlice,
  type ReadProblem,
  ReleaseReader,
} from './release-reader.ts';

/** A part of the key space, and the shards that its numbers come from. */
interface Window extends KeySlice {
  readonly shards: readonly KeySlice[];
}

export class RekeyedReader {
  failure: Failure<ReadProblem> | null = null;
  readonly lists: readonly ListInfo[];
  readonly #newReader: () => ReleaseReader;
  readonly #from: ListKeys;
  readonly #to: ListKeys;
  readonly #windowMax: number;
  #windows: readonly Window[] = [];
  #index = -1;
  #cursors: EntryCursors | null = null;

  private constructor(manifest: Manifest, from: ListKeys, to: ListKeys, load: Load, windowMax: number) {
    this.lists = manifest.lists;
    this.#newReader = () => new ReleaseReader(manifest, from, load);
    this.#from = from;
    this.#to = to;
    this.#windowMax = windowMax;
  }

  /** @param from keys of the release @param to keys of the release that it is compared with */
  static async open(
    manifest: Manifest,
    from: ListKeys,
    to: ListKeys,
    load: Load,
    windowMax = REKEYED_NUMBERS_MAX,
  ): Promise<RekeyedReader> {
    const reader = new RekeyedReader(manifest, from, to, load, windowMax);
    reader.#windows = await reader.#cut();
    return reader;
  }

  get starts(): readonly number[] {
    return this.#windows.map(({ start }) => start);
  }

  /** Always null: a shard never equals a shard of a release with other keys. */
  keyOf(): null {
    return null;
  }

  /** Opens a table, with the release's own keys. */
  open: ReleaseReader['open'] = async (blob) => {
    const reader = this.#newReader();
    const opened = await reader.open(blob);
    this.failure ??= reader.failure;
    return opened;
  };

  /** Cursors over the window that contains a slice. Request slices in ascending order. */
  async shard({ start }: KeySlice): Promise<EntryCursors | null> {
    const index = this.#windows.findLastIndex((window) => window.start <= start);
    if (index === this.#index) return this.#cursors;
    // Release the previous window while the next one loads.
    this.#cursors = null;
    this.#index = index;
    this.#cursors = await this.#read(this.#windows[index]!);
    return this.#cursors;
  }

  async #cut(): Promise<Window[]> {
    const { starts } = this.#newReader();
    const shards = starts.map((start, index) => ({ start, end: starts[index + 1] ?? NUMBER_LIMIT }));
    const groups: KeySlice[][] = [];
    for (const shard of shards) {
      const isWhole = shard.start % SUFFIX_COUNT === 0;
      if (isWhole || groups.length === 0) groups.push([shard]);
      else groups.at(-1)!.push(shard);
    }
    const windows: Window[] = [];
    for (const group of groups) {
      const { start } = group[0]!;
      const { end } = group.at(-1)!;
      const count = group.length === 1 ? 0 : await this.#count(group);
      const parts = Math.max(1, Math.ceil(count / this.#windowMax));
      const width = Math.ceil((end - start) / parts);
      for (let from = start; from < end; from += width)
        windows.push({ start: from, end: Math.min(end, from + width), shards: group });
    }
    return windows;
  }

  async #count(group: readonly KeySlice[]): Promise<number> {
    let count = 0;
    await this.#each(group, ({ plain }) => {
      for (const cursor of plain) for (; cursor.key < NUMBER_LIMIT; cursor.advance()) count++;
    });
    return count;
  }

  async #each(shards: readonly KeySlice[], use: (cursors: EntryCursors) => void): Promise<void> {
    // A reader yields each number only once, so every pass needs a new one.
    const reader = this.#newReader();
    for (const slice of shards) {
      const shard = await reader.shard(slice);
      if (shard !== null) use(shard);
      this.failure ??= reader.failure;
    }
  }

  async #read({ start, end, shards }: Window): Promise<EntryCursors> {
    const plain = this.lists.map(() => new Numbers());
    const dated = this.lists.map(() => [] as DatedEntry[]);
    const isInside = (key: number): boolean => key >= start && key < end;
    await this.#each(shards, (cursors) => {
      for (const [list, cursor] of cursors.plain.entries()) {
        for (; cursor.key < NUMBER_LIMIT; cursor.advance()) {
          const key = this.#rekeyed(cursor.key);
          if (isInside(key)) plain[list]!.add(key);
        }
      }
      for (const [list, cursor] of cursors.dated.entries()) {
        for (let next = cursor.takeNext(); next !== undefined; next = cursor.takeNext()) {
          const key = this.#rekeyed(next.key);
          if (isInside(key)) dated[list]!.push({ ...next, key });
        }
      }
    });
    return {
      plain: plain.map((numbers) => new KeyCursor([numbers.sorted()])),
      dated: dated.map((entries) => new DatedCursor(entries.sort((a, b) => a.key - b.key))),
    };
  }

  #rekeyed(key: number): number {
    const suffix = this.#from.permutation.invert(suffixOf(key));
    return prefixOf(key) * SUFFIX_COUNT + this.#to.permutation.permute(suffix);
  }
}

/** A list of numbers that grows. */
class Numbers {
  #values = new Float64Array(1_024);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = value;
  }

  sorted(): Float64Array {
    return this.#values.subarray(0, this.#count).sort();
  }
}
