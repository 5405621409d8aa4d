/**
 * Checkpoints of the audit log (c2sp.org/tlog-checkpoint): the number of leaves and the root of its Merkle tree, as a
 * signed note. Leaf `i` is the line of record `start + 1 + i` (`auditLine`, UTF-8, without its line end). `start` is
 * normally 0. If records were trimmed before the tree existed, an extension line names the last trimmed record.
 */
import { type AuditRecord, auditLine, CHAIN_START, type KnownRecord } from './audit.ts';
import { fromBase64, toBase64, utf8 } from './bytes.ts';
import { leafHash } from './merkle.ts';

export interface Checkpoint {
  /** The name of the log, which is also the name of its signing key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** The last record before the tree. */
  readonly start: KnownRecord;
}

/** The extension line that names the last record before the tree. */
const START_LINE = /^numgate-start (\d{1,15}) ([0-9a-f]{64})$/;
const NO_START: KnownRecord = { n: 0, hash: CHAIN_START };
const ROOT_BYTES = 32;

export function auditLeaf(record: AuditRecord): Uint8Array {
  return leafHash(utf8(auditLine(record)));
}

export function formatCheckpoint({ origin, size, root, start }: Checkpoint): string {
  const extension = start.n === 0 ? '' : `numgate-start ${start.n} ${start.hash}\n`;
  return `${origin}\n${size}\n${toBase64(root)}\n${extension}`;
}

/** Parses the text of a note. Returns null if it is not a checkpoint. Unknown extension lines are allowed. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  if (rest.pop() !== '' || rest.includes('') || origin === '') return null;
  const bytes = fromBase64(root);
  const isSize = /^(0|[1-9]\d{0,15})$/.test(size) && Number.isSafeInteger(Number(size));
  if (!isSize || bytes?.length !== ROOT_BYTES || toBase64(bytes) !== root) return null;
  const [, n, hash] = rest.map((line) => START_LINE.exec(line)).find((match) => match !== null) ?? [];
  const start = n === undefined || hash === undefined ? NO_START : { n: Number(n), hash };
  return { origin, size: Number(size), root: bytes, start };
}
