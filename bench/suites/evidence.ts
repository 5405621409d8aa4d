/**
 * The Merkle tree of the audit log: its cost compared with the hash chain, and what it detects that the chain misses. Runs in
 * Node, because it uses nothing of the platform. Changes do not pay this cost, because the cron adds records to the tree.
 */
import { type AuditRecord, AuditVerifier, auditHash, auditLine, CHAIN_START } from '../../shared/audit.ts';
import { auditLeaf } from '../../shared/checkpoint.ts';
import { equalHashes, GrowingTree } from '../../shared/merkle.ts';
import type { BenchOptions } from '../lib/options.ts';
import { type Row, row } from '../lib/table.ts';

/** Records of one bulk operation. */
const RECORDS = 10_000;
const RECORDS_SMALL = 500;
/** Number of logs that are rewritten, each at a different record. */
const REWRITTEN = 20;
const ROUNDS = 5;
/** The tree hashes each record once more, and hashes two nodes for every two records. */
const TARGET_RATIO = 2;

function logOf(count: number, altered = 0): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 1; n <= count; n++) {
    const body = {
      ...{ n, at: '2026-11-24T03:12:09.000Z', seq: 7, actor: 'token:kisa', action: 'entries.block' },
      ...{
        subject: `8210-${String(n === altered ? 0 : n).padStart(8, '0')}`,
        reason: 'reported by 12 people',
      },
      before: null,
      after: [
        { op: 'block', code: 'SENDER_REPORTED', subject: 'from', authority: 'kisa', until: null, seq: 7 },
      ],
      previous: records.at(-1)?.hash ?? CHAIN_START,
    };
    records.push({ ...body, hash: auditHash(body) });
  }
  return records;
}

function rootOf(records: readonly AuditRecord[]): Uint8Array {
  const tree = new GrowingTree();
  for (const record of records) tree.add(auditLeaf(record));
  return tree.root;
}

function isIntact(records: readonly AuditRecord[]): boolean {
  const verifier = new AuditVerifier();
  return records.every((record) => verifier.next(record) === null);
}

export async function evidenceRows({ small }: Pick<BenchOptions, 'small'>): Promise<Row[]> {
  const count = small ? RECORDS_SMALL : RECORDS;
  const log = logOf(count);
  const root = rootOf(log);
  const tree: number[] = [];
  const chain: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    tree.push(nsEach(count, () => rootOf(log)));
    chain.push(nsEach(count, () => log.map((record) => [auditHash(record), auditLine(record)])));
  }
  const [ours, theirs] = [Math.min(...tree), Math.min(...chain)];
  const base = `hash and line of the chain: ${Math.round(theirs).toLocaleString('en')} ns`;
  let byChain = 0;
  let byCheckpoint = 0;
  for (let at = 1; at <= REWRITTEN; at++) {
    const rewritten = logOf(count, Math.ceil((at * count) / REWRITTEN));
    if (!isIntact(rewritten)) byChain++;
    if (!equalHashes(rootOf(rewritten), root)) byCheckpoint++;
  }
  if (byChain > 0 || byCheckpoint < REWRITTEN) throw new Error('a rewritten log was not found as expected');
  const found = `by the chain alone: ${byChain}`;
  return [
    row('audit tree, one record', ours, 'ns', base, ours / theirs, TARGET_RATIO),
    row(`rewritten logs of ${REWRITTEN} that a checkpoint finds`, byCheckpoint, 'logs', found, null, null),
  ];
}

/** The CPU time of one record, in ns. Wall time would include other work of the machine. */
function nsEach(records: number, call: () => unknown): number {
  const began = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(began);
  return ((user + system) * 1_000) / records;
}
