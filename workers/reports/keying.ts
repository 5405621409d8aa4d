/**
 * Keys reports in the isolate that receives them: whatever follows has neither the number that was reported nor the
 * reporter. Each subject of a request is keyed and sealed once.
 */
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { REPORT_KEY_FRESH_MS } from '../../shared/limits/intake.ts';
import type { Report, ReportSubject } from '../../shared/reports/report.ts';
import { ReportKeys } from '../../shared/reports/report-keys.ts';
import type { ControlEnv } from '../env.ts';
import type { KeptReport } from '../storage/reports-port.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import { within } from '../storage/single-flight.ts';

/** A report with the seal of its subject. */
export interface KeyedReport {
  readonly kept: KeptReport;
  readonly seal: string;
}

interface KeyedSubject {
  readonly key: string;
  readonly seal: string;
}

/** Of this isolate. */
let opened: { readonly keys: Promise<ReportKeys>; readonly at: number } | null = null;

/** Resets all state, as a new isolate would. */
export function resetReportKeys(): void {
  opened = null;
}

/** @throws if the desk does not respond */
export async function reportKeys({ RESPONSE }: ControlEnv): Promise<ReportKeys> {
  const now = Date.now();
  if (opened === null || now - opened.at > REPORT_KEY_FRESH_MS) {
    const secret = await within(RESPONSE.getByName(RESPONSE_NAME).reportKey(), LOAD_WAIT_MS);
    opened = { keys: ReportKeys.open(secret), at: now };
  }
  return opened.keys;
}

/** @param mock whether a mock partner sent them @throws if the desk does not respond */
export async function keyReports(
  reports: readonly Report[],
  mock: boolean,
  env: ControlEnv,
): Promise<readonly KeyedReport[]> {
  const keys = await reportKeys(env);
  const subjects = new Map<string, Promise<KeyedSubject>>();
  const keyedSubject = (subject: ReportSubject): Promise<KeyedSubject> => {
    const name = subject.kind === 'number' ? String(subject.n) : `source ${subject.text}`;
    const known = subjects.get(name);
    if (known !== undefined) return known;
    const keyed = Promise.all([keys.subject(subject, mock), keys.seal(subject)]).then(
      ([key, seal]): KeyedSubject => ({ key, seal }),
    );
    subjects.set(name, keyed);
    return keyed;
  };
  return Promise.all(
    reports.map(async (report) => {
      const [{ key, seal }, reporter] = await Promise.all([
        keyedSubject(report.subject),
        keys.reporter(report.reporter),
      ]);
      return { kept: { ...report, subject: key, reporter }, seal };
    }),
  );
}
