/**
 * Keys reports in the isolate that receives them, so that no object gets the reported number, the reporter or the text in
 * clear. Each subject of a request is keyed and sealed once. Without TEXT_KEY, texts are dropped.
 */
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { REPORT_KEY_FRESH_MS } from '../../shared/limits/intake.ts';
import type { Report, ReportSubject } from '../../shared/reports/report.ts';
import { ReportKeys } from '../../shared/reports/report-keys.ts';
import { type FingerprintKey, fingerprintOf } from '../../shared/text/fingerprint.ts';
import { readText } from '../../shared/text/text.ts';
import type { ControlEnv } from '../env.ts';
import type { KeptReport, TextFingerprint } from '../storage/reports-port.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import { within } from '../storage/single-flight.ts';
import { textKeyOf } from '../storage/text-secrets.ts';

/** A report with the seal of its subject. */
export interface KeyedReport {
  readonly kept: KeptReport;
  readonly seal: string;
}

export interface KeyedSubject {
  readonly key: string;
  readonly seal: string;
}

/** The keys of this isolate. */
let opened: { readonly keys: Promise<ReportKeys>; readonly at: number } | null = null;

/** Resets all state, as a new isolate would. */
export function resetReportKeys(): void {
  opened = null;
}

/** @throws if the desk does not respond */
export async function reportKeys({ RESPONSE }: Pick<ControlEnv, 'RESPONSE'>): Promise<ReportKeys> {
  const now = Date.now();
  if (opened === null || now - opened.at > REPORT_KEY_FRESH_MS) {
    const secret = await within(RESPONSE.getByName(RESPONSE_NAME).reportKey(), LOAD_WAIT_MS);
    opened = { keys: ReportKeys.open(secret), at: now };
  }
  return opened.keys;
}

/** @param mock whether a mock partner sent the reports @throws if the desk does not respond */
export async function keyReports(
  reports: readonly Report[],
  mock: boolean,
  env: ControlEnv,
): Promise<readonly KeyedReport[]> {
  const keys = await reportKeys(env);
  const textKey = await textKeyFor(mock, env);
  const subjects = new Map<string, Promise<KeyedSubject>>();
  const keyedSubject = (subject: ReportSubject): Promise<KeyedSubject> => {
    const name = nameOf(subject);
    const known = subjects.get(name);
    if (known !== undefined) return known;
    const keyed = keySubject(subject, mock, keys);
    subjects.set(name, keyed);
    return keyed;
  };
  return Promise.all(
    reports.map(async ({ text, ...report }) => {
      const [{ key, seal }, reporter] = await Promise.all([
        keyedSubject(report.subject),
        keys.reporter(report.reporter),
      ]);
      const fingerprint = text === null || textKey === null ? null : fingerprintIn(text, textKey);
      return { kept: { ...report, subject: key, reporter, fingerprint }, seal };
    }),
  );
}

/** Null if texts are dropped: texts of mock partners are not real, and without TEXT_KEY there are no fingerprints. */
async function textKeyFor(mock: boolean, env: ControlEnv): Promise<FingerprintKey | null> {
  if (mock) return null;
  const opened = await textKeyOf(env);
  return opened.ok ? opened.value : null;
}

export async function keySubject(
  subject: ReportSubject,
  mock: boolean,
  keys: ReportKeys,
): Promise<KeyedSubject> {
  const [key, seal] = await Promise.all([keys.subject(subject, mock), keys.seal(subject)]);
  return { key, seal };
}

function nameOf(subject: ReportSubject): string {
  switch (subject.kind) {
    case 'number':
      return String(subject.n);
    case 'source':
      return `source ${subject.text}`;
    case 'campaign':
      return `campaign ${subject.id}`;
  }
}

/** Null if the text is too short to be recognised. */
function fingerprintIn(text: string, key: FingerprintKey): TextFingerprint | null {
  const values = fingerprintOf(readText(text), key);
  return values === null ? null : { bytes: new Uint8Array(values.buffer), keyId: key.id };
}
