/**
 * The status of the service in the admin API.
 */
import type { Detection } from '../enumeration/detect.ts';
import type { CheckpointInfo, ExportInfo } from '../evidence.ts';
import type { StorageInfo } from '../storage-level.ts';
import type { ListKeyInfo } from './list-key.ts';
import type { ReleaseInfo } from './releases.ts';
import type { ResponseInfo } from './rule-blocks.ts';

export interface ExpiringKey {
  readonly kind: 'client' | 'token';
  readonly id: string;
  readonly expires: string;
}

/** An inspection or an end of a qualification that is near or overdue. */
export interface DueQualification {
  readonly organisation: string;
  readonly due: 'inspection' | 'end';
  readonly at: string;
}

/** Enumeration that was detected: one for each organisation and UTC day. */
export interface DetectionInfo {
  readonly organisation: string;
  /** UTC, as in 2026-11-24. */
  readonly day: string;
  readonly at: string;
  readonly found: readonly Detection[];
}

/** Registered senders that changed since the releases. */
export interface RegistrationsInfo {
  /** The last change. */
  readonly version: number;
  /** A release that lacks changes up to this version is refused. */
  readonly droppedVersion: number;
  /** Changes that a release lacks which is current, or which a rollback can reach. */
  readonly changes: number;
  /** From this many on, additions wait. */
  readonly additionsMax: number;
  /** From this many on, removals wait too. */
  readonly changesMax: number;
  /** Organisations whose additions wait, and since when. */
  readonly waiting: readonly { readonly organisation: string; readonly since: string }[];
  /** Organisations with a batch of changes that the registry refuses, which blocks all later ones; since when. */
  readonly refused: readonly { readonly organisation: string; readonly since: string }[];
  /** What is in force of all organisations: a build fails with more than a release holds. */
  readonly used: {
    readonly pairs: number;
    readonly pairsMax: number;
    readonly ranges: number;
    readonly rangesMax: number;
    /** The organisations that have most, at most five. */
    readonly mostPairs: readonly OrganisationUsage[];
    readonly mostRanges: readonly OrganisationUsage[];
  };
}

interface OrganisationUsage {
  readonly organisation: string;
  readonly pairs: number;
  readonly ranges: number;
}

/** `GET /v1/admin/status` */
export interface StatusInfo extends StorageInfo {
  readonly seq: number;
  readonly changedAt: string | null;
  readonly current: ReleaseInfo | null;
  readonly candidate: (ReleaseInfo & { readonly share: number }) | null;
  readonly live: {
    readonly entries: number;
    readonly segments: number;
    readonly tail: number;
    /** Those of the entries that rules have. Older services omit it. */
    readonly rules?: number;
  };
  /** The live layer no longer has the changes up to this one: releases contain them. Older services omit it. */
  readonly droppedSeq?: number;
  readonly clients: number;
  /** Older services omit it, and so does one whose registry does not respond. */
  readonly registrations?: RegistrationsInfo;
  /** What rules made of reports. Older services omit it, and so does one whose desk does not respond. */
  readonly response?: ResponseInfo;
  /** Older services omit it. */
  readonly listKeys?: ListKeyInfo;
  /** Keys that end within 30 days, or ended in the last 30 days: the first 100. Older services omit it. */
  readonly expiring?: readonly ExpiringKey[];
  /** Inspections that are due within 30 days or overdue, and qualifications that end: the first 100. Older services omit it. */
  readonly dueQualifications?: readonly DueQualification[];
  /** Proposals in which a person still has to act, by state. Older services omit it. */
  readonly proposals?: Readonly<Record<string, number>>;
  /** The `seq` of the KV copy, which is read while the coordinator does not respond. */
  readonly kvSeq: number;
  /** Position and hash of the newest audit record. Store a copy elsewhere: it protects the end of the log. */
  readonly audit: {
    readonly n: number;
    readonly hash: string;
    /** The last trimmed record; 0 if none was trimmed. Older services omit it. */
    readonly trimmedTo?: number;
    /** Hash of that record, which the first record of the log follows; 64 zeros if none was trimmed. */
    readonly trimmedHash?: string;
    /** The newest checkpoint, and the key that verifies it. Null without CHECKPOINT_KEY. Older services omit both. */
    readonly checkpoint?: Omit<CheckpointInfo, 'checkpoint'> | null;
    readonly checkpointKey?: string | null;
    /** How far the log was exported. Older services omit it. */
    readonly exports?: readonly ExportInfo[];
  };
  /** Data centres that polled since the coordinator started, with the `seq` each received. */
  readonly propagation: readonly {
    readonly dataCentre: string;
    readonly seq: number;
    readonly askedAt: string;
    /** IDs of the keys that its edge has. Older edges do not report them. */
    readonly keyIds?: readonly string[];
  }[];
}
