/** The content of each type of notice. Only this part of a notice may contain numbers. Times are RFC 3339 in UTC. */
import type { SpamKind } from '../reports/report.ts';
import type { Channel } from '../request.ts';
import type { QualificationState } from '../senders/qualification.ts';
import type { BlockStage, Effect } from '../verdict.ts';
import type { GuidanceTexts } from './texts.ts';

/** The sender that a notice is about: either a number or a sender ID. The other field is null. */
export interface NoticeSender {
  /** E.164. */
  readonly number: string | null;
  readonly source: string | null;
}

/** `sender.blocked` and `owner.blocked`: the sender was blocked or labelled, or its block has changed. */
export interface SenderBlockedData extends NoticeSender {
  readonly effect: Exclude<Effect, 'allow' | 'shadow'>;
  readonly code: string | null;
  readonly authority: string;
  readonly list: string;
  /** `<id>@<version>`; null if no rule made the block. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** Null for a block without end, which lasts until somebody lifts it. */
  readonly until: string | null;
}

/** `sender.unblocked` and `owner.unblocked`, to everyone who learned of the block. */
export interface SenderUnblockedData extends NoticeSender {
  /** Whether a person lifted the block, so that no list blocks the sender either. Otherwise the block has ended. */
  readonly isLifted: boolean;
}

/** `recipients.guidance`: guidance for operators, who pass it on to their subscribers who heard from this sender. */
export interface GuidanceData extends NoticeSender {
  /** `channel`, `firstSeenAt`, `lastSeenAt` and `kind` are null if nobody has reported the sender. */
  readonly channel: Channel | null;
  /** Start of the hour of the first report. */
  readonly firstSeenAt: string | null;
  /** End of the hour of the last report. */
  readonly lastSeenAt: string | null;
  /** The kind that most reports state. */
  readonly kind: SpamKind | null;
  readonly code: string;
  readonly reference: string;
  readonly texts: GuidanceTexts;
  readonly respondBy: string;
}

/** `owner.used`: bulk texts show this mobile number as their sender. */
export interface OwnerUsedData extends NoticeSender {
  /** The day in Korea: `2026-11-27`. */
  readonly day: string;
  /** More than this many texts were sent on that day. */
  readonly textsOver: number;
  /** Sender code, from the public register, of the organisation through which the texts were sent; null if it has none. */
  readonly senderCode: string | null;
  readonly texts: GuidanceTexts;
}

/** Reports of one kind: a count, or only that there are fewer than REPORTED_COUNT_MIN. */
export type ReportedKind =
  | { readonly kind: SpamKind; readonly reports: number }
  | { readonly kind: SpamKind; readonly fewerThan: number };

/** `sender.reported`: the reports of one hour about a number that the receiver has registered. */
export interface SenderReportedData extends NoticeSender {
  readonly from: string;
  readonly to: string;
  readonly kinds: readonly ReportedKind[];
}

/** `registration.expiring` */
export interface RegistrationExpiringData {
  readonly registration: string;
  /** E.164, or a range such as `+82221230000..+82221230099`. */
  readonly number: string;
  readonly days: number;
  readonly endsAt: string;
}

/** `certificate.expiring` */
export interface CertificateExpiringData {
  /** Digest of the certificate. */
  readonly certificate: string;
  readonly issuer: string;
  readonly numbers: readonly string[];
  /** IDs of the registrations that rest on the certificate. */
  readonly registrations: readonly string[];
  readonly days: number;
  readonly expiresAt: string;
}

/** `qualification.changed` */
export interface QualificationChangedData {
  readonly organisation: string;
  readonly before: QualificationState | null;
  readonly state: QualificationState;
  readonly factor: number | null;
  readonly validUntil: string | null;
  readonly nextInspectionBy: string | null;
}
