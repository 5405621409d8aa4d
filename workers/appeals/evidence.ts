/** Appeals against blocks of some parties, for an evidence file. The statements of appellants stay in the store. */
import { EVIDENCE_ITEMS_MAX } from '../../shared/limits/evidence-files.ts';
import type { Anchoring } from '../storage/anchoring.ts';
import { chainPart } from '../storage/chain-part.ts';
import type { AppealEvidenceSource, AppealParty, EvidencePeriod } from '../storage/evidence-port.ts';
import { infoOf } from './appeal-rows.ts';
import type { Tables } from './tables.ts';

export async function appealEvidence(
  { appeals, audit }: Tables,
  anchoring: Anchoring,
  parties: readonly AppealParty[],
  { from, to }: EvidencePeriod,
): ReturnType<AppealEvidenceSource['appealEvidence']> {
  const read = parties.map((party) => appeals.ofParty(party, EVIDENCE_ITEMS_MAX + 1));
  const found = read
    .flat()
    .filter(({ receivedAt, decidedAt }) => receivedAt < to && (decidedAt === null || decidedAt >= from))
    .sort((a, b) => a.id - b.id);
  const own = found.slice(0, EVIDENCE_ITEMS_MAX);
  const ids = own.map(({ id }) => String(id));
  const part = await chainPart(audit, anchoring, ids, to);
  const now = Date.now();
  return {
    appeals: own.map((appeal) => infoOf(appeal, now)),
    records: part.records,
    isCut: part.isCut || found.length > own.length || read.some(({ length }) => length > EVIDENCE_ITEMS_MAX),
  };
}
