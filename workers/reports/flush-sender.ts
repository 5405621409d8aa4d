/**
 * Sends flushes of an intake: first the texts to the text store, which assigns their campaigns; then to the budgets of
 * the reporters; then to the counts of the subjects. Each object gets one call with many rows. If a call fails, the whole
 * flush is sent again, and objects that already have it ignore it.
 */
import { TEXTS_WAIT_MS } from '../../shared/limits/campaigns.ts';
import { FLUSH_CALLS_MAX, FLUSH_WAIT_MS } from '../../shared/limits/intake.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { type CountSource, shardOf } from '../storage/reports-port.ts';
import { within } from '../storage/single-flight.ts';
import { TEXT_NAME } from '../storage/text-port.ts';
import type { FlushEnd, IntakeOutbox, KeyedCampaigns, Unadmitted } from './intake-outbox.ts';
import type { IntakeStore } from './intake-store.ts';
import { keySubject, reportKeys } from './keying.ts';

type Objects = Pick<ControlEnv, 'REPORTERS' | 'SUBJECTS' | 'TEXT' | 'RESPONSE'>;

/** One charge to a budget. A reporter has a budget for senders, and one for campaigns. */
interface Charge extends Pick<Unadmitted, 'seq' | 'reporter' | 'subject' | 'received'> {
  readonly of: 'senders' | 'campaigns';
}

export class FlushSender {
  readonly #outbox: IntakeOutbox;
  readonly #store: IntakeStore;
  readonly #objects: () => Objects;
  /** Shards that already have the current flush. In memory only: after a restart, all shards get it again. */
  #done = new Set<string>();
  /** When the text store stopped responding, in ms since 1970. In memory only. */
  #failingSince: number | null = null;

  constructor(outbox: IntakeOutbox, store: IntakeStore, objects: () => Objects) {
    this.#outbox = outbox;
    this.#store = store;
    this.#objects = objects;
  }

  /** Sends the next flush, if there is one. @throws if an object does not respond */
  async send(source: CountSource): Promise<void> {
    const end = this.#outbox.admitted ?? this.#outbox.begin();
    if (end === null) return;
    await this.#recognise(source, end);
    const campaigns = await this.#keyed(this.#outbox.campaignsIn(end));
    if (this.#outbox.admitted === null) await this.#admit(source.id, end, campaigns);
    await this.#count(source, end, campaigns);
    this.#outbox.finish(end);
    this.#done.clear();
  }

  /** Gives the texts of the flush their campaigns. */
  async #recognise({ intake, id: partner }: CountSource, end: FlushEnd): Promise<void> {
    const texts = this.#outbox.unrecognised(end);
    if (texts.length === 0) return;
    const seqs = texts.map(({ seq }) => seq);
    const reported = texts.map(({ seq: _, ...each }) => each);
    const store = this.#objects().TEXT.getByName(TEXT_NAME);
    const call = within(store.campaignsOf({ intake, partner, n: end.n }, reported), FLUSH_WAIT_MS);
    const found = await call.catch((error: unknown) => {
      const now = Date.now();
      this.#failingSince ??= now;
      if (now - this.#failingSince < TEXTS_WAIT_MS) throw error;
      warnFailed('textsNotRecognised', error, { intake, texts: texts.length });
      return null;
    });
    if (found === null) {
      this.#outbox.recognise(seqs, []);
      return;
    }
    this.#failingSince = null;
    if (found.ids === null) this.#renumber(intake, end, found.last);
    this.#outbox.recognise(seqs, found.ids);
  }

  async #keyed(ids: readonly number[]): Promise<KeyedCampaigns> {
    if (ids.length === 0) return new Map();
    const keys = await reportKeys(this.#objects());
    const keyed = await Promise.all(ids.map((id) => keySubject({ kind: 'campaign', id }, false, keys)));
    return new Map(ids.map((id, index) => [id, keyed[index]!]));
  }

  async #admit(partner: string, end: FlushEnd, campaigns: KeyedCampaigns): Promise<void> {
    const charges = this.#outbox.unadmitted(end).flatMap((report): Charge[] => {
      const keyed = report.campaign === null ? undefined : campaigns.get(report.campaign);
      const ofSender: Charge = { ...report, of: 'senders' };
      return keyed === undefined
        ? [ofSender]
        : [ofSender, { ...report, subject: keyed.key, of: 'campaigns' }];
    });
    const byBudget = Map.groupBy(charges, ({ reporter, received, of }) =>
      [shardOf(reporter), Math.floor(received / DAY_MS), of].join(' '),
    );
    const over: Record<Charge['of'], number[]> = { senders: [], campaigns: [] };
    await eachOf(byBudget, async ([key, own]) => {
      const [shard = '', day = ''] = key.split(' ');
      const { of } = own[0]!;
      const pairs = own.map(({ reporter, subject }) => [reporter, subject] as const);
      const budget = this.#objects().REPORTERS.getByName(shard);
      const name = of === 'senders' ? partner : `${partner}/${of}`;
      const found = await within(budget.admit(name, Number(day), pairs), FLUSH_WAIT_MS);
      over[of].push(...found.map((index) => own[index]!.seq));
    });
    this.#outbox.admit(end, over, this.#store);
  }

  async #count(source: CountSource, end: FlushEnd, campaigns: KeyedCampaigns): Promise<void> {
    const { rows, seals } = this.#outbox.content(end, campaigns);
    let ahead = 0;
    await eachOf(
      Map.groupBy(rows, ({ subject }) => shardOf(subject)),
      async ([shard, own]) => {
        if (this.#done.has(shard)) return;
        const ownSeals = Object.fromEntries(own.map(({ subject }) => [subject, seals[subject] ?? '']));
        const counts = this.#objects().SUBJECTS.getByName(shard);
        const { last } = await within(counts.apply(source, end.n, own, ownSeals), FLUSH_WAIT_MS);
        if (last > end.n) ahead = Math.max(ahead, last);
        else this.#done.add(shard);
      },
    );
    if (ahead > 0) this.#renumber(source.intake, end, ahead);
  }

  /** Gives the flush a new number. @throws always, so that the flush begins again */
  #renumber(intake: string, end: FlushEnd, last: number): never {
    warn('reportsSetBack', { intake, n: end.n, last });
    this.#outbox.renumber(end, last);
    throw new Error('the flush has another number now');
  }
}

/** Works on a few items at a time. After a failure, the other items still run to their end. @throws the first failure */
async function eachOf<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items];
  let failure: { readonly error: unknown } | null = null;
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: FLUSH_CALLS_MAX }, lane));
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}
