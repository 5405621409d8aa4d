/**
 * Asks a reopened release and a plain model the same questions, and counts where they differ.
 */
import { type Dates, isDated } from '../shared/build/list-entries.ts';
import { headOf, TAILS, tailOf } from '../shared/numbers/number.ts';
import { blobsOf } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import { FOREVER } from '../shared/set/layout.ts';
import { NOT_LISTED } from '../shared/set/number-set.ts';
import { fingerprint as printOf } from '../shared/set/xxhash.ts';
import { askingOrder } from './asking-order.ts';
import type { BuildFolder } from './build-folder.ts';
import { orFail } from './failure.ts';
import { countNumbers, exactUntil, type ListModel, latest, rangeUntil } from './list-model.ts';
import { numbersIn, sizeOf, tailsIn } from './plain-set.ts';
import { listKeys } from './secrets.ts';

/** Open a release from its folder, as the edge opens it from KV. */
export async function reopen(folder: BuildFolder): Promise<Release> {
  const keys = await listKeys();
  const manifest = await folder.open(keys);
  const release = new Release(manifest, keys);
  for (const blob of blobsOf(manifest)) orFail(await release.install(blob, folder.value(blob.key)));
  return release;
}

/** Around both ends of an entry. No end is never reached: what is asked is always before it. */
function momentsOf({ since, until }: Dates): number[] {
  return [since - 1, since, until - 1, until].filter((moment) => moment >= 0 && moment < FOREVER);
}

export class Prover {
  asked = 0;
  /** Listed ones that `head` asked beside those of its step; not in `asked`. */
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
    this.asked++;
    if (!right) this.wrong++;
  }

  /**
   * Tails from `from` to before `to` behind a head: each list, exact entries and ranges. With a step, one
   * in so many, and those that a list names. About half a microsecond a tail and list.
   */
  head(head: number, from: number, to: number, step: number): void {
    const tails = new Uint32Array(Math.ceil((to - from) / step));
    for (let index = 0; index < tails.length; index++) tails[index] = from + index * step;
    this.asked += this.#ask(head, tails);
    if (step === 1) return;
    for (const { dense } of this.#models) {
      if (dense === null) continue;
      const listed = [...tailsIn(dense, from, to)].filter((tail) => tail % step !== 0);
      this.listed += this.#ask(head, Uint32Array.from(listed));
    }
  }

  /** @returns how many were asked */
  #ask(head: number, tails: Uint32Array): number {
    let asked = 0;
    for (const tail of askingOrder(tails, this.#release.keys.permutation)) {
      asked++;
      if (!this.#tailIsRight(head, tail)) this.wrong++;
    }
    return asked;
  }

  #tailIsRight(head: number, tail: number): boolean {
    const models = this.#models;
    const n = head * TAILS + tail;
    const permutedTail = this.#release.keys.permutation.permute(tail);
    const part = this.#release
      .shard(this.#release.shardIndexOf(head, permutedTail))
      ?.partOf(head, permutedTail);
    let right = true;
    for (let list = 0; list < models.length; list++) {
      const model = models[list]!;
      const exact = part?.until(list, head, permutedTail, this.#now) ?? NOT_LISTED;
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
    const head = headOf(n);
    const permutedTail = this.#release.keys.permutation.permute(tailOf(n));
    const shard = this.#release.shard(this.#release.shardIndexOf(head, permutedTail));
    const exact = shard?.partOf(head, permutedTail).until(list, head, permutedTail, now) ?? NOT_LISTED;
    return exact === exactUntil(this.#models[list]!, n, now);
  }

  /**
   * Every undated number outside the dense head with its neighbours, and every dated one around its
   * dates. @returns listed numbers asked
   */
  elsewhere(): number {
    let listed = 0;
    for (const [list, { elsewhere, dated }] of this.#models.entries()) {
      listed += sizeOf(elsewhere) + dated.size;
      for (const n of numbersIn(elsewhere)) {
        for (const asked of [n - 1, n, n + 1]) this.#count(this.#exactIsRight(list, asked, this.#now));
      }
      for (const [n, all] of dated) {
        for (const now of all.flatMap(momentsOf)) this.#count(this.#exactIsRight(list, n, now));
      }
    }
    return listed;
  }

  /** Around both ends of every range, and around its dates. */
  ranges(): void {
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

  /** Every source, now and around its dates. */
  sources(): void {
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
   * Whether each list has as many numbers and sources as the model. Where all that are listed were found,
   * that leaves room for no other, wherever it is.
   */
  counts(): void {
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
