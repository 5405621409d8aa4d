/** Reads the lines of an audit log: page by page from the service, or byte for byte from an exported file. */
import { createReadStream } from 'node:fs';
import type { AuditRecord } from '../../shared/audit.ts';
import { PAGE_MAX } from '../../shared/limits/control.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure, describeFileError } from '../failure.ts';

/**
 * The lines of the log after record `after`, oldest first, each a record in JSON. An empty page ends the log.
 * @param path of the log, below `/v1/admin/`
 */
export async function* auditLines(admin: Admin, after: number, path = 'audit'): AsyncGenerator<string> {
  for (;;) {
    const { text } = await admin.page(path, { after, limit: PAGE_MAX });
    if (text === '') return;
    const lines = text.replace(/\n$/, '').split('\n');
    yield* lines;
    after = unwrapRecord(lines.at(-1)!, 'the service').n;
  }
}

/** Every line, byte for byte, including lines without a record. Null for a line that is not UTF-8. */
export async function* linesOfFile(path: string): AsyncGenerator<string | null> {
  const file = createReadStream(path);
  try {
    yield* linesIn(file);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  } finally {
    file.destroy();
  }
}

const LF = 0x0a;

/** The lines of a stream of bytes. */
export async function* linesIn(bytes: AsyncIterable<Buffer>): AsyncGenerator<string | null> {
  let parts: Buffer[] = [];
  for await (let chunk of bytes) {
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF)) {
      yield decoded([...parts, chunk.subarray(0, end)]);
      parts = [];
      chunk = chunk.subarray(end + 1);
    }
    parts.push(chunk);
  }
  if (parts.some(({ length }) => length > 0)) yield decoded(parts);
}

/** Decodes strictly. Replacing bytes that are not UTF-8, or dropping a byte order mark, would hide a change. */
function decoded(parts: readonly Buffer[]): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    return null;
  }
}

/** The record in a line, not yet verified, or null. */
export function recordIn(line: string | null): AuditRecord | null {
  try {
    const record = JSON.parse(line ?? '') as Partial<AuditRecord> | null;
    if (typeof record?.n === 'number' && typeof record.hash === 'string') return record as AuditRecord;
  } catch {
    // Return null below.
  }
  return null;
}

/** @param from place of the line, for errors @throws CommandFailure if the line is not a record */
export function unwrapRecord(line: string | null, from: string): AuditRecord {
  const record = recordIn(line);
  if (record !== null) return record;
  throw new CommandFailure(
    `${from} is not a record of the audit log: check that the export is complete and not gzipped`,
  );
}
