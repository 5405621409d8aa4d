/**
 * Many questions of one request, in order, with what each needs in memory: all at once while the release is
 * loaded whole, else run after run, each as long as its shards find room together.
 */
import { LOAD_WAIT_MS, RUN_BACKOFF_MS } from '../shared/limits.ts';
import type { Question } from '../shared/question.ts';
import type { Blob } from '../shared/release/manifest.ts';
import type { Release } from '../shared/release/release.ts';
import { ensureAll, type Loading, neededBy, withValues } from './shards.ts';

/** So many runs of different requests find room side by side. */
const RUNS_AT_ONCE = 4;

export class Runs {
  readonly #release: Release | null;
  readonly #loading: Loading;
  /** When values that could not be loaded are waited for again, by key, in ms since 1970. */
  readonly #retryAt = new Map<string, number>();
  /** When anything is waited for again, after a wait in vain. */
  #restsUntil = 0;

  constructor(release: Release | null, loading: Loading) {
    this.#release = release;
    this.#loading = loading;
  }

  /** Load what there is room for, before the first answer. */
  async begin(): Promise<void> {
    const release = this.#release;
    if (release === null || release.complete) return;
    // One value that hangs takes all the time there is: the others are still waited for, each by who needs it.
    this.#waitLater(await ensureAll(release, this.#loading));
  }

  /**
   * @param questionOf what an item asks, null if nothing; called only where values have to be loaded
   * @param answer answers an item from what is in memory now
   */
  async answer<Item>(
    items: readonly Item[],
    questionOf: (item: Item) => Question | null,
    answer: (item: Item) => void,
  ): Promise<void> {
    const release = this.#release;
    for (let from = 0; from < items.length; ) {
      if (release === null || release.complete || Date.now() < this.#restsUntil) {
        for (; from < items.length; from++) answer(items[from]!);
        return;
      }
      const { needed, to } = this.#run(items, from, questionOf, release);
      const began = Date.now();
      await withValues(release, needed, this.#loading, () => {
        this.#note(
          needed.filter((blob) => !release.has(blob)),
          began,
        );
        for (; from < to; from++) answer(items[from]!);
      });
    }
  }

  /** What the next items need, and how many of them there is room for. */
  #run<Item>(
    items: readonly Item[],
    from: number,
    questionOf: (item: Item) => Question | null,
    release: Release,
  ): { needed: Blob[]; to: number } {
    const needed = new Map<string, Blob>();
    let bytes = 0;
    let to = from;
    for (; to < items.length; to++) {
      const question = questionOf(items[to]!);
      const own = question === null ? [] : neededBy(question, release);
      const more = own.filter(({ key }) => !needed.has(key) && !(Date.now() < (this.#retryAt.get(key) ?? 0)));
      const moreBytes = more.reduce((sum, blob) => sum + release.bytesOf(blob), 0);
      if (to > from && bytes + moreBytes > release.bytesMax / RUNS_AT_ONCE) break;
      for (const blob of more) needed.set(blob.key, blob);
      bytes += moreBytes;
    }
    return { needed: [...needed.values()], to };
  }

  #waitLater(missing: readonly Blob[]): void {
    for (const { key } of missing) this.#retryAt.set(key, Date.now() + RUN_BACKOFF_MS);
  }

  /** Note what could not be loaded. @param began when it was first waited for */
  #note(missing: readonly Blob[], began: number): void {
    const now = Date.now();
    this.#waitLater(missing);
    if (missing.length > 0 && now - began >= LOAD_WAIT_MS) this.#restsUntil = now + RUN_BACKOFF_MS;
  }
}
