/** The status of a store of notices, for metrics. Counts are bounded, so that nobody can make them expensive. */
import { NOTICES_COUNTED_MAX } from '../../shared/limits/notices.ts';
import type { OwnFigures } from '../storage/figure-reporter.ts';
import type { NoticesStatus } from '../storage/notices-port.ts';
import type { Tables } from './tables.ts';

/** The status as figures; null before the first notice or webhook. */
export function figuresOf(tables: Tables, now: number): OwnFigures | null {
  if (tables.organisation === '') return null;
  const { notices: kept, pending, oldestPendingAt, failed, webhooks, overdue } = statusOf(tables, now);
  const changesAt = tables.notices.nextOverdueAt(now);
  return {
    ...{ kind: 'notices', source: tables.organisation, waitingSince: oldestPendingAt },
    figures: { kept, pending, failed, overdue, ...webhooks },
    // Guidance is overdue after that time, not at that time.
    changesAt: changesAt === null ? null : changesAt + 1,
  };
}

export function statusOf({ storage, notices, webhooks, deliveries }: Tables, now: number): NoticesStatus {
  const { all } = webhooks;
  const many = (state: string): number => all.filter((webhook) => webhook.state === state).length;
  const waiting = all
    .filter(({ state }) => state === 'enabled')
    .map(({ position, types }) => ({
      many: notices.countAfter(position, types),
      since: notices.next(position, types)?.keptAt ?? null,
    }));
  const times = waiting.map(({ since }) => since).filter((time) => time !== null);
  return {
    notices: notices.count,
    pending: Math.min(
      waiting.reduce((sum, each) => sum + each.many, 0),
      NOTICES_COUNTED_MAX,
    ),
    oldestPendingAt: times.length === 0 ? null : Math.min(...times),
    failed: deliveries.failed,
    webhooks: { enabled: many('enabled'), disabled: many('disabled'), gone: many('gone') },
    overdue: notices.overdue(now),
    bytes: storage.sql.databaseSize,
  };
}
