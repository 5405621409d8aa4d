/** `numgate audit`: export the log as lines of JSON, verify its hash chain, and trim old records. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { AuditTrimmed, StatusInfo } from '../../shared/admin.ts';
import { type AuditRecord, AuditVerifier, type BrokenChain, type KnownRecord } from '../../shared/audit.ts';
import { AUDIT_KEPT_MS, PAGE_MAX } from '../../shared/limits.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure, describeFileError } from '../failure.ts';

/**
 * The lines of the log after record `after`, oldest first, each a record in JSON. An empty page is the end.
 */
export async function* auditLines(admin: Admin, after: number): AsyncGenerator<string> {
  for (;;) {
    const { text } = await admin.page('audit', { after, limit: PAGE_MAX });
    const lines = text.split('\n').filter((line) => line !== '');
    yield* lines;
    const last = lines.at(-1);
    if (last === undefined) return;
    after = recordOf(last, 'the service').n;
  }
}

/** Every line, including lines without a record. */
export async function* linesOfFile(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  try {
    for await (const line of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) {
      yield line;
    }
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  } finally {
    file.destroy();
  }
}

export interface Verification {
  /** Records that were verified. */
  readonly records: number;
  /** The last verified record. Keep it: a later check against it detects that the log was rewritten. */
  readonly last: KnownRecord;
  /** The first record that is altered, missing or out of order. Null if the chain is intact. */
  readonly broken: BrokenChain | null;
  /** Set for the log of the service: records up to this one were trimmed and exist only in an export. */
  readonly trimmedTo?: number;
  /** Hash of that record. Older services do not return it. */
  readonly trimmedHash?: string;
}

export interface VerifySettings {
  /** Where the lines come from, for errors. */
  readonly from: string;
  /** Verification starts after this record. The records before it are trusted. */
  readonly after?: number;
  /**
   * Records that must have these hashes. For a known record at `after`, which is not among the lines, the
   * first line must chain to its hash. Known records before `after` are not allowed, because they would not
   * be checked.
   */
  readonly known?: readonly KnownRecord[];
}

/** Verifies the chain from its beginning or from a given record. */
export async function verifyAudit(
  lines: AsyncIterable<string>,
  { from, after = 0, known = [] }: VerifySettings,
): Promise<Verification> {
  const unseen = known.find(({ n }) => n < after);
  if (unseen !== undefined) {
    const message = `record ${unseen.n} is before record ${after}, and would not be looked at: begin earlier`;
    throw new CommandFailure(message, 2);
  }
  let verifier = new AuditVerifier(after, hashesAt(after, known)[0]);
  let isFirst = true;
  let records = 0;
  const result = (broken: BrokenChain | null): Verification => ({
    records,
    last: verifier.verified,
    broken,
  });
  let place = 0;
  for await (const line of lines) {
    place++;
    if (line.trim() === '') continue;
    const record = recordOf(line, `${from}, line ${place}`);
    if (isFirst) verifier = verifierFrom(record, after);
    isFirst = false;
    const broken = verifier.next(record);
    if (broken !== null) return result(broken);
    if (record.n > after) records++;
    if (hashesAt(record.n - 1, known).some((hash) => hash !== record.previous))
      return result(remade(record.n - 1));
    if (hashesAt(record.n, known).some((hash) => hash !== record.hash)) return result(remade(record.n));
  }
  if (isFirst && new Set(hashesAt(after, known)).size > 1) return result(remade(after));
  const due = verifier.verified.n + 1;
  const end = Math.max(after, ...known.map(({ n }) => n));
  if (end < due) return result(null);
  return result({ n: due, problem: 'MISSING', message: `record ${due} is missing: there were ${end}` });
}

function hashesAt(place: number, known: readonly KnownRecord[]): string[] {
  return known.filter(({ n }) => n === place).map(({ hash }) => hash);
}

function remade(n: number): BrokenChain {
  const message = `record ${n} has another hash than the one that was kept: the log was made anew`;
  return { n, problem: 'ALTERED', message };
}

