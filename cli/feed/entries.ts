/**
 * The entries of a feed, by reference. They are stored in columns instead of objects: 1,000,000 entries take some 240 MB, most
 * of it for the references.
 */
import { type FeedEntry, isPartyEntry, type PartyEntry } from '../../shared/feed/entry.ts';
import { SOURCE_CHARS_MAX } from '../../shared/limits/control.ts';
import { PULLED_ENTRIES_MAX, PULLED_KINDS_MAX } from '../../shared/limits/feed-pull.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { CommandFailure } from '../failure.ts';
import { RULE_PATTERN } from '../import/catalogue.ts';
import { secondsOf } from '../import/dates.ts';
import { refusal } from './keys.ts';
import { FeedTexts } from './texts.ts';

/** The fields that many entries share. */
export type EntryKind = Pick<PartyEntry, 'subject' | 'effect' | 'code' | 'authority' | 'rule' | 'stage'>;

/** An entry as FeedEntries keeps it. */
export interface KeptEntry {
  readonly kind: EntryKind;
  readonly number: string | null;
  readonly source: string | null;
  /** Seconds since 1970, or FOREVER. */
  readonly until: number;
}

const SLOTS_FIRST = 1_024;
const REFERENCE = /^[\w-]{1,64}$/;
const CODE = /^[A-Z][A-Z0-9_]{0,62}$/;
const NUMBER = /^\+[1-9]\d{0,14}$/;
/** Maximum length of a source with its kind, such as `operator:51502`. */
const SOURCE_CHARS = 2 * SOURCE_CHARS_MAX;

export class FeedEntries {
  /** Campaigns and hosts. */
  readonly texts = new FeedTexts();
  readonly #slots = new Map<string, number>();
  readonly #kinds: EntryKind[] = [];
  readonly #kindIndexes = new Map<string, number>();
  #kindOf = new Uint16Array(SLOTS_FIRST);
  #untilOf = new Uint32Array(SLOTS_FIRST);
  /** The number in each slot; 0 for a source. */
  #numberOf = new Float64Array(SLOTS_FIRST);
  readonly #sourceOf = new Map<number, string>();
  /** Slots of deleted entries. */
  readonly #free: number[] = [];

  /** Count of numbers and sources, without campaigns and hosts. */
  get size(): number {
    return this.#slots.size;
  }

  /** @throws CommandFailure if there are too many entries, or if the entry has a wrong form */
  set(reference: string, entry: FeedEntry): void {
    if (isPartyEntry(entry)) this.#setParty(reference, entry);
    else this.texts.set(reference, entry);
  }

  #setParty(reference: string, { number, source, until, ...rest }: PartyEntry): void {
    const seconds = until === null ? FOREVER : secondsOf(until);
    const isParty =
      number === null
        ? source !== null && source !== '' && source.length <= SOURCE_CHARS
        : source === null && NUMBER.test(number);
    // Names of lists and files are built from these fields.
    const { authority, code, rule } = rest;
    const isKind =
      NAME_PATTERN.test(authority) &&
      (code === null ? rest.effect === 'allow' : CODE.test(code)) &&
      (rule === null || RULE_PATTERN.test(rule));
    if (!REFERENCE.test(reference) || !isParty || !isKind || seconds === null)
      throw refusal('FEED_FORM', 'an entry of the feed has an invalid field');
    this.put(reference, { kind: rest, number, source, until: seconds });
  }

  /** @throws CommandFailure if there are too many entries */
  put(reference: string, { kind, number, source, until }: KeptEntry): void {
    const slot = this.#slots.get(reference) ?? this.#newSlot(reference);
    this.#kindOf[slot] = this.#indexOf(kind);
    this.#untilOf[slot] = until;
    this.#numberOf[slot] = number === null ? 0 : Number(number.slice(1));
    if (source === null) this.#sourceOf.delete(slot);
    else this.#sourceOf.set(slot, source);
  }

  delete(reference: string): void {
    this.texts.delete(reference);
    const slot = this.#slots.get(reference);
    if (slot === undefined) return;
    this.#slots.delete(reference);
    this.#sourceOf.delete(slot);
    this.#free.push(slot);
  }

  clear(): void {
    this.#slots.clear();
    this.#sourceOf.clear();
    this.#free.length = 0;
    this.texts.clear();
  }

  *[Symbol.iterator](): Generator<readonly [reference: string, entry: KeptEntry]> {
    for (const [reference, slot] of this.#slots) yield [reference, this.at(slot)];
  }

  at(slot: number): KeptEntry {
    const n = this.#numberOf[slot]!;
    return {
      kind: this.#kinds[this.#kindOf[slot]!]!,
      number: n === 0 ? null : `+${n}`,
      source: this.#sourceOf.get(slot) ?? null,
      until: this.#untilOf[slot]!,
    };
  }

  /**
   * The slots, sorted by number, with sources last, sorted by text; `from` comes before `to`. The same entries give the same
   * order, in whatever order they came.
   */
  sorted(): Uint32Array {
    const slots = Uint32Array.from(this.#slots.values());
    const number = (slot: number): number => this.#numberOf[slot] || Number.POSITIVE_INFINITY;
    const source = (slot: number): string => this.#sourceOf.get(slot) ?? '';
    const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    return slots.sort((a, b) => {
      const [first, second] = [number(a), number(b)];
      if (first !== second) return first - second;
      return compare(source(a), source(b)) || compare(this.at(a).kind.subject, this.at(b).kind.subject);
    });
  }

  #indexOf({ subject, effect, code, authority, rule, stage }: EntryKind): number {
    const key = JSON.stringify([subject, effect, code, authority, rule, stage]);
    const known = this.#kindIndexes.get(key);
    if (known !== undefined) return known;
    if (this.#kinds.length >= PULLED_KINDS_MAX)
      throw new CommandFailure(
        `the feed has more than ${PULLED_KINDS_MAX} combinations of effect, code, authority and rule`,
      );
    this.#kindIndexes.set(key, this.#kinds.length);
    return this.#kinds.push({ subject, effect, code, authority, rule, stage }) - 1;
  }

  #newSlot(reference: string): number {
    const slot = this.#free.pop() ?? this.#slots.size;
    if (slot >= PULLED_ENTRIES_MAX)
      throw new CommandFailure(`the feed has more than ${PULLED_ENTRIES_MAX} entries`);
    if (slot >= this.#kindOf.length) this.#grow();
    this.#slots.set(reference, slot);
    return slot;
  }

  #grow(): void {
    const size = 2 * this.#kindOf.length;
    const grown = <Column extends Uint16Array | Uint32Array | Float64Array>(
      to: Column,
      from: Column,
    ): Column => {
      to.set(from);
      return to;
    };
    this.#kindOf = grown(new Uint16Array(size), this.#kindOf);
    this.#untilOf = grown(new Uint32Array(size), this.#untilOf);
    this.#numberOf = grown(new Float64Array(size), this.#numberOf);
  }
}
