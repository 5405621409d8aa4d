/** Makes notices from the events of the feed, a page at a time. */
import type { PartyEvent } from '../../shared/feed/entry.ts';
import {
  NOTICE_WAIT_MS,
  REPORT_FACTS_ATTEMPTS,
  ROUTED_EVENTS_MAX,
} from '../../shared/limits/notice-sources.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import {
  needsFacts,
  needsReports,
  type ReportFacts,
  type RoutingFacts,
  routeEvent,
} from '../../shared/notices/routing.ts';
import { koreanDayOf } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { FEED_NAME, isPartyEvent } from '../storage/feed-port.ts';
import type { NoticeOutbox } from '../storage/notice-outbox.ts';
import { type Holder, holdersOf } from '../storage/registered-holders.ts';
import { within } from '../storage/single-flight.ts';
import type { Operators } from './operators.ts';
import { reportFactsOf } from './report-facts.ts';
import type { RouterTables } from './router-tables.ts';

type Facts = Omit<RoutingFacts, 'charge'>;

export class FeedRouting {
  readonly #storage: DurableObjectStorage;
  readonly #env: ControlEnv;
  readonly #tables: RouterTables;
  readonly #outbox: NoticeOutbox;
  readonly #operators: Operators;
  /** Consecutive failures to read the reports. */
  #reportFailures = 0;

  constructor(
    storage: DurableObjectStorage,
    env: ControlEnv,
    tables: RouterTables,
    outbox: NoticeOutbox,
    operators: Operators,
  ) {
    this.#storage = storage;
    this.#env = env;
    this.#tables = tables;
    this.#outbox = outbox;
    this.#operators = operators;
  }

  /** Routes the next events. @returns false if there are none @throws if data that they need cannot be read now */
  async step(): Promise<boolean> {
    const { meta } = this.#tables;
    const after = meta.number('position');
    const feed = this.#env.FEED.getByName(FEED_NAME);
    // Read the last event again: its digest shows whether this is still the same feed.
    const read = await within(feed.events(Math.max(0, after - 1), ROUTED_EVENTS_MAX), NOTICE_WAIT_MS);
    const { first, last } = read;
    if (last === 0) return false;
    const again = read.events.find(({ position }) => position === after);
    if (last < after || (again !== undefined && again.digest !== meta.text('digest'))) {
      // The feed lost its tables and began anew. The stored senders keep old blocks from causing notices again.
      warn('noticesFeedReset', { position: after, last });
      this.#restart(first - 1);
      return true;
    }
    const events = read.events.filter(({ position }) => position > after);
    if (events.length === 0) return false;
    if (first > after + 1) warn('noticesSkipped', { events: first - after - 1 });
    // Campaigns and hosts concern no sender.
    const own = events.filter(isPartyEvent);
    const facts = await this.#facts(own);
    this.#storage.transactionSync(() => {
      this.#route(own, facts);
      const { position, digest } = events.at(-1)!;
      meta.set('position', position);
      meta.set('digest', digest);
    });
    return true;
  }

  #restart(position: number): void {
    const { meta } = this.#tables;
    this.#storage.transactionSync(() => {
      meta.set('position', Math.max(0, position));
      meta.set('feed', meta.number('feed') + 1);
    });
  }

  #route(events: readonly PartyEvent[], facts: ReadonlyMap<string, Facts>): void {
    const { meta } = this.#tables;
    const feed = String(meta.number('feed'));
    const day = koreanDayOf(Date.now());
    const notices: (readonly [string, NewNotice])[] = [];
    const dropped = new Map<string, number>();
    const charge = (operator: string): boolean => {
      const isAllowed = this.#tables.chargeOperator(operator, 'blocked', day);
      if (!isAllowed) dropped.set(operator, (dropped.get(operator) ?? 0) + 1);
      return isAllowed;
    };
    for (const event of events) {
      const { reference, position } = event;
      const known = this.#tables.sender(reference);
      const own = facts.get(reference);
      const routed = routeEvent(event, known, own === undefined ? null : { ...own, charge }, feed);
      if (routed.row !== known) this.#tables.putSender(reference, position, routed.row);
      notices.push(...routed.notices);
    }
    for (const [organisation, many] of dropped) warn('guidanceDropped', { organisation, notices: many });
    this.#outbox.addAll(notices);
  }

  /** Reads the facts by reference. Some may be unnecessary, because earlier events of the page change what is known. */
  async #facts(events: readonly PartyEvent[]): Promise<ReadonlyMap<string, Facts>> {
    const needed = new Map<string, PartyEvent>();
    const reported = new Map<string, PartyEvent>();
    const changed = new Set<string>();
    for (const event of events) {
      const { reference } = event;
      // An earlier event of the page changes what is known of the sender, so assume nothing.
      const known = changed.has(reference) ? null : this.#tables.sender(reference);
      changed.add(reference);
      if (!needsFacts(event, known)) continue;
      needed.set(reference, event);
      if (needsReports(event, known)) reported.set(reference, event);
    }
    if (needed.size === 0) return new Map();
    const all = [...needed.values()];
    const numbers = all.map(({ entry }) => (entry?.number == null ? null : Number(entry.number)));
    const known = numbers.filter((n) => n !== null);
    const holders = await holdersOf(known, this.#env);
    const holdersByNumber = new Map<number, readonly Holder[]>(known.map((n, at) => [n, holders[at]!]));
    const operators = reported.size === 0 ? [] : await this.#operators.read();
    const hasReports = operators.length > 0;
    const reports = hasReports ? await this.#reports([...reported.values()]) : new Map<string, ReportFacts>();
    return new Map(
      all.map(({ reference }, index): [string, Facts] => {
        const n = numbers[index] ?? null;
        const registered = n === null ? [] : holdersByNumber.get(n)!.map(({ organisation }) => organisation);
        return [reference, { registered, operators, reports: reports.get(reference) ?? null }];
      }),
    );
  }

  async #reports(events: readonly PartyEvent[]): Promise<Map<string, ReportFacts>> {
    try {
      const facts = await reportFactsOf(
        events.map(({ entry }) => ({ number: entry!.number, source: entry!.source })),
        this.#env,
      );
      this.#reportFailures = 0;
      return new Map(
        events.flatMap(({ reference }, index) => {
          const own = facts[index] ?? null;
          return own === null ? [] : [[reference, own] as const];
        }),
      );
    } catch (error) {
      this.#reportFailures++;
      if (this.#reportFailures < REPORT_FACTS_ATTEMPTS) throw error;
      warnFailed('reportFactsNotRead', error);
      this.#reportFailures = 0;
      return new Map();
    }
  }
}
