/**
 * Counts of a month by name, as one source has them: `text-kind:loan`, `relay:ABCD`. The counts of several sources add
 * up. Cells of tables are sums and differences of counts, so each can be traced to its sources.
 */
import type { PartnerKind } from '../reports/partner.ts';
import type { ReportOrigin, ReportRoute, SpamKind } from '../reports/report.ts';
import type { Channel } from '../request.ts';
import { HOUR_MS, KOREA_MS } from '../time.ts';
import { type Dimension, OTHER } from '../usage/counts.ts';
import type { PeriodCounts } from '../usage/flush.ts';
import { VERDICTS } from '../verdict.ts';
import type { AppealMonth, MonthCount, RuleBlockMonth } from './figures.ts';

export type Counts = Readonly<Record<string, number>>;

/** Durations of a month. Each table has only one source of durations. */
export interface Durations {
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}

/** The data of one source for a month. */
export interface Reading {
  readonly counts: Counts;
  readonly durations: Durations | null;
}

/** The values that the integer of traits packs. */
export interface ReportTraits {
  readonly channel: Channel;
  readonly spam: SpamKind;
  readonly origin: ReportOrigin;
  readonly route: ReportRoute | null;
}

class Tally {
  readonly counts: Record<string, number> = {};

  add(name: string, count: number): void {
    if (count !== 0) this.counts[name] = (this.counts[name] ?? 0) + count;
  }
}

/** Reports that were acknowledged and not withdrawn. Each has one `source:…`, and is text spam, voice spam or not spam. */
export function countsOfReports(
  months: readonly MonthCount[],
  kind: PartnerKind,
  traitsOf: (packed: number) => ReportTraits,
): Counts {
  const tally = new Tally();
  for (const { facet, name, acknowledged, withdrawn } of months) {
    const count = acknowledged - withdrawn;
    if (facet !== 'traits') {
      tally.add(`${facet}:${name}`, count);
      continue;
    }
    const { channel, spam, origin, route } = traitsOf(Number(name));
    tally.add(`source:${kind}`, count);
    if (spam === 'notSpam') {
      tally.add('notSpam', count);
      continue;
    }
    const medium = channel === 'sms' ? 'text' : 'voice';
    tally.add(`${medium}-kind:${spam}`, count);
    tally.add(`${medium}-route:${route ?? 'notStated'}`, count);
    if (medium === 'text') tally.add(`text-origin:${origin}`, count);
  }
  return tally.counts;
}

const BLOCK = VERDICTS.indexOf('block');
const BLOCK_DIMENSIONS: readonly Dimension[] = ['channel', 'code', 'list', 'country', 'operator'];

/** Blocked requests of a client. Hours are those of Korea. Days whose hours are no longer kept count for no hour. */
export function countsOfChecks(periods: readonly PeriodCounts[]): Counts {
  const tally = new Tally();
  for (const { hour, hours, counts } of periods) {
    const blocked = (by: Dimension): (readonly [string, number])[] =>
      (counts.by[by] ?? []).map(([name, ...verdicts]) => [name, verdicts[BLOCK] ?? 0]);
    for (const by of BLOCK_DIMENSIONS)
      for (const [name, count] of blocked(by)) tally.add(`block-${by}:${name === OTHER ? '' : name}`, count);
    const all = blocked('channel').reduce((sum, [, count]) => sum + count, 0);
    const clock = new Date(hour * HOUR_MS + KOREA_MS).getUTCHours();
    if (hours === 1) tally.add(`block-hour:${String(clock).padStart(2, '0')}`, all);
  }
  return tally.counts;
}

export function readingOfAppeals({ filed, decided, ...durations }: AppealMonth): Reading {
  const tally = new Tally();
  tally.add('appeals-filed', filed);
  for (const [state, count] of Object.entries(decided)) tally.add(`appeals:${state}`, count);
  return { counts: tally.counts, durations };
}

export function readingOfRuleBlocks({ began, ended, ...durations }: RuleBlockMonth): Reading {
  const tally = new Tally();
  tally.add('rule-blocks-begun', began);
  for (const [state, count] of Object.entries(ended)) tally.add(`rule-blocks:${state}`, count);
  return { counts: tally.counts, durations };
}

/** Notices of one month and type. */
export interface NoticeFigures {
  readonly type: string;
  readonly notices: number;
  readonly delivered: number;
  readonly acknowledged: number;
  readonly informed: number;
}

export function countsOfNotices(months: readonly NoticeFigures[]): Counts {
  const tally = new Tally();
  for (const { type, notices, delivered, acknowledged, informed } of months) {
    tally.add(`notices:${type}`, notices);
    tally.add(`notices-delivered:${type}`, delivered);
    tally.add(`notices-answered:${type}`, acknowledged);
    tally.add('subscribers-informed', informed);
  }
  return tally.counts;
}

export function sumOfCounts(all: Iterable<Counts>): Counts {
  const tally = new Tally();
  for (const counts of all) for (const [name, count] of Object.entries(counts)) tally.add(name, count);
  return tally.counts;
}

/** Names of one group, such as `relay`, and their counts. The empty name stands for names that were not kept apart. */
export function groupOf(counts: Counts, group: string): ReadonlyMap<string, number> {
  const start = `${group}:`;
  return new Map(
    Object.entries(counts).flatMap(([name, count]) =>
      name.startsWith(start) ? [[name.slice(start.length), count] as const] : [],
    ),
  );
}
