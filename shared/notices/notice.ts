/**
 * Notices: what numgate tells organisations about senders. Each is kept for its receiver, numbered, and delivered by
 * webhook at least once, in the order of the numbers.
 */

/** `test` is sent by hand, to try an endpoint. */
export const NOTICE_TYPES = [
  'recipients.guidance',
  'owner.used',
  'sender.reported',
  'sender.blocked',
  'sender.unblocked',
  'registration.expiring',
  'certificate.expiring',
  'qualification.changed',
  'test',
] as const;
export type NoticeType = (typeof NOTICE_TYPES)[number];

const WIRE_PREFIX = 'kr.numgate.';
const WIRE_SUFFIX = '.v1';

/** The type on the wire: `kr.numgate.sender.blocked.v1`. */
export function wireTypeOf(type: NoticeType): string {
  return `${WIRE_PREFIX}${type}${WIRE_SUFFIX}`;
}

/** A notice on its way to the store of its receiver. */
export interface NewNotice {
  /**
   * Identifies it among all notices to this receiver: a repeated one is dropped, for as long as the first is kept. At
   * most NOTICE_KEY_CHARS_MAX characters. Never a number.
   */
  readonly key: string;
  readonly type: NoticeType;
  /** When it happened, in ms since 1970. */
  readonly at: number;
  /**
   * What it is about: a reference, a registration or a qualification. Notices are found by it, for evidence. At most
   * NOTICE_SUBJECT_CHARS_MAX characters. Never a number.
   */
  readonly subject: string;
  /** The content. The only place for a number. At most NOTICE_DATA_BYTES_MAX bytes as JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  /** About mock data, or for a mock client. */
  readonly mock: boolean;
  /** When the receiver should have answered, in ms since 1970; null if it has nothing to answer. */
  readonly respondBy: number | null;
}

/** What the receiver did about guidance. */
export interface Acknowledgement {
  /** How many subscribers it informed. */
  readonly informed: number;
  /** When it had informed them: RFC 3339 in UTC. */
  readonly at: string;
  readonly note: string | null;
}

/** A notice as its receiver gets it. Times are RFC 3339 in UTC. */
export interface Notice {
  /** From 1 on, without gaps, for each receiver. */
  readonly version: number;
  /** As on the wire. */
  readonly type: string;
  readonly at: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly mock: boolean;
  readonly respondBy: string | null;
  /** Null until the receiver has answered. */
  readonly acknowledgement: Acknowledgement | null;
}

export interface NoticePage {
  readonly notices: readonly Notice[];
  /** Pass it as `after`; null at the end. */
  readonly next: number | null;
}

/** Notices of one month and type, without mock ones. The months are those in Korea. */
export interface NoticeCount {
  /** `2026-11`: of what the notice is about, so an answer counts in the month of its notice. */
  readonly month: string;
  readonly type: NoticeType;
  /** How many were kept for the receiver. */
  readonly notices: number;
  /** How many of them at least one webhook accepted. */
  readonly delivered: number;
  /** How many of them the receiver answered. */
  readonly acknowledged: number;
  /** How many subscribers it informed, over all of them. */
  readonly informed: number;
}

/** A notice as evidence: without its data, which may be about others too. */
export interface NoticeRecord extends Omit<Notice, 'data'> {
  /** When the first webhook accepted it; null if none did. */
  readonly deliveredAt: string | null;
  /** How often it was sent, over all webhooks. */
  readonly attempts: number;
}
