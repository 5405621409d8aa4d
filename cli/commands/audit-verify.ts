/** Verifies the hash chain of the audit log, and compares the log with records and checkpoints that were kept. */
import type { StatusInfo } from '../../shared/admin/status.ts';
import {
  type AuditRecord,
  AuditVerifier,
  auditLine,
  type BrokenChain,
  type KnownRecord,
} from '../../shared/audit.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { visible } from '../terminal/visible.ts';
import type { CheckpointResult, CheckpointVerifier } from './audit-checkpoints.ts';
import { auditLines, linesOfFile, recordIn, unwrapRecord } from './audit-lines.ts';

export interface Verification {
  /** Number of verified records. */
  readonly records: number;
  /** The last verified record. Keep it: a later check against it detects that the log was rewritten. */
  readonly last: KnownRecord;
  /** The first record that is altered, missing or out of order. Null if the chain is intact. */
  readonly broken: BrokenChain | null;
  /** Set for the log of the service: records up to this one were trimmed and exist only in an export. */
  readonly trimmedTo?: number;
  /** Hash of the record `trimmedTo`. Older services do not return it. */
  readonly trimmedHash?: string;
  /** Set if there were checkpoints to verify. */
  readonly checkpoints?: readonly CheckpointResult[];
  /** Number of the newest records that no valid checkpoint covers. */
  readonly uncovered?: number;
}

export interface VerifySettings {
  /** Where the lines come from, for errors. */
  readonly from: string;
  /** Verification starts after this record. The records before it are trusted. */
  readonly after?: number;
  /**
   * Records that must have these hashes. A known record at `after` is not among the lines, so the first line must chain to
   * its hash. Known records before `after` are refused, because they would not be checked.
   */
  readonly known?: readonly KnownRecord[];
  /** Called with every verified record. */
  readonly onRecord?: (record: AuditRecord) => void;
  /** The log must begin with the records that these checkpoints cover. */
  readonly checkpoints?: CheckpointVerifier;
}

/** Verifies the chain from its beginning or from a given record. */
export async function verifyAudit(
  lines: AsyncIterable<string | null>,
  { from, after = 0, known = [], onRecord, checkpoints }: VerifySettings,
): Promise<Verification> {
  const unseen = known.find(({ n }) => n < after);
  if (unseen !== undefined) {
    const message = `record ${unseen.n} is before record ${after}, so it would not be verified: start earlier`;
    throw new CommandFailure(message, 2);
  }
  let verifier = new AuditVerifier(after, hashesAt(after, known)[0]);
  let isFirst = true;
  let records = 0;
  const result = (broken: BrokenChain | null): Verification => {
    const last = verifier.verified;
    const verification = { records, last, broken };
    if (checkpoints === undefined) return verification;
    const results = checkpoints.finish(broken === null, last.n);
    return { ...verification, checkpoints: results, uncovered: checkpoints.uncovered(results, last.n) };
  };
  let place = 0;
  for await (const line of lines) {
    place++;
    const record = isFirst ? unwrapRecord(line, `${from}, line ${place}`) : recordIn(line);
    if (record === null) return result(unreadable(verifier.verified.n + 1, place));
    if (isFirst) verifier = verifierFrom(record, after);
    isFirst = false;
    const broken = verifier.next(record) ?? rewordedIn(line, record);
    if (broken !== null) return result(broken);
    if (record.n > after) records++;
    if (hashesAt(record.n - 1, known).some((hash) => hash !== record.previous))
      return result(rewritten(record.n - 1));
    if (hashesAt(record.n, known).some((hash) => hash !== record.hash)) return result(rewritten(record.n));
    onRecord?.(record);
    checkpoints?.next(record);
  }
  if (isFirst && new Set(hashesAt(after, known)).size > 1) return result(rewritten(after));
  const due = verifier.verified.n + 1;
  const end = Math.max(after, ...known.map(({ n }) => n));
  if (end < due) return result(null);
  return result({
    n: due,
    problem: 'MISSING',
    message: `record ${due} is missing: the log had ${end} records`,
  });
}

function hashesAt(place: number, known: readonly KnownRecord[]): string[] {
  return known.filter(({ n }) => n === place).map(({ hash }) => hash);
}

function rewritten(n: number): BrokenChain {
  const message = `record ${n} does not have the known hash: the log was rewritten`;
  return { n, problem: 'ALTERED', message };
}

/** A file may begin before `after`. Its earlier records are verified too. */
function verifierFrom(first: AuditRecord, after: number): AuditVerifier {
  const start = Math.max(0, Math.min(first.n - 1, after));
  return start === 0 ? new AuditVerifier(0) : new AuditVerifier(start, first.previous);
}

function unreadable(n: number, place: number): BrokenChain {
  const message = `record ${n} was altered, or the log ends before it: line ${place} is not a record`;
  return { n, problem: 'ALTERED', message };
}

/** Detects a line whose text differs from its record, although the hash of the record is right. */
function rewordedIn(line: string | null, record: AuditRecord): BrokenChain | null {
  // Exports escape invisible characters, but older exports did not.
  if (line !== null && visible(line) === visible(auditLine(record))) return null;
  const message = `record ${record.n} was altered: its line differs from what the service writes`;
  return { n: record.n, problem: 'ALTERED', message };
}

/** Verifies the chain of an export, or of its pieces in order. Fails without any record, unless `after` is set. */
export async function verifyFile(
  path: string | readonly string[],
  settings: Omit<VerifySettings, 'from'>,
): Promise<Verification> {
  const paths = [path].flat();
  const from = paths.join(', ');
  const result = await verifyAudit(linesOfFiles(paths), { ...settings, from });
  const isEmpty = result.records === 0 && result.broken === null;
  if (!isEmpty || (settings.after ?? 0) > 0) return result;
  throw new CommandFailure(`${from} has no record of the audit log`);
}

async function* linesOfFiles(paths: readonly string[]): AsyncGenerator<string | null> {
  for (const path of paths) yield* linesOfFile(path);
}

/** Verifies the log of the service up to the last record that it reports. */
export async function verifyService(
  admin: Admin,
  { after = 0, known = [], checkpoints }: Omit<VerifySettings, 'from' | 'onRecord'>,
): Promise<Verification> {
  const { audit } = await admin.get<StatusInfo>('status');
  const { trimmedTo = 0, trimmedHash, ...end } = audit;
  if (end.n < after) {
    throw new CommandFailure(`the log of ${admin.url} ends with record ${end.n}, before record ${after}`);
  }
  const trimmed = known.find(({ n }) => n >= after && n < trimmedTo);
  if (trimmed !== undefined) {
    const message = `record ${trimmed.n} was trimmed, like all records up to ${trimmedTo}: verify their export`;
    throw new CommandFailure(message);
  }
  const begin = Math.max(after, trimmedTo);
  if (checkpoints !== undefined && begin < end.n) await checkpoints.begin(admin, begin);
  const reported = begin === trimmedTo ? [...trimmedIn(audit), end] : [end];
  const settings = {
    ...{ from: admin.url, after: begin, known: [...known, ...reported] },
    ...(checkpoints === undefined ? {} : { checkpoints }),
  };
  const result = await verifyAudit(auditLines(admin, begin), settings);
  if (trimmedTo <= after) return result;
  return { ...result, trimmedTo, ...(trimmedHash === undefined ? {} : { trimmedHash }) };
}

/** The last record that the service trimmed, if the service returns its hash. */
export function trimmedIn({ trimmedTo: n, trimmedHash: hash }: StatusInfo['audit']): KnownRecord[] {
  return n === undefined || hash === undefined ? [] : [{ n, hash }];
}
