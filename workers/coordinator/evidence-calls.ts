/**
 * The calls to the coordinator for evidence files: a signed tree of the audit log, the records about one sender, and
 * their proofs. Each looks at a bounded number of records. The log has no index by subject: one would cost every change,
 * and evidence files are rare.
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

/** What a request for a file takes of the budget of its token, whatever comes of it. */
const COST: Cost = { entries: EVIDENCE_COST_ENTRIES, frees: false };
/** Records are looked up by a time that is not quite theirs: in ms to both sides. */
const TIME_SLACK_MS = 1_000;
/** How far the clock of the coordinator may have gone back when it moved to another machine, in ms. */
const CLOCK_SLACK_MS = 60_000;

/** Which records are wanted of a subject. */
export interface NamedRecords {
  /** As records have it. */
  readonly subject: string;
  /** What their actions begin with; null for all. */
  readonly actions: string | null;
  /** Records of each sender ID with this skeleton are wanted too, however it is spelled. */
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

/** What is answered if the request is repeated. */
export interface EvidenceRecorded {
  /** Of the record that says who made the file. */
  readonly n: number;
  /** Of the tree. */
  readonly size: number;
  /** What the record has of the file. */
  readonly partsSha256: string;
}

export abstract class EvidenceCalls extends AdminCalls {
  /** Charges the request, also a repeat: it reads as much. @returns what was recorded if it is a repeat, otherwise null */
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
   * @returns `next`: pass it as `after`; null at the end, which is the time `to` or record `upTo`. `share` done
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
    // Records can be trimmed meanwhile.
    const begin = Math.max(after ?? first, audit.trimmed.n);
    const end = Math.min(last, begin + EVIDENCE_SCANNED_AT_ONCE);
    const range = { after: begin, to: end, since: from, before: to };
    const found =
      begin < end ? matching(wanted, audit.named(namesOf(wanted), hasSkeleton(wanted), range)) : [];
    const share = last <= first ? 1 : (end - first) / (last - first);
    return { found, next: end < last ? end : null, share };
  }

  /** The records of these times, at most EVIDENCE_LOOKED_UP_MAX; null for one that the log does not have. */
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

  /** Records that the file was made. */
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

/** Of the sender ID that a record is about; null if it is about something else. */
function skeletonIn(subject: string): string | null {
  if (!subject.startsWith(SOURCE_SUBJECT)) return null;
  const parsed = parseSource(subject.slice(SOURCE_SUBJECT.length));
  return parsed.ok && parsed.value.kind === 'senderId' ? textsOf(parsed.value).skeleton : null;
}

/** Proofs of neighbours share most subtrees. */
function remembering(read: ReadSubtree): ReadSubtree {
  const known = new Map<string, Uint8Array>();
  return (level, i) => {
    const key = `${level} ${i}`;
    const hash = known.get(key) ?? read(level, i);
    known.set(key, hash);
    return hash;
  };
}
