/** The lines of a snapshot of the feed. The service writes them, and consumers read them. */
import { csvLine } from '../csv.ts';
import type { FeedEntry } from './entry.ts';

export const SNAPSHOT_FORMATS = ['ndjson', 'csv'] as const;
export type SnapshotFormat = (typeof SNAPSHOT_FORMATS)[number];

/** An entry of a snapshot. */
export type SnapshotEntry = FeedEntry & {
  readonly reference: string;
  /** Position of the event that set the entry. */
  readonly position: number;
};

/** The place of a snapshot in the chain: the first line of its NDJSON. */
export interface SnapshotHead {
  /** Consumers continue with the events after this cursor. */
  readonly cursor: string;
  /** The digest that the next event follows, unless that event begins an epoch. */
  readonly digest: string;
}

/** The member `snapshot` in the protected header of each piece of an encrypted snapshot. */
export interface SnapshotPiece extends SnapshotHead {
  /** From 0 on. */
  readonly piece: number;
  readonly isLast: boolean;
}

export function snapshotHead({ cursor, digest }: SnapshotHead): SnapshotHead {
  return { cursor, digest };
}

/** Columns of the CSV form. */
export const snapshotColumns = [
  ...(['reference', 'position', 'number', 'source', 'subject', 'effect'] as const),
  ...(['code', 'authority', 'list', 'rule', 'stage', 'until'] as const),
  ...(['host', 'fingerprint', 'textKeyId', 'firstSeen', 'lastSeen', 'reporters'] as const),
] as const;

/** Formats an entry as CSV. A field is empty if it is null, or if this kind of entry lacks it. */
export function csvRow(entry: SnapshotEntry): string {
  const fields: Readonly<Record<string, unknown>> = { ...entry };
  return csvLine(snapshotColumns.map((column) => String(fields[column] ?? '')));
}
