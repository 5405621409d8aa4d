/**
 * Notices: messages of numgate to organisations about senders. Each notice is kept for its receiver and numbered. Webhooks
 * deliver it at least once, in the order of the numbers.
 */

/**
 * `recipients.…` and `owner.…` go to operators, who inform their subscribers. The others go to the organisation that they
 * concern. `test` is sent by hand, to try an endpoint. data.ts defines the content of each type.
 */
export const NOTICE_TYPES = [
  'recipients.guidance',
  'owner.used',
  'owner.blocked',
  'owner.unblocked',
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

/** Returns the type on the wire, such as `kr.numgate.sender.blocked.v1`. */
export function wireTypeOf(type: NoticeType): string {
  return `${WIRE_PREFIX}${type}${WIRE_SUFFIX}`;
}

/** A notice on its way to the store of its receiver. */
export interface NewNotice {
  /**
   * Identifies the notice among all notices to this receiver. A notice with the same key is dropped, for as long as the
   * first one is kept. At most NOTICE_KEY_CHARS_MAX characters. Never a number.
   */
  readonly key: string;
  readonly type: NoticeType;
  /** Time of the event, in ms since 1970. */
  readonly at: number;
  /**
   * The subject of the notice: a reference, a registration or a qualification. Evidence files find notices by it. At
   * most NOTICE_SUBJECT_CHARS_MAX characters. Never a number.
   */
  readonly subject: string;
  /** The content. The only place for a number. At most NOTICE_DATA_BYTES_MAX bytes as JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether the notice is about mock data, or for a mock client. */
  readonly mock: boolean;
  /** Deadline for the receiver's answer, in ms since 1970; null if the notice needs no answer. */
  readonly respondBy: number | null;
}

/** The receiver's answer to guidance. */
export interface Acknowledgement {
  /** How many subscribers the receiver informed. */
  readonly informed: number;
  /** When the receiver had informed all of them: RFC 3339 in UTC. */
  readonly at: string;
  readonly note: string | null;
}

/** A notice in the form that its receiver gets. Times are RFC 3339 in UTC. */
export interface Notice {
  /** Number of the notice, from 1 on, without gaps, for each receiver. */
  readonly version: number;
  /** The type on the wire. */
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
  /** Pass as `after` for the next page; null on the last page. */
  readonly next: number | null;
}

/** Counts of the notices of one month and type, without mock notices. Months are those in Korea. */
export interface NoticeCount {
  /** `2026-11`: month of the event that the notice is about. An answer counts in the month of its notice. */
  readonly month: string;
  readonly type: NoticeType;
  /** How many notices were kept for the receiver. */
  readonly notices: number;
  /** How many notices at least one webhook accepted. */
  readonly delivered: number;
  /** How many notices the receiver answered. */
  readonly acknowledged: number;
  /** How many subscribers the receiver informed, over all notices. */
  readonly informed: number;
}

/** A notice as evidence. It lacks the data, which may be about other parties too. */
export interface NoticeRecord extends Omit<Notice, 'data'> {
  /** When the first webhook accepted the notice; null if none did. */
  readonly deliveredAt: string | null;
  /** How often the notice was sent, over all webhooks. */
  readonly attempts: number;
}
