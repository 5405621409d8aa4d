/**
 * Many questions of one request, in order, with what each needs in memory: all at once while the release is
 * loaded whole, else run after run, each as long as its shards find room together.
 */
import { LOAD_WAIT_MS, RUN_BACKOFF_MS } from '../shared/limits.ts';
import { tailOf } from '../shared/numbers/number.ts';
import type { Question, Sender } from '../shared/question.ts';
import type { Blob } from '../shared/release/manifest.ts';
import type { Release } from '../shared/release/release.ts';
import { IMAGES_AHEAD_MAX, type ImagesAhead } from '../shared/set/images-ahead.ts';
import { testAnswer } from '../shared/test-numbers.ts';
import { ensureAll, type Loading, neededBy, withValues } from './shards.ts';

/** Questions whose images are computed together: two numbers each at the most. */
const ITEMS_AHEAD = IMAGES_AHEAD_MAX / 2;
/** So many runs of different requests find room side by side. */
const RUNS_AT_ONCE = 4;

/** One item of many, as far as it matters what it needs. */
export interface Asking {
  /** What it asks; null if nothing. */
  readonly question: Question | null;
}

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

  /** @param answer answers an item from what is in memory now */
  async answer<Item extends Asking>(items: readonly Item[], answer: (item: Item) => void): Promise<void> {
    const release = this.#release;
    for (let from = 0; from < items.length; ) {
      if (release === null || release.complete || Date.now() < this.#restsUntil) {
        this.#answerAll(items, from, items.length, answer);
        return;
      }
      const { needed, to } = this.#run(items, from, release);
      const began = Date.now();
      await withValues(release, needed, this.#loading, () => {
        this.#note(
          needed.filter((blob) => !release.has(blob)),
          began,
        );
        this.#answerAll(items, from, to, answer);
      });
      from = to;
    }
  }

  /** Answer items from what is in memory. @param to behind the last */
  #answerAll<Item extends Asking>(
    items: readonly Item[],
    from: number,
    to: number,
    answer: (item: Item) => void,
  ): void {
    for (let at = from; at < to; ) {
      const end = Math.min(to, at + ITEMS_AHEAD);
      this.#prepare(items, at, end);
      for (; at < end; at++) answer(items[at]!);
    }
  }

  /** Compute the images of all numbers that will be looked up, in that order. */
  #prepare(items: readonly Asking[], from: number, to: number): void {
    const images = this.#release?.keys.imagesAhead;
    if (images === undefined) return;
    images.clear();
    for (let at = from; at < to; at++) {
      const { question } = items[at]!;
      if (question === null) continue;
      prepareQuestion(question, images);
      for (const other of question.otherReadings) prepareQuestion(other, images);
    }
  }

  /** What the next items need, and how many of them there is room for. */
  #run(items: readonly Asking[], from: number, release: Release): { needed: Blob[]; to: number } {
    const needed = new Map<string, Blob>();
    let bytes = 0;
    let to = from;
    for (; to < items.length; to++) {
      const { question } = items[to]!;
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

function prepareQuestion({ from, to }: Question, images: ImagesAhead): void {
  prepareOf(to, images);
  prepareOf(from, images);
}

/** Test numbers are not looked up. */
function prepareOf(party: Sender | null, images: ImagesAhead): void {
  if (party?.kind === 'number' && testAnswer(party.n) === null) images.prepare(tailOf(party.n));
}
