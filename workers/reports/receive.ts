/** Takes reports of a partner: parses, keys and keeps each, and answers in the order of the items. */
import * as v from 'valibot';
import { isRecord } from '../../shared/fields.ts';
import { type ItemError, parseReport, type Report, reportIdSchema } from '../../shared/reports/report.ts';
import { type Failure, ok, type Result } from '../../shared/result.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import {
  type Acceptance,
  type IntakePartner,
  intakeOf,
  type Partner,
  type ReportStatus,
} from '../storage/reports-port.ts';
import { type KeyedReport, keyReports } from './keying.ts';

type ReceivedCode = ItemError['code'] | 'REPORT_CONFLICT' | 'QUOTA_EXCEEDED' | 'UNAVAILABLE';

export interface ReceivedError extends Failure<ReceivedCode> {
  readonly field: string;
  /** Seconds until the same report may be accepted. */
  readonly retryAfterSeconds?: number;
}

/** The result for one item. */
export interface Received {
  /** Null if the item has no valid ID. */
  readonly reportId: string | null;
  readonly result: Result<ReportStatus, ReceivedError>;
}

/** Receives reports. The results are in the order of the items. */
export async function receive(
  items: readonly unknown[],
  partner: Partner,
  env: ControlEnv,
): Promise<readonly Received[]> {
  const now = Date.now();
  const parsed = items.map((item) => parseReport(item, now, partner));
  const reports = parsed.flatMap((each) => (each.ok ? each.value : []));
  const kept = await keep(reports, partner, env);
  let next = 0;
  return parsed.map((each, index): Received => {
    if (!each.ok) return { reportId: reportIdOf(items[index]), result: each };
    const acceptance = kept[next++]!;
    return { reportId: each.value.reportId, result: resultOf(acceptance, partner, now) };
  });
}

/** @returns in the order of the reports; null for a report whose intake did not respond */
async function keep(
  reports: readonly Report[],
  partner: Partner,
  env: ControlEnv,
): Promise<readonly (Acceptance | null)[]> {
  if (reports.length === 0) return [];
  const answers = new Map<KeyedReport, Acceptance>();
  let keyed: readonly KeyedReport[] = [];
  try {
    keyed = await keyReports(reports, partner.mock, env);
  } catch (error) {
    warnFailed('reportsNotKept', error);
    return reports.map(() => null);
  }
  const byIntake = Map.groupBy(keyed, ({ kept }) => intakeOf(partner, kept.reportId));
  await Promise.all(
    [...byIntake].map(async ([intake, own]) => {
      const { id, kind, mock, slices, reportsPerDay } = partner;
      const source: IntakePartner = {
        ...{ intake, id, kind, mock },
        reportsPerDay: Math.ceil(reportsPerDay / slices),
      };
      const seals = Object.fromEntries(own.map(({ kept, seal }) => [kept.subject, seal]));
      try {
        const accepted = await env.REPORTS.getByName(intake).accept(
          source,
          own.map(({ kept }) => kept),
          seals,
        );
        own.forEach((report, index) => {
          answers.set(report, accepted[index]!);
        });
      } catch (error) {
        warnFailed('reportsNotKept', error);
      }
    }),
  );
  return keyed.map((report) => answers.get(report) ?? null);
}

function resultOf(
  acceptance: Acceptance | null,
  { reportsPerDay }: Partner,
  now: number,
): Received['result'] {
  switch (acceptance) {
    case 'accepted':
    case 'known':
    case 'withdrawn':
      return ok(acceptance);
    case 'conflict':
      return itemError('REPORT_CONFLICT', 'was used for a report with other content: choose another');
    case 'conflictWithdrawn':
      return itemError('REPORT_CONFLICT', 'was used for a report that was withdrawn: choose another');
    case 'dayFull': {
      const detail = `exceeds the partner's limit of ${reportsPerDay} reports a day: send it again after midnight UTC`;
      const retryAfterSeconds = Math.ceil((DAY_MS - (now % DAY_MS)) / 1000);
      return { ...itemError('QUOTA_EXCEEDED', detail), retryAfterSeconds };
    }
    case 'minuteFull': {
      const retryAfterSeconds = MINUTE_MS / 1000;
      return {
        ...itemError(
          'QUOTA_EXCEEDED',
          "exceeds the partner's limit of reports a minute: send it again later",
        ),
        retryAfterSeconds,
      };
    }
    case null:
      return itemError('UNAVAILABLE', 'was not stored, because a store did not respond: send it again');
  }
}

function itemError(code: ReceivedCode, detail: string): ReceivedError {
  return { ok: false, code, field: 'reportId', message: `"reportId" ${detail}` };
}

function reportIdOf(item: unknown): string | null {
  const parsed = v.safeParse(reportIdSchema, isRecord(item) ? item.reportId : null);
  return parsed.success ? parsed.output : null;
}

/** The result as a response shows it, in a list or a line. @param line its number, which locates a report without an ID */
export function formatReceived({ reportId, result }: Received, line?: number): object {
  if (result.ok) return { reportId, status: result.value };
  const { code, message, field } = result;
  const at = reportId === null && line !== undefined ? { line } : {};
  return { reportId, ...at, error: { code, message, field } };
}
