/**
 * What an evidence file needs from the objects that keep data about a sender: the data, and the records of their audit
 * chains. Each record comes with the proof that an anchor in the audit log covers it.
 */
import type { AppealInfo } from '../../shared/admin/appeals.ts';
import type { CertificateInfo, DelegationInfo } from '../../shared/admin/credentials.ts';
import type { RuleBlockInfo } from '../../shared/admin/rule-blocks.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import type { Rule } from '../../shared/reports/rule.ts';
import type { Registration } from '../../shared/senders/registration.ts';
import type { Subject } from '../../shared/verdict.ts';

/** Times in ms since 1970: `from` is inclusive, `to` is exclusive. */
export interface EvidencePeriod {
  readonly from: number;
  readonly to: number;
}

/** An anchor in the audit log: record `logN` has the end of the chain, and the root over the records after `from`. */
export interface AnchorPlace {
  readonly logN: number;
  readonly from: number;
  readonly to: number;
}

export interface AnchoredRecord {
  readonly record: AuditRecord;
  readonly anchor: AnchorPlace;
  /** Hashes from the leaf to the root of the anchor (RFC 6962), base64. */
  readonly hashes: readonly string[];
}

/** `isCut`: there is more data than a file may have. */
export interface ChainPart {
  readonly records: readonly AnchoredRecord[];
  readonly isCut: boolean;
}

export interface RuleBlockEvidence extends ChainPart {
  /** Without the names of partners. */
  readonly ruleBlocks: readonly RuleBlockInfo[];
  /** The rules as they were when they decided. */
  readonly rules: readonly Rule[];
}

/** Implemented by ResponseDesk. */
export interface ResponseEvidence {
  ruleBlockEvidence(
    subjects: readonly { readonly subject: ReportSubject; readonly mock: boolean }[],
    period: EvidencePeriod,
  ): Promise<RuleBlockEvidence>;
}

/** A sender ID as it was sent, or a number. */
export interface AppealParty {
  readonly subject: Subject;
  readonly party: number | string;
}

/** Implemented by AppealStore. Leaves out the statement and the contact of an appellant. */
export interface AppealEvidenceSource {
  appealEvidence(
    parties: readonly AppealParty[],
    period: EvidencePeriod,
  ): Promise<ChainPart & { readonly appeals: readonly AppealInfo[] }>;
}

/** Implemented by RegistrationStore. */
export interface RegistrationEvidenceSource {
  /** @param numbers null for all registrations of the organisation */
  registrationEvidence(
    numbers: Span | null,
    period: EvidencePeriod,
  ): Promise<ChainPart & { readonly registrations: readonly Registration[] }>;
}

export interface CredentialEvidence extends ChainPart {
  readonly certificates: readonly CertificateInfo[];
  readonly delegations: readonly DelegationInfo[];
}

/** Implemented by CredentialStore. */
export interface CredentialEvidenceSource {
  /** @param numbers null for all credentials of the organisations */
  credentialEvidence(
    organisations: readonly string[],
    numbers: Span | null,
    period: EvidencePeriod,
  ): Promise<CredentialEvidence>;
}