/** A file may begin before `after`. Those records are verified too. */
function verifierFrom(first: AuditRecord, after: number): AuditVerifier {
  const start = Math.max(0, Math.min(first.n - 1, after));
  return start === 0 ? new AuditVerifier(0) : new AuditVerifier(start, first.previous);
}

function recordOf(line: string, from: string): AuditRecord {
  try {
    const record = JSON.parse(line) as Partial<AuditRecord> | null;
    if (typeof record?.n === 'number' && typeof record.hash === 'string') return record as AuditRecord;
  } catch {
    // Thrown below.
  }
  throw new CommandFailure(`${from}: is no record of the audit log: is the export whole, and not gzipped?`);
}

/** Verifies the chain of an export. An export without a record is an error. */
export async function verifyFile(
  path: string,
  settings: Omit<VerifySettings, 'from'>,
): Promise<Verification> {
  const result = await verifyAudit(linesOfFile(path), { ...settings, from: path });
  const isEmpty = result.records === 0 && result.broken === null;
  if (!isEmpty || (settings.after ?? 0) > 0) return result;
  throw new CommandFailure(`${path}: has no record of the audit log`);
}

/** Verifies the log of the service up to the last record that it reports. */
export async function verifyService(
  admin: Admin,
  { after = 0, known = [] }: Omit<VerifySettings, 'from'>,
): Promise<Verification> {
  const { audit } = await admin.get<StatusInfo>('status');
  const { trimmedTo = 0, trimmedHash, ...end } = audit;
  if (end.n < after) {
    throw new CommandFailure(`the log of ${admin.url} ends with record ${end.n}, before record ${after}`);
  }
  const trimmed = known.find(({ n }) => n >= after && n < trimmedTo);
  if (trimmed !== undefined) {
    const message = `record ${trimmed.n} was trimmed, with all up to record ${trimmedTo}: verify the export with it`;
    throw new CommandFailure(message);
  }
  const begin = Math.max(after, trimmedTo);
  const reported = begin === trimmedTo ? [...trimmedIn(audit), end] : [end];
  const settings = { from: admin.url, after: begin, known: [...known, ...reported] };
  const result = await verifyAudit(auditLines(admin, begin), settings);
  if (trimmedTo <= after) return result;
  return { ...result, trimmedTo, ...(trimmedHash === undefined ? {} : { trimmedHash }) };
}

/** The last record that the service trimmed, if the service returns its hash. */
function trimmedIn({ trimmedTo: n, trimmedHash: hash }: StatusInfo['audit']): KnownRecord[] {
  return n === undefined || hash === undefined ? [] : [{ n, hash }];
}

/**
 * Removes from the service the records that a file holds, except those that are not old enough yet.
 * @throws CommandFailure if the file is not an intact log that starts where the log of the service starts
 */
export async function trimAudit(admin: Admin, path: string, reason: string): Promise<AuditTrimmed> {
  const { audit } = await admin.get<StatusInfo>('status');
  const { trimmedTo = 0 } = audit;
  const settings = { from: path, after: trimmedTo, known: trimmedIn(audit) };
  const { broken } = await verifyAudit(linesOfFile(path), settings);
  if (broken !== null) throw new CommandFailure(`${path}: ${broken.problem}: ${broken.message}`);
  const last = await lastBefore(path, Date.now() - AUDIT_KEPT_MS);
  if (last === null || last.n <= trimmedTo) {
    const days = AUDIT_KEPT_MS / 86_400_000;
    throw new CommandFailure(`${path}: no record behind record ${trimmedTo} is older than ${days} days`);
  }
  return admin.change('POST', 'audit/trim', { n: last.n, hash: last.hash, reason });
}

/** The last record of a file that is not newer than `time`, in ms since 1970. */
async function lastBefore(path: string, time: number): Promise<KnownRecord | null> {
  let last: KnownRecord | null = null;
  for await (const line of linesOfFile(path)) {
    if (line.trim() === '') continue;
    const record = recordOf(line, path);
    if (Date.parse(record.at) > time) break;
    last = record;
  }
  return last;
}
