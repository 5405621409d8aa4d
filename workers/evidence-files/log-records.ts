/**
 * The records of the audit log in an evidence file, each with its proof: the records about the sender in the period, the
 * records that made the state in force, the records of rule versions, and the anchors of other chains.
 */
import type { EvidenceProgress } from '../../shared/admin/evidence-files.ts';
import type { SubjectsPart } from '../../shared/evidence-file/parts.ts';
import {
  EVIDENCE_LOOKED_UP_MAX,
  EVIDENCE_PROVEN_AT_ONCE,
  EVIDENCE_RECORDS_MAX,
  EVIDENCE_SCANS_MAX,
} from '../../shared/limits/evidence-files.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import { ok, type Result } from '../../shared/result.ts';
import { foldSenderId, skeletonOf } from '../../shared/sources/sender-id.ts';
import type { NamedRecord } from '../coordinator/audit-log.ts';
import type { NamedRecords, ProvenRecord, TimedRecord } from '../coordinator/evidence-calls.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { Collected } from './collected.ts';
import type { EvidenceCoordinator } from './coordinator-calls.ts';
import type { EvidenceRequest, Party } from './request.ts';
import { partyNames } from './subjects.ts';

/** A version of a rule that blocked, and who made this version. */
export interface RuleMaker {
  readonly id: string;
  readonly version: number;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
}

export interface LogRecords {
  readonly records: readonly ProvenRecord[];
  /** Numbers of records, by ID and version of the rule, such as `kr-50@3`. */
  readonly ruleRecords: ReadonlyMap<string, number>;
  /** Names of sender IDs, as records spell them. */
  readonly sourceNames: readonly string[];
  readonly isCut: boolean;
}

export async function readLog(
  { period, organisation }: EvidenceRequest,
  collected: Collected,
  makers: readonly RuleMaker[],
  subjects: SubjectsPart,
  { size, upTo, trimmedTo }: { readonly size: number; readonly upTo: number; readonly trimmedTo: number },
  coordinator: EvidenceCoordinator,
  progress: (progress: EvidenceProgress) => void,
): Promise<Result<LogRecords, Problem>> {
  const wanted = wantedRecords(collected, subjects, organisation !== null);
  const scanned = await scan(wanted, period, upTo, coordinator, (share) => progress({ step: 'log', share }));
  if (!scanned.ok) return scanned;
  const makersFound = await lookUp(
    makers.map(({ id, at }) => ({ subject: id, actions: 'rules.put', at: Date.parse(at) })),
    upTo,
    coordinator,
  );
  const current = await currentRecords(collected, subjects, coordinator);
  const others = await lookUp(current, upTo, coordinator);
  const anchors = collected.chains.flatMap(({ records }) => records.map(({ anchor }) => anchor.logN));
  const found = [...scanned.value.found, ...others.filter((each) => each !== null)];
  const numbers = [
    ...found.map(({ n }) => n),
    ...makersFound.flatMap((each) => (each === null ? [] : [each.n])),
    ...anchors,
  ].filter((n) => n > trimmedTo && n <= upTo);
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const records: ProvenRecord[] = [];
  for (let first = 0; first < sorted.length; first += EVIDENCE_PROVEN_AT_ONCE) {
    progress({ step: 'proofs', share: first / sorted.length });
    const some = sorted.slice(first, first + EVIDENCE_PROVEN_AT_ONCE);
    records.push(...(await coordinator.evidenceRecords(some, size)));
  }
  // The log was trimmed while it was read.
  if (records.length < sorted.length)
    return problem('UNAVAILABLE', 'records of the audit log were trimmed just now: try again');
  const ruleRecords = makers.flatMap(({ id, version }, index) => {
    const record = makersFound[index] ?? null;
    return record === null ? [] : [[`${id}@${version}`, record.n] as const];
  });
  return ok({
    records,
    ruleRecords: new Map(ruleRecords),
    sourceNames: [...new Set(found.map(({ subject }) => subject))].filter((name) =>
      name.startsWith('source '),
    ),
    isCut: scanned.value.isCut,
  });
}

