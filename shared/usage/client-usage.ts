/**
 * The counts of one client that an isolate has not delivered yet. Pure: workers/edge/usage.ts sends them.
 *
 * Counts go into the open hour. Sealing it makes a flush, which never changes again: a sender that does not learn the
 * result sends the same flush once more, and the object counts it once. Flushes are sent in order, one at a time. While
 * none can be sent, one flush for each hour waits. Flushes beyond the bounds are dropped, and their numbers are counted
 * as lost.
 */
import { CanaryNumbers } from '../enumeration/canary-numbers.ts';
import type { ScanKey } from '../enumeration/scan-key.ts';
import { ScanSketch } from '../enumeration/scan-sketch.ts';
import { RECORD_BYTES_PER_DAY_MAX, USAGE_RETRIED_MS, USAGE_WAITING_MAX } from '../limits/edge.ts';
import { SKETCH_PLACES_MAX, SKETCH_PLACES_MIN } from '../limits/enumeration.ts';
import type { ScreenRequest } from '../request.ts';
import type { Decision } from '../screening/decision.ts';
import type { ScreenedText } from '../screening/screened-text.ts';
import { HOUR_MS, HOURS_PER_DAY } from '../time.ts';
import type { Total } from './counts.ts';
import type { FlushAnswer, UsageFlush, UsageScan } from './flush.ts';
import { HourCounter } from './hour-counter.ts';
import { MobileSenders } from './mobile-senders.ts';
import { TextCounter } from './text-counts.ts';

/** The organisation whose numbers a sketch summarises, and the key for it. */
export interface ScanSource extends Pick<UsageScan, 'organisation' | 'keyId'> {
  readonly key: ScanKey;
}

export class ClientUsage {
  readonly client: string;
  /** Random ID of this counter, and the random number that assigns it to one of the objects of a client. */
  readonly #isolate: string;
  readonly #place: number;
  #open = new HourCounter();
  /** Also of the open hour. */
  readonly #mobile = new MobileSenders();
  /** Also of the open hour. */
  #scores = new TextCounter();
  #hour = 0;
  /** The end of `#hour`, in ms since 1970. */
  #hourEnd = 0;
  /** Sealed flushes, in the order of their numbers. The first one may have been sent already. */
  readonly #sealed: UsageFlush[] = [];
  #nextFlush = 1;
  /** Whether the counts from before the sending began are sealed. */
  #isSealed = false;
  /** When the first sealed flush was first sent, in ms since 1970; 0 before. */
  #sentAt = 0;
  #shards = 1;
  /** Block records of this isolate on `#day` (days since 1970), in bytes, and whether the client may keep no more. */
  #day = 0;
  #recordBytes = 0;
  #recordsFull = false;
  /** Sketch of the numbers since the last flush with a sketch, of all hours. */
  #sketch: ScanSketch | null = null;
  /** Places that the last sketch needed, because a table that grows is filled again. */
  #sketchPlaces = SKETCH_PLACES_MIN;
  #scanSource: ScanSource | null = null;
  #canaries = CanaryNumbers.NONE;

  /** @param random 32 bits @param isolate at least 64 random bits, as text */
  constructor(client: string, isolate: string, random: number, now: number) {
    this.client = client;
    this.#isolate = isolate;
    this.#place = random;
    this.#setHour(now);
  }

  /**
   * Counts a request that was screened.
   * @param now in ms since 1970, of its snapshot @param isText whether it is for a text that the client will send
   * @param isScored whether the score of its text counts: not for clients that only test
   */
  count(request: ScreenRequest, decision: Decision, now: number, isText = false, isScored = true): void {
    if (now >= this.#hourEnd) this.#beginHour(now);
    this.#open.count(request, decision);
    if (decision.text !== undefined && isScored) this.#countText(decision.text, decision);
    if (isText) this.#mobile.count(request, decision);
    if (this.#scanSource !== null) this.#see(request, this.#sketch ?? this.#beginSketch(this.#scanSource));
  }

  /** Counts the score of a text. Ignores test texts, and texts without a score. */
  #countText({ release, model, score, band, isTest }: ScreenedText, { reasons }: Decision): void {
    if (isTest || release === null || model === null || score === null || band === null) return;
    let isLabelled = false;
    for (let index = 0; index < reasons.length; index++)
      isLabelled ||= reasons[index]!.code === 'TEXT_SUSPICIOUS' && reasons[index]!.effect === 'label';
    this.#scores.count(release, model, score, band, isLabelled);
  }

  #see({ from, to }: ScreenRequest, sketch: ScanSketch): void {
    if (from !== null && from.kind === 'number') sketch.seeFrom(from.n);
    if (to !== null && to.kind === 'number') sketch.seeTo(to.n);
  }

