/** The lines of a snapshot: the service writes them, and consumers read them. */
import { csvLine } from '../csv.ts';
import type { FeedEntry } from './entry.ts';

export const SNAPSHOT_FORMATS = ['ndjson', 'csv'] as const;
export type SnapshotFormat = (typeof SNAPSHOT_FORMATS)[number];

/** An entry of a snapshot. */
export type SnapshotEntry = FeedEntry & {
  readonly reference: string;
  /** Of the event that made it so. */
  readonly position: number;
};

/** Where a snapshot stands: the first line of its NDJSON. */
export interface SnapshotHead {
  /** Read the events after it. */
  readonly cursor: string;
  /** What the event after it follows, unless that begins an epoch. */
  readonly digest: string;
}

/** In the protected header of each piece of an encrypted snapshot, as `snapshot`. */
export interface SnapshotPiece extends SnapshotHead {
  /** From 0 on. */
  readonly piece: number;
  readonly isLast: boolean;
}

export function snapshotHead({ cursor, digest }: SnapshotHead): SnapshotHead {
  return { cursor, digest };
}

/** Of the CSV. */
export const snapshotColumns = [
  ...(['reference', 'position', 'number', 'source', 'subject', 'effect'] as const),
  ...(['code', 'authority', 'list', 'rule', 'stage', 'until'] as const),
  ...(['host', 'fingerprint', 'textKeyId', 'firstSeen', 'lastSeen', 'reporters'] as const),
] as const;

/** An empty field is null, or no field of such an entry. */
export function csvRow(entry: SnapshotEntry): string {
  const fields: Readonly<Record<string, unknown>> = { ...entry };
  return csvLine(snapshotColumns.map((column) => String(fields[column] ?? '')));
}