function wantedRecords(
  { parties, organisations }: Collected,
  subjects: SubjectsPart,
  isOrganisation: boolean,
): NamedRecords[] {
  return [
    ...partyNames(subjects).map((subject) => ({ subject, actions: null })),
    ...parties.flatMap((party) => (party.kind === 'source' ? [ofSource(party)] : [])),
    ...organisations.map((subject) => ({ subject, actions: 'qualifications.' })),
    ...(isOrganisation ? organisations.map((subject) => ({ subject, actions: 'organisations.' })) : []),
  ];
}

function ofSource({ source }: Extract<Party, { kind: 'source' }>): NamedRecords {
  const skeleton = skeletonOf(foldSenderId(source.name));
  return { subject: `source ${source.name}`, actions: null, skeleton };
}

/** Records that made the entries in force, the qualifications and the current release. They may be older than the period. */
async function currentRecords(
  { blocks, qualifications, parties }: Collected,
  { numbers }: SubjectsPart,
  coordinator: EvidenceCoordinator,
): Promise<TimedRecord[]> {
  const entries = blocks.numbers.flatMap(({ entries: own }, index) => {
    const party = parties[index]!;
    return own.flatMap(({ at }): TimedRecord[] => {
      if (party.kind === 'source') return [{ ...ofSource(party), at: Date.parse(at) }];
      const keyed = numbers.find(({ number }) => number === toE164(party.n))?.keyed ?? [];
      return keyed.map(({ name }) => ({ subject: name, actions: null, at: Date.parse(at) }));
    });
  });
  const qualified = qualifications.map(({ organisation, since }) => ({
    ...{ subject: organisation, actions: 'qualifications.', at: Date.parse(since) },
  }));
  const isListed = blocks.numbers.some(({ lists }) => lists.length > 0);
  const [release] = isListed
    ? (await coordinator.releases(RELEASES_LOOKED_AT)).filter(({ release: name }) => name === blocks.release)
    : [];
  const promoted =
    release?.promotedAt == null
      ? []
      : [{ subject: release.release, actions: 'release.', at: Date.parse(release.promotedAt) }];
  return [...promoted, ...qualified, ...entries];
}

/** The current release is among this many of the newest releases. */
const RELEASES_LOOKED_AT = 100;

async function lookUp(
  wanted: readonly TimedRecord[],
  upTo: number,
  coordinator: EvidenceCoordinator,
): Promise<readonly (NamedRecord | null)[]> {
  if (wanted.length === 0) return [];
  return coordinator.evidenceRecordsAt(wanted.slice(0, EVIDENCE_LOOKED_UP_MAX), upTo);
}

/** The records of the period, at most EVIDENCE_RECORDS_MAX. */
async function scan(
  wanted: readonly NamedRecords[],
  period: EvidenceRequest['period'],
  upTo: number,
  coordinator: EvidenceCoordinator,
  done: (share: number) => void,
): Promise<Result<{ readonly found: readonly NamedRecord[]; readonly isCut: boolean }, Problem>> {
  const found: NamedRecord[] = [];
  let after: number | null = null;
  for (let scans = 0; scans < EVIDENCE_SCANS_MAX; scans++) {
    const page: Awaited<ReturnType<EvidenceCoordinator['evidenceScan']>> = await coordinator.evidenceScan(
      wanted,
      period,
      after,
      upTo,
    );
    found.push(...page.found);
    done(page.share);
    if (found.length > EVIDENCE_RECORDS_MAX)
      return ok({ found: found.slice(0, EVIDENCE_RECORDS_MAX), isCut: true });
    if (page.next === null) return ok({ found, isCut: false });
    after = page.next;
  }
  const message = 'the audit log has too many records in this period: make a file for each part of it';
  return problem('EVIDENCE_TOO_LARGE', message);
}
