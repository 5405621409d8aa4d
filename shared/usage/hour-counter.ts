/**
 * Counts the requests of one client in one isolate, within one hour. This runs for every number: it allocates nothing,
 * and hashes only names that are not among the recent ones. A request without a finding, a sender and an ingress
 * changes two numbers. Rarely needed code is in separate methods, because the engine inlines only so much.
 */
import { USAGE_NAMES_MAX } from '../limits/edge.ts';
import { callingCodeOf, regionOf } from '../numbers/calling-codes.ts';
import { SUFFIX_COUNT } from '../numbers/number.ts';
import { CHANNELS, type Ingress, type ScreenRequest, type Sender } from '../request.ts';
import type { Decision } from '../screening/decision.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import { type NameCounts, OTHER, type Total, type UsageCounts } from './counts.ts';

/** The first prefix of three digits. Calling codes have at most three. */
const SHORTEST_PREFIX = 100;
/** Names, and prefixes of senders, whose places are remembered. A power of two. */
const RECENT = 16;
/** Stands for no number. Not an integer, so that the engine stores a double from the start. */
const NO_NUMBER = 0.5;
/** Stands for no place. */
const NOWHERE = -1;
/** Stands for no name. Also a text, because the engine takes longer to compare a text with anything else. */
const NO_NAME = '';
/** A cell for each verdict of each name, OTHER included. */
const CELLS_PER_DIMENSION = (USAGE_NAMES_MAX + 1) * VERDICTS.length;
const CHANNEL_CELLS = CHANNELS.length * VERDICTS.length;
/** Dimensions besides the channel. */
const NAMED_DIMENSIONS = 4;

/** One array for all dimensions, because most of the time of an increment went into finding its array. */
type Cells = Float64Array;

/** The names of one dimension, and where the cells of each begin. */
class Names {
  readonly #cells: Cells;
  #next: number;
  readonly #places = new Map<string, number>();
  /** The last names, by their last character and length: comparing two texts takes less time than hashing one. */
  readonly #recentNames: string[] = new Array<string>(RECENT).fill(NO_NAME);
  readonly #recentPlaces = new Int32Array(RECENT);

  /** @param first where its CELLS_PER_DIMENSION cells begin */
  constructor(cells: Cells, first: number) {
    this.#cells = cells;
    this.#next = first;
  }

  /** Like `newPlaceOf`, but remembers the place. @param name not empty */
  placeOf(name: string): number {
    const recent = (name.charCodeAt(name.length - 1) + name.length) & (RECENT - 1);
    return this.#recentNames[recent] === name ? this.#recentPlaces[recent]! : this.#remember(name, recent);
  }

  #remember(name: string, recent: number): number {
    const place = this.newPlaceOf(name);
    this.#recentPlaces[recent] = place;
    this.#recentNames[recent] = name;
    return place;
  }

  /** Where the cells of a name begin. */
  newPlaceOf(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    if (name !== OTHER && this.#places.size >= USAGE_NAMES_MAX) return this.newPlaceOf(OTHER);
    const place = this.#next;
    this.#places.set(name, place);
    this.#next += VERDICTS.length;
    return place;
  }

  counts(): NameCounts[] {
    return [...this.#places].map(([name, place]) => [
      name,
      ...this.#cells.subarray(place, place + VERDICTS.length),
    ]);
  }
}

export class HourCounter {
  /** All totals but `numbers`, which changes with every request. */
  readonly #totals: Partial<Record<Total, number>> = {};
  #numbers = 0;
  /** The cells of the channels first: by channel, then by verdict. */
  readonly #cells: Cells = new Float64Array(CHANNEL_CELLS + NAMED_DIMENSIONS * CELLS_PER_DIMENSION);
  readonly #codes = new Names(this.#cells, CHANNEL_CELLS);
  readonly #lists = new Names(this.#cells, CHANNEL_CELLS + CELLS_PER_DIMENSION);
  readonly #countries = new Names(this.#cells, CHANNEL_CELLS + 2 * CELLS_PER_DIMENSION);
  readonly #operators = new Names(this.#cells, CHANNEL_CELLS + 3 * CELLS_PER_DIMENSION);
  /** The last sender that is a number, and the place of its country: most requests of a batch have the same one. */
  #lastNumber = NO_NUMBER;
  #lastCountryPlace = NOWHERE;
  /** The last prefixes of senders, and the places of their countries: a prefix decides the calling code. */
  readonly #recentPrefixes = new Int32Array(RECENT).fill(NOWHERE);
  readonly #recentCountries = new Int32Array(RECENT);
  /** By verdict: the last reason, and its places. A campaign to listed numbers has few reasons for each verdict. */
  readonly #lastCodes: string[] = VERDICTS.map(() => NO_NAME);
  readonly #lastCodePlaces = new Int32Array(VERDICTS.length);
  readonly #lastLists: string[] = VERDICTS.map(() => NO_NAME);
  readonly #lastListPlaces = new Int32Array(VERDICTS.length);

