/**
 * Counts the requests of one client in one isolate, within one hour. This runs for every number: it allocates nothing,
 * and hashes only names that are not among the recent ones. A request without a finding, a sender and an ingress
 * changes two integers.
 */
import { USAGE_NAMES_MAX } from '../limits/edge.ts';
import { callingCodeOf, regionOf } from '../numbers/calling-codes.ts';
import { CHANNELS, type Ingress, type ScreenRequest, type Sender } from '../request.ts';
import type { Decision } from '../screening/decision.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import { type NameCounts, OTHER, type Total, type UsageCounts } from './counts.ts';

/** Names whose places are remembered. */
const RECENT = 16;
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
    const recent = (name.charCodeAt(name.length - 1) + name.length) % RECENT;
    if (this.#recentNames[recent] !== name) {
      this.#recentPlaces[recent] = this.#placeOf(name);
      this.#recentNames[recent] = name;
    }
    this.#cells[this.#recentPlaces[recent]! + verdict]!++;
  }

  #placeOf(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    if (name !== OTHER && this.#places.size >= USAGE_NAMES_MAX) return this.#placeOf(OTHER);
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
  /** Of the last sender that is a number: nearly all requests of a batch have the same one. */
  #lastNumber = -1;
  #lastCountry: string | null = null;

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
    const country = ingress?.country ?? (from === null ? null : this.#countryOf(from));
    if (country !== null) this.#countries.add(country, verdict);
    const operator = ingress?.operator ?? null;
    if (operator !== null) this.#operators.add(operator, verdict);
  }

  #countReason({ reasons, unenforced }: Decision, verdict: number): void {
    const { code, list } = reasons[0]!;
    this.#codes.add(code, verdict);
    if (list !== null) this.#lists.add(list, verdict);
    if (unenforced !== undefined) this.add('unenforced', 1);
  }

  #countryOf(from: Sender): string | null {
    if (from.kind !== 'number') return from.kind === 'shortCode' || from.kind === 'localNumber' ? 'KR' : null;
    if (from.n !== this.#lastNumber) {
      this.#lastNumber = from.n;
      this.#lastCountry = mainRegionOf(callingCodeOf(from.n));
    }
    return this.#lastCountry;
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

/** Main regions by calling code, as far as they were needed: `regionOf` allocates. */
const mainRegions: (string | null)[] = [];

function mainRegionOf(code: number): string | null {
  const known = mainRegions[code];
  if (known !== undefined) return known;
  mainRegions[code] = regionOf(code)?.main ?? null;
  return mainRegions[code];
}

/** Position in VERDICTS. */
function indexOf(verdict: Verdict): number {
  if (verdict === 'allow') return 0;
  return verdict === 'label' ? 1 : verdict === 'indeterminate' ? 2 : 3;
}
