/**
 * Precomputes images of the suffixes that are looked up next. The table reads of one image depend on each
 * other, but those of several suffixes overlap (docs/performance.md). This is only a shortcut: any other
 * image is computed on demand. Do not `await` between preparing and using images: another request would
 * prepare its own.
 */
import type { Permutation } from './permutation.ts';

/** Most images prepared at a time: 8 KB, which fit into the processor's first-level cache. */
export const PREPARED_IMAGES_MAX = 1024;

export class PreparedImages {
  readonly #permutation: Permutation;
  /** In the order of preparation; -1 after the last. */
  readonly #suffixes = new Int32Array(PREPARED_IMAGES_MAX + 1).fill(-1);
  readonly #images = new Int32Array(PREPARED_IMAGES_MAX);
  #count = 0;
  #next = 0;

  constructor(permutation: Permutation) {
    this.#permutation = permutation;
  }

  /** Discards the prepared images. */
  clear(): void {
    this.#suffixes.fill(-1, 0, this.#count);
    this.#count = 0;
    this.#next = 0;
  }

  /**
   * Computes the image of a suffix that will be looked up after those already prepared. Does nothing if there
   * is no room.
   */
  prepare(suffix: number): void {
    const at = this.#count;
    if (at === PREPARED_IMAGES_MAX) return;
    this.#images[at] = this.#permutation.permute(suffix);
    this.#suffixes[at] = suffix;
    this.#count = at + 1;
  }

  /** The image of a suffix. Immediate for the next prepared suffix, and for the one before it again. */
  imageOf(suffix: number): number {
    const at = this.#next;
    if (this.#suffixes[at] !== suffix) {
      if (at > 0 && this.#suffixes[at - 1] === suffix) return this.#images[at - 1]!;
      return this.#permutation.permute(suffix);
    }
    this.#next = at + 1;
    return this.#images[at]!;
  }
}
