/** The part of an object's own audit chain that an evidence file gets: the records of some subjects, with their proofs. */
import type { AuditRecord } from '../../shared/audit.ts';
import { PAGE_MAX } from '../../shared/limits/control.ts';
import { EVIDENCE_RECORDS_MAX } from '../../shared/limits/evidence-files.ts';
import type { Anchoring } from './anchoring.ts';
import type { ChainPart } from './evidence-port.ts';

interface ChainHistory<Subject> {
  /** Records of one subject after a number, oldest first. */
  history(subject: Subject, after: number, limit: number): AuditRecord[];
}

/**
 * All records of these subjects before a time, even before the period, because they explain the state in the period.
 * @param subjects as the column of the chain stores them @param to ms since 1970
 * @throws if the coordinator does not respond
 */
export async function chainPart<Subject>(
  chain: ChainHistory<Subject>,
  anchoring: Pick<Anchoring, 'prove'>,
  subjects: readonly Subject[],
  to: number,
): Promise<ChainPart> {
  const records: AuditRecord[] = [];
  let isCut = false;
  for (const subject of subjects) {
    isCut ||= records.length >= EVIDENCE_RECORDS_MAX;
    if (isCut) break;
    records.push(...historyOf(chain, subject, to, EVIDENCE_RECORDS_MAX - records.length));
  }
  const proven = await anchoring.prove(records.sort((a, b) => a.n - b.n));
  isCut ||= records.length >= EVIDENCE_RECORDS_MAX || proven.length < records.length;
  return { records: proven, isCut };
}

function historyOf<Subject>(
  chain: ChainHistory<Subject>,
  subject: Subject,
  to: number,
  most: number,
): AuditRecord[] {
  const records: AuditRecord[] = [];
  while (records.length < most) {
    const after = records.at(-1)?.n ?? 0;
    const page = chain.history(subject, after, Math.min(PAGE_MAX, most - records.length));
    const before = page.filter(({ at }) => Date.parse(at) < to);
    records.push(...before);
    if (page.length === 0 || before.length < page.length) break;
  }
  return records;
}
