/** Reads the sources of a month, which are the objects that have the counts. Each reading is counts by name. */

import { ORGANISATIONS_MAX } from '../../shared/limits/control.ts';
import { SOURCE_WAIT_MS } from '../../shared/limits/statistics.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { QualificationInfo } from '../../shared/senders/qualification.ts';
import {
  type Counts,
  countsOfChecks,
  countsOfNotices,
  countsOfReports,
  type Reading,
  readingOfAppeals,
  readingOfRuleBlocks,
} from '../../shared/statistics/counts.ts';
import { endOf, startOf } from '../../shared/statistics/month.ts';
import { HOUR_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { unpackTraits } from '../reports/traits.ts';
import { APPEALS_NAME } from '../storage/appeals-port.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { intakesOf } from '../storage/reports-port.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import { within } from '../storage/single-flight.ts';
import type { NoticeMonths, StatisticsSource } from '../storage/statistics-port.ts';
import { historyOf } from '../storage/usage-history.ts';

/** Time within which a due inspection is counted, in ms: 30 days. */
const INSPECTIONS_MS = 2_592_000_000;

/** Names of sources: a word for the kind of object, and its name. */
export const REPORTS = 'reports ';
const CHECKS = 'checks ';
const NOTICES = 'notices ';

export class Sources {
  readonly #env: () => ControlEnv;

  constructor(env: () => ControlEnv) {
    this.#env = env;
  }

  get coordinator(): StatisticsSource {
    return this.#env().COORDINATOR.getByName(COORDINATOR_NAME) as unknown as StatisticsSource;
  }

  /** Names of the intakes of the present partners. */
  async intakes(): Promise<string[]> {
    const { partners } = await within(this.coordinator.partners(), SOURCE_WAIT_MS);
    return partners.flatMap((partner) => [...intakesOf(partner)]);
  }

  organisations(): Promise<readonly Organisation[]> {
    return within(this.coordinator.organisations(), SOURCE_WAIT_MS);
  }

  /** IDs of clients that check real traffic. */
  async clients(): Promise<string[]> {
    const clients = await within(this.coordinator.clients(), SOURCE_WAIT_MS);
    return clients.filter(({ mock }) => mock !== true).map(({ id }) => id);
  }

  forReports(intakes: readonly string[]): string[] {
    return intakes.map((intake) => REPORTS + intake);
  }

  forChecks(clients: readonly string[]): string[] {
    return clients.map((client) => CHECKS + client);
  }

  /** All sources except reports and checks. */
  async forClose(): Promise<string[]> {
    const organisations = await this.organisations();
    return ['appeals', 'certification', 'rule-blocks', ...organisations.map(({ id }) => NOTICES + id)];
  }

  /** @throws if the object does not respond */
  read(source: string, month: string): Promise<Reading & { readonly first?: string | null }> {
    return within(this.#read(source, month), SOURCE_WAIT_MS);
  }

  async #read(source: string, month: string): Promise<Reading & { readonly first?: string | null }> {
    const env = this.#env();
    const [from, to] = [startOf(month), endOf(month)];
    const plain = (counts: Counts): Reading => ({ counts, durations: null });
    if (source.startsWith(REPORTS)) {
      const { partner, first, counts } = await env.REPORTS.getByName(source.slice(REPORTS.length)).month(
        month,
      );
      if (partner === null || partner.mock) return plain({});
      return { ...plain(countsOfReports(counts, partner.kind, unpackTraits)), first };
    }
    if (source.startsWith(CHECKS)) {
      if (env.USAGE === undefined) return plain({});
      const span = { from: from / HOUR_MS, to: to / HOUR_MS };
      return plain(countsOfChecks((await historyOf(source.slice(CHECKS.length), span, env.USAGE)).periods));
    }
    if (source.startsWith(NOTICES)) {
      const store = env.NOTICES.getByName(source.slice(NOTICES.length)) as unknown as NoticeMonths;
      return plain(countsOfNotices(await store.totals(month, month)));
    }
    if (source === 'appeals')
      return readingOfAppeals(await env.APPEALS.getByName(APPEALS_NAME).month(from, to));
    if (source === 'rule-blocks')
      return readingOfRuleBlocks(await env.RESPONSE.getByName(RESPONSE_NAME).month(from, to));
    return plain(
      countsOfRegister(await this.coordinator.qualifications({ limit: ORGANISATIONS_MAX }), Date.now()),
    );
  }
}

/** Counts of the public register at the time of reading. @param now ms since 1970 */
function countsOfRegister(qualifications: readonly QualificationInfo[], now: number): Counts {
  const counts: Record<string, number> = {};
  const add = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const { state, nextInspectionBy } of qualifications) {
    add(`certification:${state}`);
    if (nextInspectionBy !== null && Date.parse(nextInspectionBy) <= now + INSPECTIONS_MS)
      add('inspections-due');
  }
  return counts;
}
