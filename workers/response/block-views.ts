/** Rule blocks as responses show them: with their numbers, which are unsealed for each response. */
import type { GroundInfo, RangeMember, RuleBlockInfo } from '../../shared/admin/rule-blocks.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import type { ReportKeys } from '../../shared/reports/report-keys.ts';
import { ruleRef } from '../../shared/reports/rule.ts';
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import { type BlockRows, type Ground, isOpen, type StoredBlock } from './block-rows.ts';
import { isProposedInRange } from './block-writer.ts';

export class BlockViews {
  readonly #rows: BlockRows;

  constructor(rows: BlockRows) {
    this.#rows = rows;
  }

  /** @param keys null while the key of reports is lost */
  async shown(block: StoredBlock, keys: ReportKeys | null): Promise<RuleBlockInfo> {
    const { id, stage, cause, grounds, evidence, confirmedBy, actions, seq } = block;
    const subject = await subjectOf(block, keys);
    const { rule, distinct, kinds } = grounds[0]!;
    const members = isProposedInRange(block)
      ? await Promise.all(this.#rows.ofRange(block.hundred!).map((member) => memberOf(member, keys)))
      : null;
    return {
      ...{
        id: String(id),
        number: numberOf(subject),
        source: subject?.kind === 'source' ? subject.text : null,
        campaign: block.campaign === null ? null : formatCampaignId(block.campaign),
      },
      ...{ state: stage.state, cause, mock: block.isMock, rule: ruleRef(rule), distinct, kinds },
      ...{ grounds: grounds.map(groundInfo), evidence, confirmedBy, actions },
      until: stage.until !== null && isOpen(stage) ? timeOf(stage.until) : null,
      // The `seq` of a campaign is a version of the text store.
      ...{ seq: block.campaign === null ? seq : null, pending: block.entryN > block.sentN },
      ...(members === null ? {} : { members }),
      ...{ createdAt: timeOf(block.createdAt), updatedAt: timeOf(block.updatedAt) },
    };
  }
}

function subjectOf({ seal }: StoredBlock, keys: ReportKeys | null): Promise<ReportSubject | null> {
  return keys === null ? Promise.resolve(null) : keys.unseal(seal);
}

async function memberOf(block: StoredBlock, keys: ReportKeys | null): Promise<RangeMember> {
  const { id, stage, grounds } = block;
  const number = numberOf(await subjectOf(block, keys));
  return { id: String(id), number, state: stage.state, distinct: grounds[0]!.distinct };
}

function numberOf(subject: ReportSubject | null): string | null {
  return subject?.kind === 'number' ? toE164(subject.n) : null;
}

function groundInfo({ rule, channel, distinct, kinds, byPartner, firedAt, isConfirmed }: Ground): GroundInfo {
  return {
    ...{ rule: ruleRef(rule), channel, distinct, kinds, partners: byPartner },
    ...{ firedAt: timeOf(firedAt), confirmed: isConfirmed },
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
