/**
 * The table of confirmed campaigns, read in place: their fingerprints, ends and marks. Bands of equal values find the
 * few fingerprints that are worth comparing (Leskovec et al., "Mining of Massive Datasets", 3.4): of two texts with half
 * of their values in common, 94 % share a band; with six tenths in common, 99.4 %.
 */
import { utf8 } from '../bytes.ts';
import { CAMPAIGN_CANDIDATES_MAX, CAMPAIGNS_MAX } from '../limits/text.ts';
import { CAMPAIGNS_MAGIC, FORMAT_VERSION, HEADER_WORDS } from '../set/layout.ts';
import { readNames } from '../set/names.ts';
import { LayoutError, openWords } from '../set/number-set.ts';
import { BLOCK_STAGES, type BlockStage, type RuleMark } from '../verdict.ts';
import { equalValues, FINGERPRINT_VALUES, type Fingerprint, SAME_CAMPAIGN_VALUES } from './fingerprint.ts';

/** Who confirmed a campaign, as reasons show it: with rule and stage if a rule of the joint response did. */
export interface CampaignMark extends Partial<RuleMark> {
  readonly authority: string;
}

export interface Campaign extends CampaignMark {
  /** Counts up from 1. Responses show it as `c-17`. */
  readonly id: number;
  readonly fingerprint: Fingerprint;
  /** In seconds since 1970. Confirmed campaigns always end. */
  readonly until: number;
}

export type FoundCampaign = Omit<Campaign, 'fingerprint'>;

/** A row, in words: ID, end, mark, then the values in pairs. */
const ROW_HEADER_WORDS = 3;
const ROW_WORDS = ROW_HEADER_WORDS + FINGERPRINT_VALUES / 2;
/** Consecutive values of a fingerprint in one band. The last values are in no band if they do not fill one. */
export const BAND_VALUES = 3;
export const BANDS = Math.floor(FINGERPRINT_VALUES / BAND_VALUES);
/** Minimum count of chains of bands, a power of two. */
const CHAINS_MIN = 16;

/** @throws RangeError on more than CAMPAIGNS_MAX campaigns, or a value that has no binary form */
export function encodeCampaigns(campaigns: readonly Campaign[]): Uint8Array<ArrayBuffer> {
  if (campaigns.length > CAMPAIGNS_MAX)
    throw new RangeError(`campaigns: ${campaigns.length}, more than ${CAMPAIGNS_MAX}`);
  const marks = [...new Set(campaigns.map(nameOf))].sort();
  const text = utf8(marks.map((mark) => `${mark}\n`).join(''));
  const textAt = (HEADER_WORDS + campaigns.length * ROW_WORDS) * 4;
  const bytes = new Uint8Array(textAt + Math.ceil(text.length / 4) * 4);
  const words = new Uint32Array(bytes.buffer);
  words.set([CAMPAIGNS_MAGIC, FORMAT_VERSION, campaigns.length, text.length]);
  let before = 0;
  for (const [index, campaign] of campaigns.toSorted((a, b) => a.id - b.id).entries()) {
    const { id, until, fingerprint } = campaign;
    if (!isWord(id) || !isWord(until) || id <= before || fingerprint.length !== FINGERPRINT_VALUES)
      throw new RangeError(`campaigns: ${id} has no binary form, or is there twice`);
    before = id;
    const at = HEADER_WORDS + index * ROW_WORDS;
    words.set([id, until, marks.indexOf(nameOf(campaign))], at);
    new Uint16Array(bytes.buffer, (at + ROW_HEADER_WORDS) * 4, FINGERPRINT_VALUES).set(fingerprint);
  }
  bytes.set(text, textAt);
  return bytes;
}

function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}

/** A mark as the table stores it: the authority, or `<authority> <rule> <stage>`. */
function nameOf({ authority, rule, stage }: CampaignMark): string {
  const words = rule === undefined ? [authority] : [authority, rule, stage ?? ''];
  if (words.some((word) => !/^[^\s]+$/.test(word)))
    throw new RangeError('campaigns: a mark has no binary form');
  return words.join(' ');
}

/** @throws LayoutError */
function markOf(name: string): CampaignMark {
  const [authority = '', rule, stage, more] = name.split(' ');
  if (rule === undefined) return { authority };
  if (more !== undefined || !BLOCK_STAGES.includes(stage as BlockStage))
    throw new LayoutError('campaign table: not a mark');
  return { authority, rule, stage: stage as BlockStage };
}

export class CampaignTable {
  static readonly EMPTY = new CampaignTable(encodeCampaigns([]));

