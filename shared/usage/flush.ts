/**
 * The message of an isolate to the object that keeps the counts of a client (workers/usage/), and the answer.
 * Backward compatible by one version, because edge and control are deployed separately.
 */
import type { ScanData } from '../enumeration/scan-sketch.ts';
import type { UsageCounts } from './counts.ts';
import type { MobileSenderTexts } from './mobile-senders.ts';
import type { TextCounts } from './text-counts.ts';

/** Counts of one isolate for one client. Sent again unchanged until the object has answered. */
export interface UsageFlush {
  readonly client: string;
  /** Random ID of the counter that these counts come from. */
  readonly isolate: string;
  /** Rises with each flush of an isolate. The object counts each (isolate, flush) once. */
  readonly flush: number;
  /** Hours since 1970, UTC: when the requests were answered. */
  readonly hour: number;
  readonly counts: UsageCounts;
  /** The object that the flush goes to, one of `shards`. Stays the same when the flush is sent again. */
  readonly shard: number;
  readonly shards: number;
  /** For the detection of enumeration. Older edges omit it. */
  readonly scan?: UsageScan;
  /** Texts by mobile number, if there are any: see mobile-senders.ts. Older edges omit it. */
  readonly mobile?: MobileSenderTexts;
  /** Scores of texts, if there are any: see text-counts.ts. Older edges omit it. */
  readonly scores?: readonly TextCounts[];
}

/** A summary of the numbers of a flush, which holds no number. */
export interface UsageScan {
  readonly organisation: string;
  /** Identifies the LIST_KEY of the sketch. Sketches of different keys do not add up. */
  readonly keyId: string;
  readonly sketch: ScanData;
}

export interface FlushAnswer {
  /** Number of objects that the counts of this client are divided over. It only grows. */
  readonly shards: number;
  /** Whether the client has used up its block records of this UTC day. */
  readonly recordsFull: boolean;
}

/** Counts of one hour or one day. */
export interface PeriodCounts {
  /** Its start, in hours since 1970. */
  readonly hour: number;
  /** 1, or 24. */
  readonly hours: number;
  readonly counts: UsageCounts;
}

export interface UsageHistory {
  readonly shards: number;
  /** Start of the last hour with a count, in hours since 1970; null if there is none. */
  readonly lastHour: number | null;
  readonly periods: readonly PeriodCounts[];
}

/** The name of an object. Client IDs have no slash. */
export function usageObjectName(client: string, shard: number): string {
  return shard === 0 ? client : `${client}/${shard}`;
}