  add(total: Total, amount: number): void {
    if (total === 'numbers') this.#numbers += amount;
    else this.#totals[total] = (this.#totals[total] ?? 0) + amount;
  }

  get isEmpty(): boolean {
    return this.#numbers === 0 && Object.keys(this.#totals).length === 0;
  }

  /** Counts a request that was screened. */
  count({ from, to, channel, ingress }: ScreenRequest, decision: Decision): void {
    const { reasons } = decision;
    const verdict = indexOf(decision.verdict);
    this.#numbers += (from === null ? 0 : 1) + (to === null ? 0 : 1);
    this.#cells[(channel === CHANNELS[0] ? 0 : VERDICTS.length) + verdict]!++;
    if (from !== null || ingress !== null) this.#countOrigin(from, ingress, verdict);
    if (reasons.length > 0) this.#countReason(decision, verdict);
  }

  #countOrigin(from: Sender | null, ingress: Ingress | null, verdict: number): void {
    if (ingress !== null) {
      const { country, operator } = ingress;
      if (operator !== null) this.#cells[this.#operators.placeOf(operator) + verdict]!++;
      if (country !== null) {
        this.#cells[this.#countries.placeOf(country) + verdict]!++;
        return;
      }
    }
    if (from === null) return;
    const place = this.#countryPlaceOf(from);
    if (place !== NOWHERE) this.#cells[place + verdict]!++;
  }

  #countryPlaceOf(from: Sender): number {
    if (from.kind !== 'number') return this.#otherCountryPlaceOf(from);
    const { n } = from;
    if (n === this.#lastNumber) return this.#lastCountryPlace;
    this.#lastNumber = n;
    // Like `prefixOf`. The prefix is below 2^24, so it becomes an integer of 32 bits in one step.
    const prefix = (n / SUFFIX_COUNT) | 0;
    const recent = prefix & (RECENT - 1);
    const isRecent = this.#recentPrefixes[recent] === prefix;
    const place = isRecent ? this.#recentCountries[recent]! : this.#rememberCountryOf(n, prefix);
    this.#lastCountryPlace = place;
    return place;
  }

  #otherCountryPlaceOf({ kind }: Sender): number {
    return kind === 'shortCode' || kind === 'localNumber' ? this.#countries.placeOf('KR') : NOWHERE;
  }

  #rememberCountryOf(n: number, prefix: number): number {
    const place = this.#newCountryPlaceOf(n);
    // Shorter prefixes do not decide the calling code.
    if (prefix < SHORTEST_PREFIX) return place;
    this.#recentPrefixes[prefix & (RECENT - 1)] = prefix;
    this.#recentCountries[prefix & (RECENT - 1)] = place;
    return place;
  }

  #newCountryPlaceOf(n: number): number {
    const country = regionOf(callingCodeOf(n))?.main;
    return country === undefined ? NOWHERE : this.#countries.newPlaceOf(country);
  }

  #countReason({ reasons, unenforced }: Decision, verdict: number): void {
    const { code, list } = reasons[0]!;
    if (code !== this.#lastCodes[verdict]) this.#changeCode(code, verdict);
    const cells = this.#cells;
    cells[this.#lastCodePlaces[verdict]! + verdict]!++;
    if (list !== null) {
      if (list !== this.#lastLists[verdict]) this.#changeList(list, verdict);
      cells[this.#lastListPlaces[verdict]! + verdict]!++;
    }
    if (unenforced !== undefined) this.add('unenforced', 1);
  }

  #changeCode(code: string, verdict: number): void {
    this.#lastCodes[verdict] = code;
    this.#lastCodePlaces[verdict] = this.#codes.placeOf(code);
  }

  #changeList(list: string, verdict: number): void {
    this.#lastLists[verdict] = list;
    this.#lastListPlaces[verdict] = this.#lists.placeOf(list);
  }

  counts(): UsageCounts {
    const totals = this.#numbers === 0 ? this.#totals : { ...this.#totals, numbers: this.#numbers };
    const channel = CHANNELS.map((name, index): NameCounts => {
      const place = index * VERDICTS.length;
      return [name, ...this.#cells.subarray(place, place + VERDICTS.length)];
    }).filter(([, ...verdicts]) => verdicts.some((count) => count > 0));
    const [code, list] = [this.#codes.counts(), this.#lists.counts()];
    const all = {
      channel,
      code,
      list,
      country: this.#countries.counts(),
      operator: this.#operators.counts(),
    };
    return { totals, by: Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0)) };
  }
}

/** Position in VERDICTS. */
function indexOf(verdict: Verdict): number {
  if (verdict === 'allow') return 0;
  return verdict === 'label' ? 1 : verdict === 'indeterminate' ? 2 : 3;
}
