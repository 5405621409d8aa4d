/** The data that the stores have about a sender, before the audit log is read. */

import type { AppealInfo } from '../../shared/admin/appeals.ts';
import type { CertificateInfo, DelegationInfo } from '../../shared/admin/credentials.ts';
import type { RuleBlockInfo } from '../../shared/admin/rule-blocks.ts';
import type { BlocksPart, ChainName, NoticesPart, ReportsPart } from '../../shared/evidence-file/parts.ts';
import type { Rule } from '../../shared/reports/rule.ts';
import type { QualificationInfo } from '../../shared/senders/qualification.ts';
import type { Registration } from '../../shared/senders/registration.ts';
import type { AnchoredRecord } from '../storage/evidence-port.ts';
import type { Party } from './request.ts';

/** The records of one chain. */
export interface CollectedChain {
  readonly chain: ChainName;
  /** Null for all chains but `registrations`. */
  readonly organisation: string | null;
  readonly records: readonly AnchoredRecord[];
}

export interface Collected {
  readonly parties: readonly Party[];
  /** The organisation of the request, or the organisations that hold the number. */
  readonly organisations: readonly string[];
  readonly blocks: BlocksPart;
  readonly ruleBlocks: readonly RuleBlockInfo[];
  readonly rules: readonly Rule[];
  readonly reports: ReportsPart;
  readonly notices: NoticesPart['notices'];
  readonly appeals: readonly AppealInfo[];
  readonly registrations: readonly Registration[];
  readonly qualifications: readonly QualificationInfo[];
  readonly certificates: readonly CertificateInfo[];
  readonly delegations: readonly DelegationInfo[];
  readonly chains: readonly CollectedChain[];
  /** Names of incomplete parts: the stores have more than a file may have. */
  readonly cut: readonly string[];
  readonly mock: boolean;
}
