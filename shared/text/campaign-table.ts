/**
 * The table of confirmed campaigns, read in place: their fingerprints, ends and marks. Bands of equal values find the
 * few fingerprints that are worth comparing (Leskovec et al., "Mining of Massive Datasets", 3.4).
 */
import { utf8 } from '../bytes.ts';
import { CAMPAIGNS_MAX } from '../limits/text.ts';
import { CAMPAIGNS_MAGIC, FORMAT_VERSION, HEADER_WORDS } from '../set/layout.ts';
import { readNames } from '../set/names.ts';
import { LayoutError, openWords } from '../set/number-set.ts';
import { equalValues, FINGERPRINT_VALUES, type Fingerprint, SAME_CAMPAIGN_VALUES } from './fingerprint.ts';

/** Who confirmed a campaign, as reasons show it. */
export interface CampaignMark {
  readonly authority: string;
  /** ID and version of the rule of the joint response; absent if a person confirmed it. */
  readonly rule?: string | undefined;
}

export interface Campaign extends CampaignMark {
  /** Counts up from 1: answers show it as `c-17`. */
  readonly id: number;
  readonly fingerprint: Fingerprint;
  /** In seconds since 1970: confirmed campaigns always end. */
  readonly until: number;
}

export type FoundCampaign = Omit<Campaign, 'fingerprint'>;

/** A row, in words: ID, end, mark, then the values in pairs. */
const ROW_WORDS = 3 + FINGERPRINT_VALUES / 2;
const BAND_VALUES = 4;
const BANDS = FINGERPRINT_VALUES / BAND_VALUES;

/** @throws RangeError on more than CAMPAIGNS_MAX campaigns, or a value that has no binary form */
export function encodeCampaigns(campaigns: readonly Campaign[]): Uint8Array<ArrayBuffer> {
  if (campaigns.length > CAMPAIGNS_MAX)
    throw new RangeError(`campaigns: ${campaigns.length}, more than ${CAMPAIGNS_MAX}`);
  const markOf = ({ authority, rule = '' }: CampaignMark): string => `${authority} ${rule}`;
  const marks = [...new Set(campaigns.map(markOf))].sort();
  if (marks.some((mark) => mark.includes('\n') || mark.split(' ').length !== 2))
    throw new RangeError('campaigns: a mark has no binary form');
  const text = utf8(marks.map((mark) => `${mark}\n`).join(''));
  const rowsAt = HEADER_WORDS * 4;
  const textAt = rowsAt + campaigns.length * ROW_WORDS * 4;
  const bytes = new Uint8Array(textAt + Math.ceil(text.length / 4) * 4);
  const words = new Uint32Array(bytes.buffer);
  words.set([CAMPAIGNS_MAGIC, FORMAT_VERSION, campaigns.length, text.length]);
  for (const [index, campaign] of campaigns.toSorted((a, b) => a.id - b.id).entries()) {
    const at = HEADER_WORDS + index * ROW_WORDS;
    words.set([campaign.id, campaign.until, marks.indexOf(markOf(campaign))], at);
    new Uint16Array(bytes.buffer, (at + 3) * 4, FINGERPRINT_VALUES).set(campaign.fingerprint);
  }
  bytes.set(text, textAt);
  return bytes;
}

export class CampaignTable {
  static readonly EMPTY = new CampaignTable(encodeCampaigns([]));

  readonly bytes: number;
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #values: Uint16Array;
  readonly #marks: readonly CampaignMark[];
  /** Row and band, from 1, by the hash of the band: linear probing; 0 for none. */
  readonly #slots: Uint32Array;

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
    this.#marks = readNames(bytes.subarray(textAt * 4, textAt * 4 + length), 'campaign table').map((mark) => {
      const [authority = '', rule = ''] = mark.split(' ');
      return rule === '' ? { authority } : { authority, rule };
    });
    let slots = 16;
    while (slots < 2 * count * BANDS) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.bytes = bytes.length + this.#slots.byteLength;
    for (let row = 0; row < count; row++) {
      if (words[HEADER_WORDS + row * ROW_WORDS + 2]! >= this.#marks.length)
        throw new LayoutError('campaign table: a mark is missing');
      for (let band = 0; band < BANDS; band++) this.#insert(row, band);
    }
  }

  /** The most similar campaign that has not ended, or null. @param now in ms since 1970 */
  find(fingerprint: Fingerprint, now: number): FoundCampaign | null {
    if (this.count === 0) return null;
    const mask = this.#slots.length - 1;
    let best = -1;
    let most = SAME_CAMPAIGN_VALUES - 1;
    for (let band = 0; band < BANDS; band++) {
      const hash = hashOfBand(fingerprint, band * BAND_VALUES, band);
      for (let slot = hash & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
        const found = this.#slots[slot]! - 1;
        if (found % BANDS !== band) continue;
        const row = (found - band) / BANDS;
        if (row === best || this.#until(row) * 1000 <= now) continue;
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

  #until(row: number): number {
    return this.#words[HEADER_WORDS + row * ROW_WORDS + 1]!;
  }

  #valuesAt(row: number): number {
    return (HEADER_WORDS + row * ROW_WORDS + 3) * 2;
  }

  #insert(row: number, band: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashOfBand(this.#values, this.#valuesAt(row) + band * BAND_VALUES, band) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row * BANDS + band + 1;
  }
}

function hashOfBand(values: Uint16Array, at: number, band: number): number {
  let hash = band;
  for (let next = at; next < at + BAND_VALUES; next++) {
    hash = Math.imul(hash ^ values[next]!, 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
