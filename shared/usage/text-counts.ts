/**
 * Scores of texts, as an isolate counts them for one client and hour: a histogram, bands and labels for each model. It keeps
 * counts only, nothing of a text. This runs for every text that is scored: it allocates nothing, because one or two models
 * are in force at once.
 */
import { COUNTED_MODELS_MAX, SCORE_BINS } from '../limits/text.ts';
import type { TextBand } from '../text/analyse-text.ts';

/** In the order of TEXT_BANDS. */
export const BANDS = ['ordinary', 'review', 'suspicious'] as const satisfies readonly TextBand[];

/**
 * A row of counts: release and name of a model, then `[labelled, ...bands, ...bins]`. Each release has its own row, because
 * another release can have the same model with other thresholds.
 */
export type TextCounts = readonly [release: string, model: string, ...counts: number[]];

/** Counts in a row: labelled texts, bands, bins. */
export const TEXT_COUNTS_SIZE = 1 + BANDS.length + SCORE_BINS;
const BANDS_AT = 1;
const BINS_AT = BANDS_AT + BANDS.length;

/** Stands for no name. */
const NO_NAME = '';

export class TextCounter {
  readonly #releases: string[] = [];
  readonly #models: string[] = [];
  #cells = new Float64Array(0);
  /** The last model, and where its cells begin. */
  #lastRelease = NO_NAME;
  #lastModel = NO_NAME;
  #lastPlace = -1;

  get isEmpty(): boolean {
    return this.#models.length === 0;
  }

  /**
   * Counts a text that was scored.
   * @param release the text release whose model and thresholds were used @param model name of its model
   * @param score 0 to 1 @param isLabelled whether the client got a label for it
   */
  count(release: string, model: string, score: number, band: TextBand, isLabelled: boolean): void {
    if (release !== this.#lastRelease || model !== this.#lastModel) this.#change(release, model);
    const place = this.#lastPlace;
    if (place === -1) return;
    const cells = this.#cells;
    if (isLabelled) cells[place]!++;
    cells[place + BANDS_AT + (band === 'ordinary' ? 0 : band === 'review' ? 1 : 2)]!++;
    const bin = (score * SCORE_BINS) | 0;
    cells[place + BINS_AT + (bin < 0 ? 0 : bin >= SCORE_BINS ? SCORE_BINS - 1 : bin)]!++;
  }

  #change(release: string, model: string): void {
    this.#lastRelease = release;
    this.#lastModel = model;
    this.#lastPlace = this.#placeOf(release, model);
  }

  /** Where the cells of a model begin, or -1. */
  #placeOf(release: string, model: string): number {
    for (let index = 0; index < this.#models.length; index++)
      if (this.#models[index] === model && this.#releases[index] === release) return index * TEXT_COUNTS_SIZE;
    const index = this.#models.length;
    if (index === COUNTED_MODELS_MAX) return -1;
    if (index === 0) this.#cells = new Float64Array(COUNTED_MODELS_MAX * TEXT_COUNTS_SIZE);
    this.#releases.push(release);
    this.#models.push(model);
    return index * TEXT_COUNTS_SIZE;
  }

  counts(): TextCounts[] {
    return this.#models.map((model, index): TextCounts => {
      const place = index * TEXT_COUNTS_SIZE;
      return [this.#releases[index]!, model, ...this.#cells.subarray(place, place + TEXT_COUNTS_SIZE)];
    });
  }
}

/** The sum of two rows of counts. Missing counts are 0. */
export function addScores(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: TEXT_COUNTS_SIZE }, (_, at) => (a[at] ?? 0) + (b[at] ?? 0));
}

/** Texts that were scored. */
export function textsOf(counts: readonly number[]): number {
  return BANDS.reduce((sum, _, band) => sum + (counts[BANDS_AT + band] ?? 0), 0);
}

/** Texts in the band `suspicious`. */
export function suspiciousOf(counts: readonly number[]): number {
  return counts[BANDS_AT + 2] ?? 0;
}

/** The histogram of a row of counts. */
export function binsOf(counts: readonly number[]): number[] {
  return Array.from({ length: SCORE_BINS }, (_, bin) => counts[BINS_AT + bin] ?? 0);
}

/** Texts whose client got a label. */
export function labelledOf(counts: readonly number[]): number {
  return counts[0] ?? 0;
}

/** Texts in each of BANDS. */
export function bandsOf(counts: readonly number[]): number[] {
  return BANDS.map((_, band) => counts[BANDS_AT + band] ?? 0);
}
