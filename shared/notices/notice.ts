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

/** The type on the wire: `kr.numgate.sender.blocked.v1`. */
export function wireTypeOf(type: NoticeType): string {
  return `kr.numgate.${type}.v1`;
}

/** A notice on its way to the store of its receiver. */
export interface NewNotice {
  /** Identifies it among all notices to this receiver: a repeated one is dropped. */
  readonly key: string;
  readonly type: NoticeType;
  /** When it happened, in ms since 1970. */
  readonly at: number;
  /** What it is about, such as a reference, a registration or a qualification. Never a number. */
  readonly subject: string;
  /** The content. The only place for a number. */
  readonly data: Readonly<Record<string, unknown>>;
  /** About mock data, or for a mock client. */
  readonly mock: boolean;
  /** When the receiver should have answered, in ms since 1970; null if it has nothing to answer. */
  readonly respondBy: number | null;
}

/** A notice as its receiver gets it. */
export interface Notice extends NewNotice {
  /** From 1 on, without gaps, for each receiver. */
  readonly version: number;
}
