/**
 * Sends flushes of an intake: first to the budgets of the reporters, then to the counts of the subjects. Each object gets
 * one call with many rows. If any fails, the whole flush is sent again, and those that have it ignore it.
 */
import { DAY_MS, FLUSH_CALLS_MAX, FLUSH_WAIT_MS } from '../../shared/limits/intake.ts';
import type { ControlEnv } from '../env.ts';
import { warn } from '../log.ts';
import { type CountSource, shardOf } from '../storage/reports-port.ts';
import { within } from '../storage/single-flight.ts';
import type { FlushEnd, IntakeOutbox } from './intake-outbox.ts';
import type { IntakeStore } from './intake-store.ts';

type Objects = Pick<ControlEnv, 'REPORTERS' | 'SUBJECTS'>;

export class FlushSender {
  readonly #outbox: IntakeOutbox;
  readonly #store: IntakeStore;
  readonly #objects: () => Objects;
  /** Shards that have the flush under way. In memory only: after a restart all get it again. */
  #done = new Set<string>();

  constructor(outbox: IntakeOutbox, store: IntakeStore, objects: () => Objects) {
    this.#outbox = outbox;
    this.#store = store;
    this.#objects = objects;
  }

  /** Sends the next flush, if there is one. @throws if an object does not respond */
  async send(source: CountSource): Promise<void> {
    const end = this.#outbox.admitted ?? (await this.#admit(source.id));
    if (end === null) return;
    await this.#count(source, end);
    this.#outbox.finish(end);
    this.#done.clear();
  }

  async #admit(partner: string): Promise<FlushEnd | null> {
    const end = this.#outbox.next();
    if (end === null) return null;
    const byBudget = Map.groupBy(this.#outbox.unadmitted(end), ({ reporter, received }) =>
      [shardOf(reporter), Math.floor(received / DAY_MS)].join(' '),
    );
    const overBudget: number[] = [];
    await eachOf(byBudget, async ([key, reports]) => {
      const [shard = '', day = ''] = key.split(' ');
      const pairs = reports.map(({ reporter, subject }) => [reporter, subject] as const);
      const budget = this.#objects().REPORTERS.getByName(shard);
      const over = await within(budget.admit(partner, Number(day), pairs), FLUSH_WAIT_MS);
      overBudget.push(...over.map((index) => reports[index]!.seq));
    });
    this.#outbox.admit(end, overBudget, this.#store);
    return end;
  }

  async #count(source: CountSource, end: FlushEnd): Promise<void> {
    const { rows, seals } = this.#outbox.content(end);
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
    if (ahead === 0) return;
    warn('reportsSetBack', { intake: source.intake, n: end.n, last: ahead });
    this.#outbox.renumber(end, ahead);
    throw new Error('the flush has another number now');
  }
}

/** A few at a time. All run to their end, also after a failure. @throws the first failure */
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
