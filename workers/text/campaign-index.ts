/**
 * Finds the campaign of a fingerprint in memory. It is exact, and uses the rule of the edge
 * (shared/text/campaign-table.ts): two texts belong together if at least half of their values are equal, and at least one
 * band is equal. Campaigns are added and removed, so each band has chains. 110,000 campaigns take 41 MB.
 */
import { BAND_CAMPAIGNS_MAX } from '../../shared/limits/campaigns.ts';
import { BANDS, hashOfBand, isEqualBand } from '../../shared/text/campaign-table.ts';
import {
  equalValues,
  FINGERPRINT_VALUES,
  type Fingerprint,
  SAME_CAMPAIGN_VALUES,
} from '../../shared/text/fingerprint.ts';

const NONE = -1;
/** Powers of two, because a mask of the hash of a band selects its chain. */
const ROWS_AT_FIRST = 256;
const CHAINS_PER_ROW = 16;

export interface SimilarCampaign {
  readonly id: number;
  /** Number of equal values, at least SAME_CAMPAIGN_VALUES. */
  readonly equal: number;
}

export class CampaignIndex {
  #values: Uint16Array<ArrayBuffer>;
  #ids: Uint32Array<ArrayBuffer>;
  /** The first node of each chain. A node is a row and a band. */
  #heads: Int32Array;
  #next: Int32Array;
  readonly #rowOf = new Map<number, number>();
  /** Rows whose campaigns were removed. */
  readonly #free: number[] = [];
  #used = 0;

  /** @param expected number of campaigns. Above it the index grows, which takes as long as adding all campaigns */
  constructor(expected = 0) {
    let rows = ROWS_AT_FIRST;
    while (rows < expected) rows *= 2;
    this.#values = new Uint16Array(rows * FINGERPRINT_VALUES);
    this.#ids = new Uint32Array(rows);
    this.#heads = headsFor(rows);
    this.#next = new Int32Array(rows * BANDS).fill(NONE);
  }

  get size(): number {
    return this.#rowOf.size;
  }

  /** @param id of a campaign that is not in the index */
  add(id: number, fingerprint: Fingerprint): void {
    if (this.#rowOf.has(id)) throw new RangeError(`campaign ${id} is in the index already`);
    if (this.#free.length === 0 && this.#used === this.#ids.length) this.#grow();
    const row = this.#free.pop() ?? this.#used++;
    this.#rowOf.set(id, row);
    this.#ids[row] = id;
    this.#values.set(fingerprint, row * FINGERPRINT_VALUES);
    this.#link(row);
  }

  remove(id: number): void {
    const row = this.#rowOf.get(id);
    if (row === undefined) return;
    this.#rowOf.delete(id);
    this.#free.push(row);
    for (let band = 0; band < BANDS; band++) this.#unlink(row, band);
  }

  /**
   * The most similar campaign, or null. Of equally similar campaigns, the one with the lowest ID.
   * @param counts whether a campaign counts; by default all campaigns count
   */
  find(fingerprint: Fingerprint, counts: (id: number) => boolean = () => true): SimilarCampaign | null {
    let best = NONE;
    let most = SAME_CAMPAIGN_VALUES - 1;
    for (let band = 0; band < BANDS; band++) {
      let node = this.#heads[this.#chainOf(fingerprint, 0, band)]!;
      for (; node !== NONE; node = this.#next[node]!) {
        if (node % BANDS !== band) continue;
        const row = (node - band) / BANDS;
        const offset = row * FINGERPRINT_VALUES;
        if (row === best || !isEqualBand(fingerprint, this.#values, offset, band)) continue;
        const equal = equalValues(fingerprint, this.#values, offset);
        if (equal < most || (equal === most && (best === NONE || this.#ids[row]! > this.#ids[best]!)))
          continue;
        if (!counts(this.#ids[row]!)) continue;
        best = row;
        most = equal;
      }
    }
    return best === NONE ? null : { id: this.#ids[best]!, equal: most };
  }

  #link(row: number): void {
    const offset = row * FINGERPRINT_VALUES;
    for (let band = 0; band < BANDS; band++) {
      const node = row * BANDS + band;
      const chain = this.#chainOf(this.#values, offset, band);
      // Somebody made a chain of this length on purpose. The other bands find the campaign.
      if (this.#isLong(chain)) continue;
      this.#next[node] = this.#heads[chain]!;
      this.#heads[chain] = node;
    }
  }

  #unlink(row: number, band: number): void {
    const removed = row * BANDS + band;
    const chain = this.#chainOf(this.#values, row * FINGERPRINT_VALUES, band);
    let before = NONE;
    for (let node = this.#heads[chain]!; node !== NONE; node = this.#next[node]!) {
      if (node === removed) {
        if (before === NONE) this.#heads[chain] = this.#next[node]!;
        else this.#next[before] = this.#next[node]!;
        break;
      }
      before = node;
    }
    this.#next[removed] = NONE;
  }

  #isLong(chain: number): boolean {
    let length = 0;
    for (let node = this.#heads[chain]!; node !== NONE; node = this.#next[node]!) {
      length++;
      if (length >= BAND_CAMPAIGNS_MAX) return true;
    }
    return false;
  }

  /** @param at offset of a fingerprint in `values` */
  #chainOf(values: Uint16Array, at: number, band: number): number {
    return hashOfBand(values, at, band) & (this.#heads.length - 1);
  }

  #grow(): void {
    const rows = this.#ids.length * 2;
    const [values, ids] = [new Uint16Array(rows * FINGERPRINT_VALUES), new Uint32Array(rows)];
    values.set(this.#values);
    ids.set(this.#ids);
    this.#values = values;
    this.#ids = ids;
    this.#heads = headsFor(rows);
    this.#next = new Int32Array(rows * BANDS).fill(NONE);
    // All rows are in use: the index grows only when none is free.
    for (let row = 0; row < this.#used; row++) this.#link(row);
  }
}

function headsFor(rows: number): Int32Array {
  return new Int32Array(rows * CHAINS_PER_ROW).fill(NONE);
}
