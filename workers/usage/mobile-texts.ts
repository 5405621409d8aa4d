/**
 * Counts the texts of a client by mobile number and day in Korea. The client's first object sums the counts of all its
 * isolates; its other objects send their counts there, in numbered batches. A number over the limit becomes a fact for
 * the router of notices, once a day. All of this changes in the transaction of the flush, so a crash at any time neither
 * loses nor repeats a count. Each row costs money, so a day is stored as a few rows of many numbers.
 */
import {
  MOBILE_SENDERS_PER_DAY_MAX,
  OWNER_FACTS_MAX,
  OWNER_USED_LIMIT_MS,
  OWNER_USED_TEXTS_MIN,
  OWNERS_PER_CLIENT_DAY_MAX,
} from '../../shared/limits/notice-sources.ts';
import { koreanDayOf, koreanDayOfHour } from '../../shared/time.ts';
import type { UsageFlush } from '../../shared/usage/flush.ts';
import { warn } from '../log.ts';
import type { MobileTexts, OwnerFact } from '../storage/notice-sources-port.ts';
import { SingleValues } from '../storage/single-values.ts';

/** Rows of a day. */
const BUCKETS = 8;
/** Days that are kept besides the current one, because flushes may arrive late. */
const DAYS_KEPT = 1;

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS texts (
    day INTEGER, bucket INTEGER, texts TEXT NOT NULL, PRIMARY KEY (day, bucket)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS text_sources (shard INTEGER PRIMARY KEY, n INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS text_outbox (n INTEGER PRIMARY KEY, texts TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS owner_facts (n INTEGER PRIMARY KEY, facts TEXT NOT NULL);
`;

/** Texts of a number on a day, and whether the number became a fact. */
interface Sender {
  texts: number;
  isNotified: boolean;
}
type StoredSender = readonly [number: number, texts: number, isNotified: 0 | 1];

export interface TextBatch {
  readonly n: number;
  readonly texts: readonly MobileTexts[];
}
export interface FactBatch {
  readonly n: number;
  readonly facts: readonly OwnerFact[];
}

type Key =
  | 'client'
  | 'shard'
  | 'limit'
  | 'limitAt'
  | 'candidates'
  | 'textsSent'
  | 'factsSent'
  | 'ownersDropped';

export class MobileTextStore {
  readonly #sql: SqlStorage;
  readonly meta: SingleValues<Key>;
  /** Senders by day, as stored. Each day is read when it is first needed. */
  #days = new Map<number, Map<number, Sender>>();
  /** Whether there may be a number over the limit that is not a fact yet. */
  #hasCandidates = false;

  constructor(sql: SqlStorage) {
    sql.exec(TABLES);
    this.#sql = sql;
    this.meta = new SingleValues<Key>(sql);
    this.reset();
  }

  /** Whether there is anything to send or to check. */
  get hasWork(): boolean {
    return this.#hasCandidates || this.nextTexts() !== null || this.nextFacts() !== null;
  }

  /** Discards the memory after a failed transaction, because it may differ from the tables. */
  reset(): void {
    this.#days = new Map();
    this.#hasCandidates = this.meta.number('candidates') === 1;
  }

  /**
   * Counts the texts of flushes. Must run in the transaction of the flushes.
   * @returns the number of texts that were not counted: they were too old, or there was no room
   */
  addFlushes(flushes: readonly UsageFlush[], now: number): number {
    const texts = flushes.flatMap(({ mobile = [], hour }) =>
      mobile.map(([number, many]): MobileTexts => [number, koreanDayOfHour(hour), many]),
    );
    const [first] = flushes;
    if (texts.length === 0 || first === undefined) return 0;
    this.#begin(first.client, first.shard);
    if (first.shard === 0) return this.#count(texts, now);
    const { n } = this.#sql.exec<{ n: number | null }>('SELECT MAX(n) AS n FROM text_outbox').one();
    const next = (n ?? this.meta.number('textsSent')) + 1;
    this.#sql.exec('INSERT INTO text_outbox VALUES (?, ?)', next, JSON.stringify(summed(texts)));
    return 0;
  }

  /** See UsageObject. Must run in a transaction. @returns also the number of texts that were not counted */
  addBatch(
    client: string,
    shard: number,
    { n, texts }: TextBatch,
    now: number,
  ): { readonly last: number; readonly uncounted: number } {
    const [row] = this.#sql
      .exec<{ n: number }>('SELECT n FROM text_sources WHERE shard = ?', shard)
      .toArray();
    const last = row?.n ?? 0;
    if (last >= n) return { last, uncounted: 0 };
    this.#begin(client, 0);
    const uncounted = this.#count(texts, now);
    this.#sql.exec('INSERT OR REPLACE INTO text_sources VALUES (?, ?)', shard, n);
    return { last: n, uncounted };
  }

  /** Stores the client and the shard of this object. */
  #begin(client: string, shard: number): void {
    if (this.meta.text('client') !== null) return;
    this.meta.set('client', client);
    this.meta.set('shard', shard);
  }

  #count(all: readonly MobileTexts[], now: number): number {
    const today = koreanDayOf(now);
    const limit = this.meta.number('limit') || OWNER_USED_TEXTS_MIN;
    let uncounted = 0;
    for (const [day, own] of Map.groupBy(all, ([, each]) => each)) {
      const sum = (): number => own.reduce((total, [, , texts]) => total + texts, 0);
      if (day < today - DAYS_KEPT) {
        uncounted += sum();
        continue;
      }
      const senders = this.#day(day);
      const changed = new Set<number>();
      for (const [number, , texts] of own) {
        const sender = senders.get(number) ?? { texts: 0, isNotified: false };
        if (sender.texts === 0 && senders.size >= MOBILE_SENDERS_PER_DAY_MAX) {
          uncounted += texts;
          continue;
        }
        sender.texts += texts;
        senders.set(number, sender);
        changed.add(bucketOf(number));
        if (!sender.isNotified && sender.texts > limit) this.#setCandidates(true);
      }
      this.#write(day, changed);
    }
    this.#forget(today);
    // The limit may be lower by now. Objects end after seconds: if each read the limit, each flush would cost a call.
    if (now - this.meta.number('limitAt') >= OWNER_USED_LIMIT_MS) this.#setCandidates(true);
    return uncounted;
  }

  /** Makes facts from the numbers over the limit. Must run in a transaction. */
  makeFacts(limit: number, now: number): void {
    const client = this.meta.text('client');
    if (client === null || this.meta.number('shard') !== 0) {
      this.#setCandidates(false);
      return;
    }
    this.meta.set('limitAt', now);
    if (this.meta.number('limit') !== limit) this.meta.set('limit', limit);
    const today = koreanDayOf(now);
    const facts: OwnerFact[] = [];
    let dropped = 0;
    for (let day = today - DAYS_KEPT; day <= today; day++) {
      const senders = this.#day(day);
      let notified = 0;
      for (const { isNotified } of senders.values()) notified += isNotified ? 1 : 0;
      const changed = new Set<number>();
      for (const [number, sender] of senders) {
        if (sender.isNotified || sender.texts <= limit) continue;
        sender.isNotified = true;
        changed.add(bucketOf(number));
        if (++notified > OWNERS_PER_CLIENT_DAY_MAX) dropped++;
        else facts.push({ client, number, day, textsOver: limit, at: now });
      }
      this.#write(day, changed);
    }
    if (dropped > 0) {
      warn('ownersDropped', { client, owners: dropped });
      this.meta.set('ownersDropped', this.meta.number('ownersDropped') + dropped);
    }
    this.#addFacts(facts);
    this.#setCandidates(false);
  }

  /** Stores the flag, so that the next object continues. */
  #setCandidates(are: boolean): void {
    if (are !== this.#hasCandidates) this.meta.set('candidates', Number(are));
    this.#hasCandidates = are;
  }

  #addFacts(facts: readonly OwnerFact[]): void {
    const { n } = this.#sql.exec<{ n: number | null }>('SELECT MAX(n) AS n FROM owner_facts').one();
    let last = n ?? this.meta.number('factsSent');
    for (let from = 0; from < facts.length; from += OWNER_FACTS_MAX) {
      const batch = JSON.stringify(facts.slice(from, from + OWNER_FACTS_MAX));
      this.#sql.exec('INSERT INTO owner_facts VALUES (?, ?)', ++last, batch);
    }
  }

  /** The oldest texts that the first object does not have; null if there are none. */
  nextTexts(): TextBatch | null {
    const [row] = this.#sql
      .exec<{ n: number; texts: string }>('SELECT * FROM text_outbox ORDER BY n LIMIT 1')
      .toArray();
    return row === undefined ? null : { n: row.n, texts: JSON.parse(row.texts) as MobileTexts[] };
  }

  /** The oldest facts that the router does not have; null if there are none. */
  nextFacts(): FactBatch | null {
    const [row] = this.#sql
      .exec<{ n: number; facts: string }>('SELECT * FROM owner_facts ORDER BY n LIMIT 1')
      .toArray();
    return row === undefined ? null : { n: row.n, facts: JSON.parse(row.facts) as OwnerFact[] };
  }

  /**
   * Removes a batch that its receiver has. Must run in a transaction.
   * @param last batch of the receiver. If above `n`, these tables were set back, and their batches are renumbered after it
   */
  sent(kind: 'text_outbox' | 'owner_facts', n: number, last: number): void {
    if (last > n) {
      warn('textsSetBack', { n, last });
      const by = last + 1 - n;
      this.#sql.exec(`UPDATE ${kind} SET n = -(n + ?)`, by);
      this.#sql.exec(`UPDATE ${kind} SET n = -n`);
      return;
    }
    this.#sql.exec(`DELETE FROM ${kind} WHERE n <= ?`, n);
    this.meta.set(kind === 'text_outbox' ? 'textsSent' : 'factsSent', n);
  }

  #day(day: number): Map<number, Sender> {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const senders = new Map<number, Sender>();
    for (const { texts } of this.#sql.exec<{ texts: string }>('SELECT texts FROM texts WHERE day = ?', day))
      for (const [number, many, isNotified] of JSON.parse(texts) as StoredSender[])
        senders.set(number, { texts: many, isNotified: isNotified === 1 });
    this.#days.set(day, senders);
    return senders;
  }

  #write(day: number, buckets: ReadonlySet<number>): void {
    if (buckets.size === 0) return;
    const byBucket = Map.groupBy(this.#day(day), ([number]) => bucketOf(number));
    for (const bucket of buckets) {
      const senders = byBucket
        .get(bucket)!
        .map(([number, { texts, isNotified }]): StoredSender => [number, texts, isNotified ? 1 : 0]);
      this.#sql.exec('INSERT OR REPLACE INTO texts VALUES (?, ?, ?)', day, bucket, JSON.stringify(senders));
    }
  }

  #forget(today: number): void {
    const oldest = today - DAYS_KEPT;
    if (![...this.#days.keys()].some((day) => day < oldest)) return;
    for (const day of this.#days.keys()) if (day < oldest) this.#days.delete(day);
    this.#sql.exec('DELETE FROM texts WHERE day < ?', oldest);
  }
}

function bucketOf(number: number): number {
  return number % BUCKETS;
}

/** Sums texts to one row for each number and day. */
function summed(all: readonly MobileTexts[]): MobileTexts[] {
  const sums = new Map<string, [number: number, day: number, texts: number]>();
  for (const [number, day, texts] of all) {
    const known = sums.get(`${number} ${day}`);
    if (known === undefined) sums.set(`${number} ${day}`, [number, day, texts]);
    else known[2] += texts;
  }
  return [...sums.values()];
}
