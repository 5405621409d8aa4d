/** `numgate audit`: export the log as lines of JSON, verify its hash chain, and trim old records. */
import { type Command, InvalidArgumentError } from 'commander';
import type { StatusInfo } from '../../shared/admin.ts';
import {
  type AuditRecord,
  AuditVerifier,
  auditLine,
  type BrokenChain,
  type KnownRecord,
} from '../../shared/audit.ts';
import { AUDIT_KEPT_MS } from '../../shared/limits/control.ts';
import type { AuditTrimmed } from '../../shared/trim-audit.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { print, type Report, writeLine } from '../terminal/output.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { auditLines, linesOfFile, recordIn, unwrapRecord } from './audit-lines.ts';
import { examples, requireReason, wholeNumber } from './options.ts';

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('export, verify and trim the audit log');

  audit
    .command('export')
    .description('write the audit log to standard output as NDJSON')
    .option('--after <n>', 'only records after this one', wholeNumber, 0)
    .addHelpText('after', examples('audit export > audit.ndjson'))
    .action(async ({ after }: { after: number }) => {
      for await (const line of auditLines(adminOfEnvironment(), after)) await writeLine(line);
    });

  audit
    .command('verify')
    .description('verify the hash chain of a file or of the service, and show the first wrong record')
    .argument('[file]', 'a file from audit export (default: the log of the service)')
    .option('--after <n>', 'start after this record, and trust the records before it', wholeNumber, 0)
    .option(
      '--known <n:hash>',
      'a record noted elsewhere, at or after --after, that must have this hash',
      parseKnown,
    )
    .addHelpText('after', examples('audit verify audit.ndjson --known 1200:9f2c…'))
    .action(async (file: string | undefined, { after, known }: { after: number; known?: KnownRecord }) => {
      const settings = { after, known: known === undefined ? [] : [known] };
      const result = await (file === undefined
        ? verifyService(adminOfEnvironment(), settings)
        : verifyFile(file, settings));
      print(...formatVerification(result));
      if (result.broken !== null) throw new CommandFailure('audit log verification failed');
    });

  requireReason(audit.command('trim'))
    .description('remove exported records older than a week from the service (requires the token root)')
    .argument('<file>', 'a file from audit export; it is verified first, and is the only copy afterwards')
    .addHelpText('after', examples("audit trim audit.ndjson --reason 'kept in the archive of 2026'"))
    .action(async (file: string, { reason }: { reason: string }) => {
      const done = await trimAudit(adminOfEnvironment(), file, reason);
      print(`the log now begins after record ${done.trimmedTo}: keep ${file}\n`, done);
    });
}

function parseKnown(text: string): KnownRecord {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('must be a record number and a hash, as audit verify prints them');
  return { n: Number(match[1]), hash: match[2]! };
}

function formatVerification(verification: Verification): Report {
  const { records, last, broken, trimmedTo, trimmedHash } = verification;
  const upTo = `${count(records)} records verified${records === 0 ? '' : `, up to ${last.n}:${last.hash}`}\n`;
  const known = trimmedHash === undefined ? '' : ` with --known ${trimmedTo}:${trimmedHash}`;
  const trimmed =
    trimmedTo === undefined
      ? ''
      : `records up to ${count(trimmedTo)} were trimmed: verify their export${known}\n`;
  const chain =
    broken === null
      ? styleText('green', upTo)
      : `${upTo}${styleText('red', `${broken.problem}: ${broken.message}`)}\n`;
  return [trimmed + chain, verification];
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
  /** Called with every verified record. */
  readonly onRecord?: (record: AuditRecord) => void;
}

/** Verifies the chain from its beginning or from a given record. */
export async function verifyAudit(
  lines: AsyncIterable<string | null>,
  { from, after = 0, known = [], onRecord }: VerifySettings,
): Promise<Verification> {
  const unseen = known.find(({ n }) => n < after);
  if (unseen !== undefined) {
    const message = `record ${unseen.n} is before record ${after} and would not be verified: start earlier`;
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

/** A file may begin before `after`. Those records are verified too. */
function verifierFrom(first: AuditRecord, after: number): AuditVerifier {
  const start = Math.max(0, Math.min(first.n - 1, after));
  return start === 0 ? new AuditVerifier(0) : new AuditVerifier(start, first.previous);
}

function unreadable(n: number, place: number): BrokenChain {
  const message = `record ${n} was altered, or the log ends before it: line ${place} is not a record`;
  return { n, problem: 'ALTERED', message };
}

/** A line that has more or other text than the record whose hash is right. */
function rewordedIn(line: string | null, record: AuditRecord): BrokenChain | null {
  // An export escapes invisible characters, and older exports did not.
  if (line !== null && visible(line) === visible(auditLine(record))) return null;
  const message = `record ${record.n} was altered: its line is not as the service writes it`;
  return { n: record.n, problem: 'ALTERED', message };
}

/** Verifies the chain of an export. An export without a record is an error. */
export async function verifyFile(
  path: string,
  settings: Omit<VerifySettings, 'from'>,
): Promise<Verification> {
  const result = await verifyAudit(linesOfFile(path), { ...settings, from: path });
  const isEmpty = result.records === 0 && result.broken === null;
  if (!isEmpty || (settings.after ?? 0) > 0) return result;
  throw new CommandFailure(`${path} has no record of the audit log`);
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
    const message = `record ${trimmed.n} was trimmed, like all records up to ${trimmedTo}: verify their export`;
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
  const end = Date.now() - AUDIT_KEPT_MS;
  let isOld = true;
  let last: KnownRecord = { n: 0, hash: '' };
  const { broken } = await verifyAudit(linesOfFile(path), {
    ...{ from: path, after: trimmedTo, known: trimmedIn(audit) },
    onRecord: (record) => {
      isOld &&= Date.parse(record.at) <= end;
      if (isOld) last = record;
    },
  });
  if (broken !== null) throw new CommandFailure(`${path}: ${broken.problem}: ${broken.message}`);
  if (last.n <= trimmedTo) {
    const days = AUDIT_KEPT_MS / 86_400_000;
    throw new CommandFailure(`${path}: no record after record ${trimmedTo} is older than ${days} days`);
  }
  return admin.change('POST', 'audit/trim', { n: last.n, hash: last.hash, reason });
}