  /** Called with the first request, so that only clients that send requests have a sketch. */
  #beginSketch({ key }: ScanSource): ScanSketch {
    this.#sketch = new ScanSketch(key, SKETCH_PLACES_MAX, this.#sketchPlaces);
    this.#sketch.canaries = this.#canaries;
    return this.#sketch;
  }

  /** Summarises the numbers that are counted from now on. */
  watch(source: ScanSource, canaries: CanaryNumbers): void {
    this.#canaries = canaries;
    if (this.#sketch !== null) this.#sketch.canaries = canaries;
    if (source === this.#scanSource) return;
    this.#scanSource = source;
    this.#sketch = null;
  }

  add(total: Total, amount: number, now: number): void {
    if (now >= this.#hourEnd) this.#beginHour(now);
    this.#open.add(total, amount);
  }

  /** Counts a block record. @returns whether to keep it */
  addRecord(bytes: number, now: number): boolean {
    const day = Math.floor(now / (HOUR_MS * HOURS_PER_DAY));
    if (day !== this.#day) {
      this.#day = day;
      this.#recordBytes = 0;
      this.#recordsFull = false;
    }
    const isKept = !this.#recordsFull && this.#recordBytes + bytes <= RECORD_BYTES_PER_DAY_MAX;
    this.#recordBytes += isKept ? bytes : 0;
    this.add(isKept ? 'recordBytes' : 'recordsDropped', isKept ? bytes : 1, now);
    return isKept;
  }

  /** Whether everything was delivered. */
  get isDelivered(): boolean {
    return this.#sealed.length === 0 && this.#open.isEmpty && this.#scores.isEmpty;
  }

  /**
   * Begins to send: seals the counts, unless an earlier flush of this hour waits.
   * @returns the first flush to send; null if there is none
   */
  nextFlush(now: number): UsageFlush | null {
    if (now - this.#sentAt > USAGE_RETRIED_MS && this.#sentAt > 0) this.#drop(0);
    this.#isSealed = this.#sealed.at(-1)?.hour !== this.#hour;
    if (this.#isSealed) this.#seal();
    return this.#first(now);
  }

  /**
   * Notes that the object has counted this flush. Another sender, presumed dead, may have delivered it too.
   * @returns the next one to send; null if there is none
   */
  delivered(flush: UsageFlush, { shards, recordsFull }: FlushAnswer, now: number): UsageFlush | null {
    if (this.#sealed[0] === flush) {
      this.#sealed.shift();
      this.#sentAt = 0;
    }
    this.#shards = Math.max(this.#shards, shards);
    if (Math.floor(now / (HOUR_MS * HOURS_PER_DAY)) === this.#day) this.#recordsFull ||= recordsFull;
    if (this.#sealed.length === 0 && !this.#isSealed) {
      this.#isSealed = true;
      this.#seal();
    }
    return this.#first(now);
  }

  #first(now: number): UsageFlush | null {
    const [flush] = this.#sealed;
    if (flush === undefined) return null;
    if (this.#sentAt === 0) this.#sentAt = now;
    return flush;
  }

  #beginHour(now: number): void {
    this.#seal();
    this.#setHour(now);
  }

  #setHour(now: number): void {
    this.#hour = Math.floor(now / HOUR_MS);
    this.#hourEnd = (this.#hour + 1) * HOUR_MS;
  }

  #seal(): void {
    if (this.#open.isEmpty && this.#scores.isEmpty) return;
    // One sketch waits with the first flush, and the next one grows on. So at most two are kept while none can be sent.
    const scan = this.#sealed.length === 0 ? this.#takeScan() : null;
    const { uncounted } = this.#mobile;
    if (uncounted > 0) this.#open.add('uncountedTexts', uncounted);
    const mobile = this.#mobile.take();
    const scores = this.#scores.counts();
    this.#sealed.push({
      client: this.client,
      isolate: this.#isolate,
      flush: this.#nextFlush++,
      hour: this.#hour,
      counts: this.#open.counts(),
      // The answer to the first flush of an isolate has the number of objects.
      shard: this.#place % this.#shards,
      shards: this.#shards,
      ...(scan === null ? {} : { scan }),
      ...(mobile === null ? {} : { mobile }),
      ...(scores.length === 0 ? {} : { scores }),
    });
    this.#open = new HourCounter();
    this.#scores = new TextCounter();
    // Keeps the first flush, which may be on its way.
    if (this.#sealed.length > USAGE_WAITING_MAX) this.#drop(1);
  }

  #takeScan(): UsageScan | null {
    const [sketch, source] = [this.#sketch, this.#scanSource];
    this.#sketch = null;
    if (sketch === null || source === null || sketch.isEmpty) return null;
    const data = sketch.data();
    this.#sketchPlaces = sketch.places;
    return { organisation: source.organisation, keyId: source.keyId, sketch: data };
  }

  #drop(index: number): void {
    const [dropped] = this.#sealed.splice(index, 1);
    if (index === 0) this.#sentAt = 0;
    const { numbers = 0, lostNumbers = 0, uncountedTexts = 0 } = dropped?.counts.totals ?? {};
    this.#open.add('lostNumbers', numbers + lostNumbers);
    const texts = (dropped?.mobile ?? []).reduce((sum, [, each]) => sum + each, uncountedTexts);
    if (texts > 0) this.#open.add('uncountedTexts', texts);
  }
}
