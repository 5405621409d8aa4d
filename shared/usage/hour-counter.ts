/**
 * Counts the requests of one client in one isolate, within one hour. This runs for every number: it allocates nothing,
 * and looks a name up only if it differs from the last one of its dimension. A request without a finding, a sender
 * and an ingress changes two integers.
 */
import { USAGE_NAMES_MAX } from '../limits/edge.ts';
import { callingCodeOf, regionOf } from '../numbers/calling-codes.ts';
import type { ScreenRequest, Sender } from '../request.ts';
import type { Decision } from '../screening/decision.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import { type Dimension, type NameCounts, OTHER, TOTALS, type Total, type UsageCounts } from './counts.ts';

/** The cells of one dimension: one for each verdict of each name. */
class Names {
  readonly #places = new Map<string, number>();
  readonly #cells: number[] = [];
  #lastName: string | null = null;
  #lastPlace = 0;

  /** @param verdict its index in VERDICTS */
  add(name: string, verdict: number): void {
    if (name !== this.#lastName) {
      this.#lastPlace = this.#places.get(name) ?? this.#placeOf(name);
      this.#lastName = name;
    }
    this.#cells[this.#lastPlace + verdict]!++;
  }

  #placeOf(name: string): number {
    const known = this.#places.get(this.#places.size < USAGE_NAMES_MAX ? name : OTHER);
    if (known !== undefined) return known;
    const place = this.#cells.length;
    this.#places.set(this.#places.size < USAGE_NAMES_MAX ? name : OTHER, place);
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
  readonly #totals: Record<Total, number> = {
    ...{ requests: 0, errors: 0, numbers: 0, invalidItems: 0, unenforced: 0 },
    ...{ recordBytes: 0, recordsDropped: 0, lostNumbers: 0 },
  };
  readonly #by: Readonly<Record<Dimension, Names>> = {
    channel: new Names(),
    code: new Names(),
    list: new Names(),
    country: new Names(),
    operator: new Names(),
  };
  /** Of the last sender that is a number: nearly all requests of a batch have the same one. */
  #lastNumber = -1;
  #lastCountry: string | null = null;

  add(total: Total, amount: number): void {
    this.#totals[total] += amount;
  }

  get numbers(): number {
    return this.#totals.numbers;
  }

  get isEmpty(): boolean {
    return TOTALS.every((total) => this.#totals[total] === 0);
  }

  /** Counts a request that was screened. */
  count({ from, to, channel, ingress }: ScreenRequest, { verdict, reasons, unenforced }: Decision): void {
    const index = indexOf(verdict);
    this.#totals.numbers += (from === null ? 0 : 1) + (to === null ? 0 : 1);
    this.#by.channel.add(channel, index);
    const country = ingress?.country ?? (from === null ? null : this.#countryOf(from));
    if (country !== null) this.#by.country.add(country, index);
    if (ingress !== null && ingress.operator !== null) this.#by.operator.add(ingress.operator, index);
    const [reason] = reasons;
    if (reason === undefined) return;
    this.#by.code.add(reason.code, index);
    if (reason.list !== null) this.#by.list.add(reason.list, index);
    if (unenforced !== undefined) this.#totals.unenforced++;
  }

  #countryOf(from: Sender): string | null {
    if (from.kind !== 'number') return from.kind === 'shortCode' || from.kind === 'localNumber' ? 'KR' : null;
    if (from.n !== this.#lastNumber) {
      this.#lastNumber = from.n;
      this.#lastCountry = regionOf(callingCodeOf(from.n))?.main ?? null;
    }
    return this.#lastCountry;
  }

  counts(): UsageCounts {
    const totals = Object.fromEntries(Object.entries(this.#totals).filter(([, count]) => count > 0));
    const all = Object.entries(this.#by).map(([dimension, names]) => [dimension, names.counts()] as const);
    return { totals, by: Object.fromEntries(all.filter(([, names]) => names.length > 0)) };
  }
}

/** Position in VERDICTS. */
function indexOf(verdict: Verdict): number {
  if (verdict === 'allow') return 0;
  return verdict === 'label' ? 1 : verdict === 'indeterminate' ? 2 : 3;
}
