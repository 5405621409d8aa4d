/** The rule blocks of some subjects for an evidence file, with their grounds, stages, rules and audit records. */

import { EVIDENCE_ITEMS_MAX } from '../../shared/limits/evidence-files.ts';
import type { ReportKeys } from '../../shared/reports/report-keys.ts';
import { ruleRef } from '../../shared/reports/rule.ts';
import { chainPart } from '../storage/chain-part.ts';
import type { EvidencePeriod, ResponseEvidence, RuleBlockEvidence } from '../storage/evidence-port.ts';
import { isOpen, type StoredBlock } from './block-rows.ts';
import type { DeskParts } from './desk-parts.ts';

export async function ruleBlockEvidence(
  { rows, views, audit, anchoring }: DeskParts,
  keys: ReportKeys,
  subjects: Parameters<ResponseEvidence['ruleBlockEvidence']>[0],
  period: EvidencePeriod,
): Promise<RuleBlockEvidence> {
  const keyed = await Promise.all(subjects.map(({ subject, mock }) => keys.subject(subject, mock)));
  const read = keyed.map((subject) => rows.ofSubject(subject, EVIDENCE_ITEMS_MAX + 1));
  const found = read
    .flat()
    .filter((block) => isWithin(block, period))
    .sort((a, b) => a.id - b.id);
  const blocks = found.slice(0, EVIDENCE_ITEMS_MAX);
  const ids = blocks.map(({ id }) => `rule block ${id}`);
  const part = await chainPart(audit, anchoring, ids, period.to);
  const rules = new Map(
    blocks.flatMap(({ grounds }) => grounds.map(({ rule }) => [ruleRef(rule), rule] as const)),
  );
  return {
    ruleBlocks: await Promise.all(blocks.map((block) => views.shown(block, keys))),
    rules: [...rules.values()],
    records: part.records,
    isCut:
      part.isCut || found.length > blocks.length || read.some(({ length }) => length > EVIDENCE_ITEMS_MAX),
  };
}

/** Whether the block was open, or changed, in the period. */
function isWithin({ createdAt, updatedAt, stage }: StoredBlock, { from, to }: EvidencePeriod): boolean {
  return createdAt < to && (isOpen(stage) || updatedAt >= from);
}
