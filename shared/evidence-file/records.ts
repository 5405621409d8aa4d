/** Reads the records of an NDJSON part. Each line must be exactly `auditLine` of its record, and have the right hash. */
import { type AuditRecord, auditHash, auditLine } from '../audit.ts';
import { fromBase64 } from '../bytes.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { type EvidenceProblem, wrong } from './steps.ts';

const HASH_BYTES = 32;

export type Records = ReadonlyMap<number, AuditRecord>;

/** Returns the records by number. Numbers must rise from line to line. */
export function recordsIn(name: string, text: string): Result<Records, Failure<EvidenceProblem>> {
  const records = new Map<number, AuditRecord>();
  const lines = text.split('\n');
  if (lines.pop() !== '') return wrong('PART_INVALID', `${name} does not end with a line end`);
  let last = 0;
  for (const [index, line] of lines.entries()) {
    const place = `line ${index + 1} of ${name}`;
    const record = recordOf(line);
    if (record === null) return wrong('PART_INVALID', `${place} is not a record of an audit log`);
    if (auditHash(record) !== record.hash)
      return wrong('RECORD_ALTERED', `${place} was altered: its hash is wrong`);
    if (record.n <= last) return wrong('PART_INVALID', `${place} is out of order`);
    last = record.n;
    records.set(record.n, record);
  }
  return ok(records);
}

function recordOf(line: string): AuditRecord | null {
  try {
    const record = JSON.parse(line) as AuditRecord;
    const isRecord = Number.isSafeInteger(record.n) && record.n > 0 && typeof record.subject === 'string';
    return isRecord && auditLine(record) === line ? record : null;
  } catch {
    return null;
  }
}

/** Decodes hashes. Returns null if one of the texts is not a hash. */
export function hashesOf(texts: readonly string[]): Uint8Array[] | null {
  const hashes = texts.map((text) => fromBase64(text));
  return hashes.every((hash) => hash?.length === HASH_BYTES) ? (hashes as Uint8Array[]) : null;
}
