/**
 * Compares the numbers of a reopened release with plain models of its lists, and counts the differences.
 *
 * Two checks together decide every number. First, the stored entries of each list are decoded and must be
 * exactly those of its model: in order, so none comes twice; each in the model; and as many as the model has.
 * Second, lookups, made as the edge makes them, must give the same result as the model:
 * - In a sparse part, for each stored entry and its neighbours in the order of storage, and for both ends of
 *   the part. Such a lookup only compares its key with stored keys, so every key in between agrees.
 * - In a dense part, for each stored entry and its neighbours. In the dense prefix, for every suffix.
 * A number and its key determine each other, because the permutation is a bijection.
 */
import type { Dates } from '../../shared/build/list-entries.ts';
import { NUMBER_LIMIT, prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { Release } from '../../shared/release/release.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import type { Part } from '../../shared/set/shard.ts';
import { unwrap } from '../failure.ts';
import type { BuildFolder } from '../publish/build-folder.ts';
import { keysOf, listKeyRing } from '../secrets.ts';
import { datedIn, datedUntil, hasDated, momentsOf } from './dated-numbers.ts';
import { exactUntil, type NumberModel } from './list-model.ts';
import { hasBit, isIn } from './plain-set.ts';

/** Lookups for a stored entry: itself, its neighbours in the order of storage, its neighbours as numbers. */
export const LOOKUPS_PER_ENTRY = 5;

/** Suffixes that `checkSuffixes` permutes at once: 8 KB, which fit into the first-level cache. */
const SUFFIXES_AT_ONCE = 1_024;

/** Opens a release from its folder, as the edge opens it from KV. */
export async function reopen(folder: BuildFolder): Promise<Release> {
  const ring = await listKeyRing();
  const manifest = await folder.open(ring);
  const release = new Release(manifest, keysOf(manifest, ring));
  for (const blob of blobsOf(manifest)) unwrap(await release.install(blob, folder.value(blob.key)));
  return release;
}

export interface ProverSettings {
  /** Seconds since 1970. */
  readonly now: number;
  /** The prefix whose suffixes are all looked up if it is dense. */
  readonly densePrefix: number;
  /** 1 looks up each suffix of the dense prefix, a larger step one in `step`. */
  readonly step: number;
}

export class Prover {
  lookups = 0;
  wrong = 0;
  /** Stored entries that were decoded. */
  decoded = 0;
  /** Numbers of the dense prefix that were looked up. */
  suffixes = 0;
  /** Decoded entries by list. */
  readonly plain: number[];
  readonly dated: number[];
  readonly #release: Release;
  readonly #models: readonly NumberModel[];
  readonly #settings: ProverSettings;

  constructor(release: Release, models: readonly NumberModel[], settings: ProverSettings) {
    this.#release = release;
    this.#models = models;
    this.#settings = settings;
    this.plain = models.map(() => 0);
    this.dated = models.map(() => 0);
  }

  count(right: boolean): void {
    if (!right) this.wrong++;
  }

  #keyOf(n: number): number {
    return prefixOf(n) * SUFFIX_COUNT + this.#release.keys.permutation.permute(suffixOf(n));
  }

  #numberOf(key: number): number {
    return prefixOf(key) * SUFFIX_COUNT + this.#release.keys.permutation.invert(suffixOf(key));
  }

  /** Looks up a number in one list. */
  #checkNumber(list: number, n: number, now = this.#settings.now): void {
    if (n < 0 || n >= NUMBER_LIMIT) return;
    const prefix = prefixOf(n);
    const image = this.#release.keys.permutation.permute(suffixOf(n));
    const part = this.#release.shard(this.#release.shardIndexOf(prefix, image))?.partOf(prefix, image);
    const until = part?.until(list, prefix, image, now) ?? NOT_LISTED;
    this.lookups++;
    this.count(until === exactUntil(this.#models[list]!, n, now));
  }

  /** Looks up the number of a key in one list. */
  #checkKey(list: number, key: number): void {
    if (key < 0 || key >= NUMBER_LIMIT) return;
    const n = this.#numberOf(key);
    this.count(this.#keyOf(n) === key);
    this.#checkNumber(list, n);
  }

  #checkNeighbours(list: number, key: number, n: number): void {
    for (const near of [key - 1, key, key + 1]) this.#checkKey(list, near);
    for (const near of [n - 1, n + 1]) this.#checkNumber(list, near);
  }

  /** Whether `checkSuffixes` looks up suffixes of this part. */
  isDense(part: Part): boolean {
    return prefixOf(part.start) === this.#settings.densePrefix && !part.isSparse;
  }

  /** Decodes a shard, and looks up its entries and their neighbours. @param onProgress called after each batch of entries */
  checkShard(index: number, onProgress: () => void): void {
    const { shards } = this.#release.manifest;
    const shard = this.#release.shard(index)!;
    this.count(shard.start === shards[index]!.start);
    this.count(shard.end <= (shards[index + 1]?.start ?? NUMBER_LIMIT));
    for (const part of shard.parts) {
      // Without lookups here, `checkSuffixes` looks up all suffixes of the part.
      const withLookups = this.#settings.step > 1 || !this.isDense(part);
      for (let list = 0; list < this.#models.length; list++) {
        this.#checkPlain(part, list, withLookups, onProgress);
        this.#checkDated(part, list, withLookups);
        for (const end of [part.start, part.end - 1]) this.#checkKey(list, end);
      }
      onProgress();
    }
  }

  #checkPlain(part: Part, list: number, withLookups: boolean, onProgress: () => void): void {
    const { plain } = this.#models[list]!;
    const { step } = this.#settings;
    const isDense = this.isDense(part);
    let before = part.start - 1;
    for (const keys of part.keys(list)) {
      for (const key of keys) {
        const n = this.#numberOf(key);
        this.count(key > before && key < part.end && this.#keyOf(n) === key && isIn(plain, n));
        before = key;
        if (withLookups) this.#checkNeighbours(list, key, n);
        // It is looked up here, because `checkSuffixes` skips it.
        if (isDense && (key - part.start) % step !== 0) this.suffixes++;
      }
      this.decoded += keys.length;
      this.plain[list]! += keys.length;
      onProgress();
    }
  }

  #checkDated(part: Part, list: number, withLookups: boolean): void {
    const { plain, dated } = this.#models[list]!;
    let before = { key: part.start - 1, since: 0, until: 0 };
    for (const entry of part.dated(list)) {
      const { key, since, until } = entry;
      const n = this.#numberOf(key);
      const isAfter = key > before.key || (key === before.key && isLater(entry, before));
      this.count(isAfter && key < part.end && this.#keyOf(n) === key);
      this.count(hasDated(dated, { n, since, until }) && !isIn(plain, n));
      before = entry;
      if (withLookups) this.#checkNeighbours(list, key, n);
      this.decoded++;
      this.dated[list]!++;
    }
  }

  /** Looks up every dated number around its dates. */
  checkMoments(): void {
    for (const [list, { dated }] of this.#models.entries()) {
      for (const entry of datedIn(dated))
        for (const moment of momentsOf(entry)) this.#checkNumber(list, entry.n, moment);
    }
  }

  /**
   * Looks up suffixes of the dense prefix in every list: those whose images are in [from, to), or one in `step` of them. In the
   * order of images, neighbours in the release follow each other. In any other order, two thirds of a lookup is waiting for
   * memory.
   */
  checkSuffixes(from: number, to: number): void {
    const { step } = this.#settings;
    const { permutation } = this.#release.keys;
    const suffixes = new Uint32Array(SUFFIXES_AT_ONCE);
    const images = new Uint32Array(SUFFIXES_AT_ONCE);
    for (let first = from; first < to; first += SUFFIXES_AT_ONCE * step) {
      const count = Math.min(SUFFIXES_AT_ONCE, Math.ceil((to - first) / step));
      // In separate loops, the table reads of several suffixes overlap.
      for (let at = 0; at < count; at++) suffixes[at] = permutation.invert(first + at * step);
      for (let at = 0; at < count; at++) images[at] = permutation.permute(suffixes[at]!);
      // Each image has its own suffix, so 10^8 images cover all suffixes.
      for (let at = 0; at < count; at++) this.count(images[at] === first + at * step);
      for (let list = 0; list < this.#models.length; list++)
        this.#checkImages(list, suffixes.subarray(0, count), images);
      this.suffixes += count;
    }
  }

  /** Looks up suffixes of the dense prefix in one list, by their images. */
  #checkImages(list: number, suffixes: Uint32Array, images: Uint32Array): void {
    const { densePrefix: prefix, now } = this.#settings;
    const release = this.#release;
    const { plain, dated, datedBits } = this.#models[list]!;
    const bits = plain.bitmaps.get(prefix) ?? null;
    const expected = new Float64Array(suffixes.length);
    for (let at = 0; at < suffixes.length; at++) {
      const suffix = suffixes[at]!;
      if (hasBit(bits, suffix)) expected[at] = FOREVER;
      else if (!hasBit(datedBits, suffix)) expected[at] = NOT_LISTED;
      else expected[at] = datedUntil(dated, prefix * SUFFIX_COUNT + suffix, now);
    }
    for (let at = 0; at < suffixes.length; at++) {
      const image = images[at]!;
      const part = release.shard(release.shardIndexOf(prefix, image))?.partOf(prefix, image);
      this.count((part?.until(list, prefix, image, now) ?? NOT_LISTED) === expected[at]);
    }
    this.lookups += suffixes.length;
  }
}

/** Orders two entries of one number. */
function isLater(entry: Dates, before: Dates): boolean {
  return entry.since > before.since || (entry.since === before.since && entry.until > before.until);
}