  /** Bytes of the table and of the chains that find its rows. */
  readonly bytes: number;
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #values: Uint16Array;
  readonly #marks: readonly CampaignMark[];
  /** Chains of places (row x BANDS + band) by hash: the first of each chain, and the next of each place. From 1; 0 for none. */
  readonly #first: Uint32Array;
  readonly #next: Uint32Array;
  /** For each row, the last look-up that compared it. */
  readonly #compared: Uint32Array;
  #lookups = 0;

  /** @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const words = openWords(bytes, CAMPAIGNS_MAGIC, 'campaign table');
    const [, , count, length] = words as unknown as [number, number, number, number];
    const textAt = HEADER_WORDS + count * ROW_WORDS;
    if (count > CAMPAIGNS_MAX || words.length !== textAt + Math.ceil(length / 4))
      throw new LayoutError('campaign table: truncated');
    this.count = count;
    this.#words = words;
    this.#values = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    this.#marks = readNames(bytes.subarray(textAt * 4, textAt * 4 + length), 'campaign table').map(markOf);
    let chains = CHAINS_MIN;
    while (chains < count * BANDS) chains *= 2;
    this.#first = new Uint32Array(chains);
    this.#next = new Uint32Array(count * BANDS);
    this.#compared = new Uint32Array(count);
    this.bytes = bytes.length + this.#first.byteLength + this.#next.byteLength + this.#compared.byteLength;
    for (let row = 0, before = 0; row < count; row++) {
      const at = HEADER_WORDS + row * ROW_WORDS;
      if (words[at]! <= before) throw new LayoutError('campaign table: rows out of order');
      if (words[at + 2]! >= this.#marks.length) throw new LayoutError('campaign table: a mark is missing');
      before = words[at]!;
      this.#insert(row);
    }
  }

  /**
   * The most similar campaign that has not ended, or null. Of equally similar campaigns, the newest in the first band that
   * finds one. Compares at most CAMPAIGN_CANDIDATES_MAX. @param now in ms since 1970
   */
  find(fingerprint: Fingerprint, now: number): FoundCampaign | null {
    if (this.count === 0) return null;
    const lookup = this.#nextLookup();
    const mask = this.#first.length - 1;
    let best = -1;
    let most = SAME_CAMPAIGN_VALUES - 1;
    let candidates = 0;
    for (let band = 0; band < BANDS; band++) {
      let place = this.#first[hashOfBand(fingerprint, 0, band) & mask]!;
      for (; place !== 0 && candidates < CAMPAIGN_CANDIDATES_MAX; place = this.#next[place - 1]!) {
        const row = Math.floor((place - 1) / BANDS);
        if (this.#compared[row] === lookup) continue;
        // Other bands share the chain by their hash. How many depends on the size of the table, so they do not count.
        if ((place - 1) % BANDS !== band) continue;
        if (!isEqualBand(fingerprint, this.#values, this.#valuesAt(row), band)) continue;
        this.#compared[row] = lookup;
        candidates++;
        if (this.#until(row) * 1000 <= now) continue;
        const equal = equalValues(fingerprint, this.#values, this.#valuesAt(row));
        if (equal <= most) continue;
        best = row;
        most = equal;
      }
    }
    if (best === -1) return null;
    const at = HEADER_WORDS + best * ROW_WORDS;
    return { id: this.#words[at]!, until: this.#until(best), ...this.#marks[this.#words[at + 2]!]! };
  }

  /** Numbers look-ups from 1. */
  #nextLookup(): number {
    if (this.#lookups === 0xffffffff) {
      this.#compared.fill(0);
      this.#lookups = 0;
    }
    return ++this.#lookups;
  }

  #until(row: number): number {
    return this.#words[HEADER_WORDS + row * ROW_WORDS + 1]!;
  }

  #valuesAt(row: number): number {
    return (HEADER_WORDS + row * ROW_WORDS + ROW_HEADER_WORDS) * 2;
  }

  #insert(row: number): void {
    const mask = this.#first.length - 1;
    for (let band = 0; band < BANDS; band++) {
      const chain = hashOfBand(this.#values, this.#valuesAt(row), band) & mask;
      const place = row * BANDS + band;
      this.#next[place] = this.#first[chain]!;
      this.#first[chain] = place + 1;
    }
  }
}

/** @param offset of the values of the second fingerprint */
export function isEqualBand(a: Uint16Array, b: Uint16Array, offset: number, band: number): boolean {
  const first = band * BAND_VALUES;
  for (let at = first; at < first + BAND_VALUES; at++) if (a[at] !== b[offset + at]) return false;
  return true;
}

/** @param at of the values of a fingerprint */
export function hashOfBand(values: Uint16Array, at: number, band: number): number {
  const first = at + band * BAND_VALUES;
  let hash = band;
  for (let next = first; next < first + BAND_VALUES; next++) {
    hash = Math.imul(hash ^ values[next]!, 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
