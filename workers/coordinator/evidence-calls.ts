/**
 * RPC methods of the coordinator for evidence files: a signed tree of the audit log, the records about one sender, and
 * their proofs. Each call reads a bounded number of records. The log has no index by subject, because an index would make
 * every change more expensive, and evidence files are rare.
 */
import type { AuditRecord } from '../../shared/audit.ts';
import { toBase64 } from '../../shared/bytes.ts';
import {
  EVIDENCE_COST_ENTRIES,
  EVIDENCE_LOOKED_UP_MAX,
  EVIDENCE_PROVEN_AT_ONCE,
  EVIDENCE_SCANNED_AT_ONCE,
} from '../../shared/limits/evidence-files.ts';
import { inclusionProof, type ReadSubtree } from '../../shared/merkle.ts';
import { ok } from '../../shared/result.ts';
import { parseSource, textsOf } from '../../shared/sources/source.ts';
import { AdminCalls, CORE } from './admin-calls.ts';
import { type NamedRecord, SOURCE_SUBJECT } from './audit-log.ts';
import { applied, type ChangeRequest, type ChangeResult, refuseField } from './change-request.ts';
import type { EvidenceTree } from './evidence-tree.ts';
import { type Cost, counted } from './storage-budget.ts';

/** What a request for a file takes from the budget of its token, whether or not the request succeeds. */
const COST: Cost = { entries: EVIDENCE_COST_ENTRIES, frees: false };
/** Tolerance for the time by which a record is looked up, in ms in both directions. */
const TIME_SLACK_MS = 1_000;
/** How far the clock of the coordinator may have gone back when it moved to another machine, in ms. */
const CLOCK_SLACK_MS = 60_000;

/** The records that are wanted about a subject. */
export interface NamedRecords {
  /** The subject as it is written in records. */
  readonly subject: string;
  /** Prefix of the actions of the wanted records; null for all actions. */
  readonly actions: string | null;
  /** Also include records about every sender ID with this skeleton, however it is spelled. */
  readonly skeleton?: string;
}

/** A record whose time is known. @property at ms since 1970 */
export interface TimedRecord extends NamedRecords {
  readonly at: number;
}

export interface ProvenRecord {
  readonly record: AuditRecord;
  readonly hashes: readonly string[];
}

/** The answer to a repeat of the request. */
export interface EvidenceRecorded {
  /** Number of the record that says who made the file. */
  readonly n: number;
  /** Size of the tree. */
  readonly size: number;
  /** Digest of the parts of the file, as in the record. */
  readonly partsSha256: string;
}

export abstract class EvidenceCalls extends AdminCalls {
  /** Charges the request, even a repeat, because it reads as much. @returns the answer to a repeat, otherwise null */
  async beginEvidence(request: ChangeRequest): Promise<ChangeResult<EvidenceRecorded | null>> {
    const { ledger } = this[CORE].tables;
    const recorded = ledger.begin<EvidenceRecorded>(request, COST);
    if (recorded === null) return ok(null);
    return recorded.ok ? (ledger.begin({ ...request, repeat: null }, COST) ?? recorded) : recorded;
  }

  /** @param size of an earlier tree; null for the current one @returns null if CHECKPOINT_KEY is not set */
  async evidenceTree(size: number | null): Promise<ChangeResult<EvidenceTree | null>> {
    return this[CORE].checkpoints.evidenceTree(size, Date.now());
  }

  /**
   * The records about these subjects, in the order of the log.
   * @param after record to continue after; null to start with the first record of the time `from`
   * @returns `next` to pass as `after`, null at the end (time `to` or record `upTo`); `share` of the scan done, 0 to 1
   */
  async evidenceScan(
    wanted: readonly NamedRecords[],
    { from, to }: { readonly from: number; readonly to: number },
    after: number | null,
    upTo: number,
  ): Promise<{
    readonly found: readonly NamedRecord[];
    readonly next: number | null;
    readonly share: number;
  }> {
    const { audit } = this[CORE].tables.ledger;
    const first = audit.firstSince(from - CLOCK_SLACK_MS) - 1;
    const last = Math.min(upTo, audit.firstSince(to + CLOCK_SLACK_MS) - 1);
    // Records can be trimmed between two calls.
    const begin = Math.max(after ?? first, audit.trimmed.n);
    const end = Math.min(last, begin + EVIDENCE_SCANNED_AT_ONCE);
    const range = { after: begin, to: end, since: from, before: to };
    const found =
      begin < end ? matching(wanted, audit.named(namesOf(wanted), hasSkeleton(wanted), range)) : [];
    const share = last <= first ? 1 : (end - first) / (last - first);
    return { found, next: end < last ? end : null, share };
  }

