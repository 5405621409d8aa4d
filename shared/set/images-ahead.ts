/**
 * Images of the tails that will be asked for next. The look-ups of one image wait for one another; those of
 * several tails in a row overlap (docs/performance.md). A shortcut and no more: what was not prepared is computed
 * when it is asked for. Prepare and ask without an `await` between: who comes between prepares his own.
 */
import type { Permutation } from './permutation.ts';

/** Most images that are prepared at a time: 8 KB, which stay in the processor's nearest cache. */
export const IMAGES_AHEAD_MAX = 1024;

export class ImagesAhead {
  readonly #permutation: Permutation;
  /** In the order in which they were prepared; -1 behind the last. */
  readonly #tails = new Int32Array(IMAGES_AHEAD_MAX + 1).fill(-1);
  readonly #images = new Int32Array(IMAGES_AHEAD_MAX);
  #count = 0;
  #next = 0;

  constructor(permutation: Permutation) {
    this.#permutation = permutation;
  }

  /** Forget what was prepared. */
  clear(): void {
    this.#tails.fill(-1, 0, this.#count);
    this.#count = 0;
    this.#next = 0;
  }

  /** Compute the image of a tail that will be asked for behind those before it; nothing where there is no room. */
  prepare(tail: number): void {
    const at = this.#count;
    if (at === IMAGES_AHEAD_MAX) return;
    this.#images[at] = this.#permutation.permute(tail);
    this.#tails[at] = tail;
    this.#count = at + 1;
  }

  /** The image of a tail; at once if it is the next one prepared. */
  imageOf(tail: number): number {
    const at = this.#next;
    if (this.#tails[at] !== tail) return this.#permutation.permute(tail);
    this.#next = at + 1;
    return this.#images[at]!;
  }
}
