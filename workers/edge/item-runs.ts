/**
 * Screens many items of one request in order. If the release is completely in memory, screens all items at
 * once. Otherwise, screens them in runs whose shards fit into memory together.
 */
import { LOAD_WAIT_MS, RUN_BACKOFF_MS } from '../../shared/limits/edge.ts';
import type { LiveLayer } from '../../shared/live/live-layer.ts';
import { suffixOf } from '../../shared/numbers/number.ts';
import type { Blob } from '../../shared/release/manifest.ts';
import type { Release } from '../../shared/release/release.ts';
import type { ScreenRequest, Sender } from '../../shared/request.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { ClientSettings, Snapshot } from '../../shared/screening/snapshot.ts';
import { PREPARED_IMAGES_MAX, type PreparedImages } from '../../shared/set/prepared-images.ts';
import { findTestNumber } from '../../shared/test-numbers.ts';
import { loadAll, type ShardLoadContext, valuesNeededBy, withValues } from './head/shards.ts';

/** Items whose images are computed together, with at most two numbers each. */
const ITEMS_AHEAD = PREPARED_IMAGES_MAX / 2;
/** How many runs of different requests fit into memory together. */
const RUNS_AT_ONCE = 4;

/** The part of an item that decides which values it needs. */
export interface RunItem {
  readonly parsed: Result<ScreenRequest, Failure>;
}

/** The error of one item as it is sent. */
export function formatItemError({ code, field, message }: Failure & { readonly field: string }): object {
  return { error: { code, field, message } };
}

export class ItemRuns {
  readonly #release: Release | null;
  readonly #live: LiveLayer;
  readonly #settings: ClientSettings;
  readonly #loading: ShardLoadContext;
  /** When to wait again for a value that failed to load, by key, in ms since 1970. */
  readonly #retryAt = new Map<string, number>();
  /** When to wait again for any value, after a wait that timed out, in ms since 1970. */
  #restsUntil = 0;

  constructor({ release, live }: Snapshot, settings: ClientSettings, loading: ShardLoadContext) {
    this.#release = release;
    this.#live = live;
    this.#settings = settings;
    this.#loading = loading;
  }

  /** Loads as much of the release as memory and time allow, before the first response. */
  async begin(): Promise<void> {
    const release = this.#release;
    if (release === null || release.complete) return;
    // One hanging value can use up the whole wait. Items that need other values still wait for them.
    this.#waitLater(await loadAll(release, this.#loading));
  }

  /** @param answer screens one item from the values now in memory */
  async answer<Item extends RunItem>(items: readonly Item[], answer: (item: Item) => void): Promise<void> {
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

  /**
   * Screens items from the values in memory.
   * @param to exclusive
   */
  #answerAll<Item extends RunItem>(
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

  /** Computes the images of all numbers that will be looked up, in lookup order. */
  #prepare(items: readonly RunItem[], from: number, to: number): void {
    const images = this.#release?.keys.preparedImages;
    if (images === undefined) return;
    images.clear();
    for (let at = from; at < to; at++) {
      const { parsed } = items[at]!;
      if (!parsed.ok) continue;
      prepareRequest(parsed.value, images);
      for (const other of parsed.value.otherReadings) prepareRequest(other, images);
    }
  }

  /** The next run: how many items fit into memory, and the values they need. */
  #run(items: readonly RunItem[], from: number, release: Release): { needed: Blob[]; to: number } {
    const needed = new Map<string, Blob>();
    let bytes = 0;
    let to = from;
    for (; to < items.length; to++) {
      const { parsed } = items[to]!;
      const own = parsed.ok ? valuesNeededBy(parsed.value, release, this.#live, this.#settings) : [];
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

  /**
   * Records values that failed to load.
   * @param began when the wait started
   */
  #note(missing: readonly Blob[], began: number): void {
    const now = Date.now();
    this.#waitLater(missing);
    if (missing.length > 0 && now - began >= LOAD_WAIT_MS) this.#restsUntil = now + RUN_BACKOFF_MS;
  }
}

function prepareRequest({ from, to }: ScreenRequest, images: PreparedImages): void {
  prepareParty(to, images);
  prepareParty(from, images);
}

/** Test numbers are not looked up. */
function prepareParty(party: Sender | null, images: PreparedImages): void {
  if (party?.kind === 'number' && findTestNumber(party.n) === null) images.prepare(suffixOf(party.n));
}