  /** The records at these times, at most EVIDENCE_LOOKED_UP_MAX; null for a record that the log does not have. */
  async evidenceRecordsAt(
    wanted: readonly TimedRecord[],
    upTo: number,
  ): Promise<readonly (NamedRecord | null)[]> {
    const { audit } = this[CORE].tables.ledger;
    return wanted.slice(0, EVIDENCE_LOOKED_UP_MAX).map((each) => {
      const [since, before] = [each.at - TIME_SLACK_MS, each.at + TIME_SLACK_MS];
      const after = audit.firstSince(since) - 1;
      const to = Math.min(audit.firstSince(before) - 1, after + EVIDENCE_SCANNED_AT_ONCE, upTo);
      if (after >= to) return null;
      const range = { after, to, since, before };
      const found = audit.named([each.subject], each.skeleton !== undefined, range);
      return matching([each], found).at(-1) ?? null;
    });
  }

  /** @param numbers ascending, at most EVIDENCE_PROVEN_AT_ONCE */
  async evidenceRecords(numbers: readonly number[], size: number): Promise<readonly ProvenRecord[]> {
    const { audit, tree } = this[CORE].tables.ledger;
    const read = remembering(tree.reader);
    const { start } = tree.state;
    return audit.recordsOf(numbers.slice(0, EVIDENCE_PROVEN_AT_ONCE)).map((record) => {
      const hashes = inclusionProof(record.n - start.n - 1, size, read);
      return { record, hashes: hashes.map(toBase64) };
    });
  }

  /** Writes the audit record that the file was made. */
  async recordEvidence(
    request: ChangeRequest,
    size: number,
    { subject, after }: { readonly subject: string; readonly after: { readonly partsSha256: string } },
  ): Promise<ChangeResult<EvidenceRecorded>> {
    const { ledger } = this[CORE].tables;
    if (ledger.tree.state.size < size)
      return refuseField('size', 'is no longer a size of the tree: try again');
    return ledger.transact<EvidenceRecorded>(request, counted(COST), () =>
      applied({ n: ledger.audit.last.n + 1, size, partsSha256: after.partsSha256 }, [
        { action: 'evidenceFiles.make', subject, before: null, after },
      ]),
    );
  }
}

function namesOf(wanted: readonly NamedRecords[]): string[] {
  return [...new Set(wanted.map(({ subject }) => subject))];
}

function hasSkeleton(wanted: readonly NamedRecords[]): boolean {
  return wanted.some(({ skeleton }) => skeleton !== undefined);
}

function matching(wanted: readonly NamedRecords[], found: readonly NamedRecord[]): NamedRecord[] {
  const bySubject = Map.groupBy(wanted, ({ subject }) => subject);
  const skeletons = wanted.filter(({ skeleton }) => skeleton !== undefined);
  return found.filter(({ action, subject }) => {
    const own =
      bySubject.get(subject) ?? skeletons.filter(({ skeleton }) => skeleton === skeletonIn(subject));
    return own.some((each) => each.actions === null || action.startsWith(each.actions));
  });
}

/** The skeleton of the sender ID that a record is about; null if the record is about something else. */
function skeletonIn(subject: string): string | null {
  if (!subject.startsWith(SOURCE_SUBJECT)) return null;
  const parsed = parseSource(subject.slice(SOURCE_SUBJECT.length));
  return parsed.ok && parsed.value.kind === 'senderId' ? textsOf(parsed.value).skeleton : null;
}

/** Caches the hashes of subtrees, because proofs of neighbouring records share most of them. */
function remembering(read: ReadSubtree): ReadSubtree {
  const known = new Map<string, Uint8Array>();
  return (level, i) => {
    const key = `${level} ${i}`;
    const hash = known.get(key) ?? read(level, i);
    known.set(key, hash);
    return hash;
  };
}
