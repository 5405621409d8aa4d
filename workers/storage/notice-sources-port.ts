/** What the router of notices needs from other objects, and the facts that they send to it. */
import type { NotifiedOperator } from '../../shared/notices/operators.ts';
import type { QualificationState } from '../../shared/senders/qualification.ts';

/** An operator, and whether it has a client that may read notices. It may have a webhook in any case. */
export interface OperatorFacts extends NotifiedOperator {
  readonly hasReader: boolean;
}

/** A change of a qualification. `n` rises, even if the coordinator is restored. Times are RFC 3339 in UTC. */
export interface QualificationNotice {
  readonly n: number;
  readonly organisation: string;
  /** ms since 1970. */
  readonly at: number;
  /** Null if no state was recorded. */
  readonly before: QualificationState | null;
  readonly state: QualificationState;
  readonly factor: number | null;
  readonly validUntil: string | null;
  readonly nextInspectionBy: string | null;
}

/** The methods of the coordinator that the router calls. */
export interface NoticeKeeper {
  /** Active organisations with the role `operator`. */
  noticeOperators(): Promise<readonly OperatorFacts[]>;
  /** Changes after this number, oldest first. Changes up to this number are not needed any more. */
  qualificationNotices(after: number, limit: number): Promise<readonly QualificationNotice[]>;
  /** Sender code of the organisation of a client; null if it has none. */
  senderCodeOf(client: string): Promise<string | null>;
}

/** The method of the coordinator that a counter of usage calls. */
export interface OwnerUsedSettings {
  /** Texts that a mobile number may send through one client in a day before its owner is notified. */
  ownerUsedTexts(): Promise<number>;
}

/** A mobile number sent more than `textsOver` texts through a client on one day in Korea. */
export interface OwnerFact {
  readonly client: string;
  readonly number: number;
  /** Days since 1970 in Korea. */
  readonly day: number;
  readonly textsOver: number;
  /** ms since 1970. */
  readonly at: number;
}

/** Texts of one mobile number on one day in Korea. */
export type MobileTexts = readonly [number: number, day: number, texts: number];
