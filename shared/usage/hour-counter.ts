/**
 * Counts the requests of one client in one isolate, within one hour. This runs for every number: it allocates nothing,
 * and hashes only names that are not among the recent ones. A request without a finding, a sender and an ingress
 * changes two integers.
 */
import { USAGE_NAMES_MAX } from '../limits/edge.ts';
import { callingCodeOf, regionOf } from '../numbers/calling-codes.ts';
import { prefixOf } from '../numbers/number.ts';
import { CHANNELS, type Ingress, type ScreenRequest, type Sender } from '../request.ts';
import type { Decision } from '../screening/decision.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import { type NameCounts, OTHER, type Total, type UsageCounts } from './counts.ts';

/** The first prefix of three digits: calling codes have at most as many. */
const SHORTEST_PREFIX = 100;
/** Names, and prefixes of senders, whose places are remembered. A power of two. */
const RECENT = 16;
/** In place of a place. */
const NOWHERE = -1;
const NO_NAME = '';

/** The cells of one dimension: one for each verdict of each name. */
class Names {
  readonly #places = new Map<string, number>();
  readonly #cells: number[] = [];
  /** The last names, by their last character and length: comparing two texts takes less time than hashing one. */
  readonly #recentNames: string[] = new Array<string>(RECENT).fill(NO_NAME);
  readonly #recentPlaces = new Uint16Array(RECENT);

  /** @param name not empty @param verdict its index in VERDICTS */
  add(name: string, verdict: number): void {
    const recent = (name.charCodeAt(name.length - 1) + name.length) & (RECENT - 1);
    if (this.#recentNames[recent] !== name) {
      this.#recentPlaces[recent] = this.placeOf(name);
      this.#recentNames[recent] = name;
    }
    this.addAt(this.#recentPlaces[recent]!, verdict);
  }

  /** @param place as `placeOf` returns it */
  addAt(place: number, verdict: number): void {
    this.#cells[place + verdict]!++;
  }

  /** Where the cells of a name begin. */
  placeOf(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    if (name !== OTHER && this.#places.size >= USAGE_NAMES_MAX) return this.placeOf(OTHER);
    const place = this.#cells.length;
    this.#places.set(name, place);
    for (const _ of VERDICTS) this.#cells.push(0);
    return place;
  }

  counts(): NameCounts[] {
    return [...this.#places].map(([name, place]) => [
      name,
      ...this.#cells.slice(place, place + VERDICTS.length),
    ]);
  }
}

export class HourCounter {
  /** All totals but `numbers`, which changes with every request. */
  readonly #totals: Partial<Record<Total, number>> = {};
  #numbers = 0;
  /** By channel, and then by verdict. */
  readonly #channels = new Float64Array(CHANNELS.length * VERDICTS.length);
  readonly #codes = new Names();
  readonly #lists = new Names();
  readonly #countries = new Names();
  readonly #operators = new Names();
  /** The last sender that is a number, and the place of its country: most requests of a batch have the same one. */
  #lastNumber = NOWHERE;
  #lastCountryPlace = NOWHERE;
  /** The last prefixes of senders, and the places of their countries: a prefix decides the calling code. */
  readonly #recentPrefixes = new Float64Array(RECENT).fill(NOWHERE);
  readonly #recentCountries = new Int16Array(RECENT);
  /** The last reason, and its places. */
  #lastCode: string | null = null;
  #lastCodePlace = NOWHERE;
  #lastList: string | null = null;
  #lastListPlace = NOWHERE;

  add(total: Total, amount: number): void {
    if (total === 'numbers') this.#numbers += amount;
    else this.#totals[total] = (this.#totals[total] ?? 0) + amount;
  }

  get isEmpty(): boolean {
    return this.#numbers === 0 && Object.keys(this.#totals).length === 0;
  }

  /** Counts a request that was screened. */
  count(request: ScreenRequest, decision: Decision): void {
    const { from, to, channel, ingress } = request;
    const verdict = indexOf(decision.verdict);
    this.#numbers += (from === null ? 0 : 1) + (to === null ? 0 : 1);
    this.#channels[(channel === CHANNELS[0] ? 0 : VERDICTS.length) + verdict]!++;
    if (from !== null || ingress !== null) this.#countOrigin(from, ingress, verdict);
    if (decision.reasons.length > 0) this.#countReason(decision, verdict);
  }

  #countOrigin(from: Sender | null, ingress: Ingress | null, verdict: number): void {
    const country = ingress?.country ?? null;
    const operator = ingress?.operator ?? null;
    if (operator !== null) this.#operators.add(operator, verdict);
    if (country !== null) this.#countries.add(country, verdict);
    else if (from !== null) this.#countSender(from, verdict);
  }

  #countSender(from: Sender, verdict: number): void {
    if (from.kind === 'number') {
      const place = this.#countryPlaceOf(from.n);
      if (place !== NOWHERE) this.#countries.addAt(place, verdict);
    } else if (from.kind === 'shortCode' || from.kind === 'localNumber') this.#countries.add('KR', verdict);
  }

  #countryPlaceOf(n: number): number {
    if (n !== this.#lastNumber) {
      this.#lastNumber = n;
      this.#lastCountryPlace = this.#recentCountryPlaceOf(n);
    }
    return this.#lastCountryPlace;
  }

  #recentCountryPlaceOf(n: number): number {
    const prefix = prefixOf(n);
    // Shorter prefixes do not decide the calling code.
    if (prefix < SHORTEST_PREFIX) return this.#newCountryPlaceOf(n);
    const recent = prefix & (RECENT - 1);
    if (this.#recentPrefixes[recent] !== prefix) {
      this.#recentPrefixes[recent] = prefix;
      this.#recentCountries[recent] = this.#newCountryPlaceOf(n);
    }
    return this.#recentCountries[recent]!;
  }

  #newCountryPlaceOf(n: number): number {
    const country = regionOf(callingCodeOf(n))?.main;
    return country === undefined ? NOWHERE : this.#countries.placeOf(country);
  }

  #countReason({ reasons, unenforced }: Decision, verdict: number): void {
    const { code, list } = reasons[0]!;
    if (code !== this.#lastCode || list !== this.#lastList) {
      this.#lastCode = code;
      this.#lastCodePlace = this.#codes.placeOf(code);
      this.#lastList = list;
      this.#lastListPlace = list === null ? NOWHERE : this.#lists.placeOf(list);
    }
    this.#codes.addAt(this.#lastCodePlace, verdict);
    if (list !== null) this.#lists.addAt(this.#lastListPlace, verdict);
    if (unenforced !== undefined) this.add('unenforced', 1);
  }

  counts(): UsageCounts {
    const totals = this.#numbers === 0 ? this.#totals : { ...this.#totals, numbers: this.#numbers };
    const channel = CHANNELS.map((name, index): NameCounts => {
      const place = index * VERDICTS.length;
      return [name, ...this.#channels.subarray(place, place + VERDICTS.length)];
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
