/** Looks up the same numbers in a reopened release and in a plain model, and counts the differences. */
import { type Dates, isDated } from '../../shared/build/list-entries.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { Release } from '../../shared/release/release.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import { fingerprint as printOf } from '../../shared/set/xxhash.ts';
import { unwrap } from '../failure.ts';
import type { BuildFolder } from '../publish/build-folder.ts';
import { listKeys } from '../secrets.ts';
import { countNumbers, exactUntil, type ListModel, latest, rangeUntil } from './list-model.ts';
import { numbersIn, sizeOf, suffixesIn } from './plain-set.ts';
import { queryOrder } from './query-order.ts';

/** Opens a release from its folder, as the edge opens it from KV. */
export async function reopen(folder: BuildFolder): Promise<Release> {
  const keys = await listKeys();
  const manifest = await folder.open(keys);
  const release = new Release(manifest, keys);
  for (const blob of blobsOf(manifest)) unwrap(await release.install(blob, folder.value(blob.key)));
  return release;
}

/** Moments around both ends of an entry. FOREVER is excluded, because lookups always happen before it. */
function momentsOf({ since, until }: Dates): number[] {
  return [since - 1, since, until - 1, until].filter((moment) => moment >= 0 && moment < FOREVER);
}

export class Prover {
  checked = 0;
  /** Listed numbers that `checkPrefix` checked in addition to those of its step. Not included in `checked`. */
  listed = 0;
  wrong = 0;
  readonly #release: Release;
  readonly #models: readonly ListModel[];
  readonly #now: number;

  /** @param now seconds since 1970 */
  constructor(release: Release, models: readonly ListModel[], now: number) {
    this.#release = release;
    this.#models = models;
    this.#now = now;
  }

  #count(right: boolean): void {
    this.checked++;
    if (!right) this.wrong++;
  }

  /**
   * Checks the suffixes in [from, to) of a prefix: each list, single entries and ranges. With a step, checks
   * one in `step` and all listed ones. About half a microsecond per suffix and list.
   */
  checkPrefix(prefix: number, from: number, to: number, step: number): void {
    const suffixes = new Uint32Array(Math.ceil((to - from) / step));
    for (let index = 0; index < suffixes.length; index++) suffixes[index] = from + index * step;
    this.checked += this.#check(prefix, suffixes);
    if (step === 1) return;
    for (const { dense } of this.#models) {
      if (dense === null) continue;
      const listed = [...suffixesIn(dense, from, to)].filter((suffix) => suffix % step !== 0);
      this.listed += this.#check(prefix, Uint32Array.from(listed));
    }
  }

  /** @returns how many numbers were checked */
  #check(prefix: number, suffixes: Uint32Array): number {
    let checked = 0;
    for (const suffix of queryOrder(suffixes, this.#release.keys.permutation)) {
      checked++;
      if (!this.#suffixIsRight(prefix, suffix)) this.wrong++;
    }
    return checked;
  }

  #suffixIsRight(prefix: number, suffix: number): boolean {
    const models = this.#models;
    const n = prefix * SUFFIX_COUNT + suffix;
    const permutedSuffix = this.#release.keys.permutation.permute(suffix);
    const part = this.#release
      .shard(this.#release.shardIndexOf(prefix, permutedSuffix))
      ?.partOf(prefix, permutedSuffix);
    let right = true;
    for (let list = 0; list < models.length; list++) {
      const model = models[list]!;
      const exact = part?.until(list, prefix, permutedSuffix, this.#now) ?? NOT_LISTED;
      right &&= exact === exactUntil(model, n, this.#now);
      if (model.ranges.length > 0) right &&= this.#rangeIsRight(list, n, this.#now);
    }
    return right;
  }

  #rangeIsRight(list: number, n: number, now: number): boolean {
    return (
      (this.#release.ranges?.until(list, n, now) ?? NOT_LISTED) === rangeUntil(this.#models[list]!, n, now)
    );
  }

  #exactIsRight(list: number, n: number, now: number): boolean {
    const prefix = prefixOf(n);
    const permutedSuffix = this.#release.keys.permutation.permute(suffixOf(n));
    const shard = this.#release.shard(this.#release.shardIndexOf(prefix, permutedSuffix));
    const exact =
      shard?.partOf(prefix, permutedSuffix).until(list, prefix, permutedSuffix, now) ?? NOT_LISTED;
    return exact === exactUntil(this.#models[list]!, n, now);
  }

  /**
   * Checks every undated number outside the dense prefix with its neighbours, and every dated number around
   * its dates. @returns the number of listed numbers checked
   */
  checkElsewhere(): number {
    let listed = 0;
    for (const [list, { elsewhere, dated }] of this.#models.entries()) {
      listed += sizeOf(elsewhere) + dated.size;
      for (const n of numbersIn(elsewhere)) {
        for (const near of [n - 1, n, n + 1]) this.#count(this.#exactIsRight(list, near, this.#now));
      }
      for (const [n, all] of dated) {
        for (const now of all.flatMap(momentsOf)) this.#count(this.#exactIsRight(list, n, now));
      }
    }
    return listed;
  }

  /** Checks around both ends of every range, and around its dates. */
  checkRanges(): void {
    for (const [list, { ranges }] of this.#models.entries()) {
      for (const range of ranges) {
        const { from, to } = range;
        const moments = isDated(range) ? momentsOf(range) : [this.#now];
        for (const n of [from - 1, from, Math.floor((from + to) / 2), to, to + 1]) {
          for (const now of moments) this.#count(this.#rangeIsRight(list, n, now));
        }
      }
    }
  }

  /** Checks every source, now and around its dates. */
  checkSources(): void {
    const { sourceSeed } = this.#release.keys;
    for (const [list, { sources, fingerprints }] of this.#models.entries()) {
      for (const [text, all] of sources) this.#source(list, printOf(text, sourceSeed), all);
      for (const [fingerprint, all] of fingerprints) this.#source(list, fingerprint, all);
    }
  }

  #source(list: number, fingerprint: bigint, all: readonly Dates[]): void {
    for (const now of [this.#now, ...all.flatMap(momentsOf)]) {
      const until = this.#release.sources?.until(list, fingerprint, now) ?? NOT_LISTED;
      this.#count(until === latest(all, now));
    }
  }

  /**
   * Checks that each list has as many numbers and sources as the model. If all listed ones were found, equal
   * counts prove that there are no others.
   */
  checkCounts(): void {
    const { manifest, sources } = this.#release;
    for (const [list, model] of this.#models.entries()) {
      let numbers = 0;
      for (let index = 0; index < manifest.shards.length; index++)
        numbers += this.#release.shard(index)!.count(list);
      this.#count(numbers === countNumbers(model));
      const sourceDates = [...model.sources.values(), ...model.fingerprints.values()];
      const entries = sourceDates.reduce((sum, all) => sum + all.length, 0);
      this.#count((sources?.count(list) ?? 0) === entries);
    }
  }
}
