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

/** An inspection, or the end of a qualification, that is near or overdue. */
export interface DueQualification {
  readonly organisation: string;
  readonly due: 'inspection' | 'end';
  readonly at: string;
}

/** Detected enumeration: one object for each organisation and UTC day. */
export interface DetectionInfo {
  readonly organisation: string;
  /** UTC, as in 2026-11-24. */
  readonly day: string;
  readonly at: string;
  readonly found: readonly Detection[];
}

/** Changes of registered senders since the releases. */
export interface RegistrationsInfo {
  /** The last change. */
  readonly version: number;
  /** A release that lacks changes up to this version is refused. */
  readonly droppedVersion: number;
  /** Changes that are missing from the current release, or from a release that a rollback can reach. */
  readonly changes: number;
  /** Number of changes from which additions wait. */
  readonly additionsMax: number;
  /** Number of changes from which removals wait too. */
  readonly changesMax: number;
  /** Organisations whose additions wait, and since when. */
  readonly waiting: readonly { readonly organisation: string; readonly since: string }[];
  /** Organisations whose batch of changes the registry refuses, and since when. The batch blocks all later ones. */
  readonly refused: readonly { readonly organisation: string; readonly since: string }[];
  /** Pairs and ranges in force, of all organisations. A build fails if they exceed what a release holds. */
  readonly used: {
    readonly pairs: number;
    readonly pairsMax: number;
    readonly ranges: number;
    readonly rangesMax: number;
    /** The organisations with the most pairs or ranges, at most five each. */
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
    /** Rule entries among `entries`. Older services omit it. */
    readonly rules?: number;
  };
  /** Releases contain the changes up to this `seq`, and the live layer has dropped them. Older services omit it. */
  readonly droppedSeq?: number;
  readonly clients: number;
  /** Older services omit it. It is also absent while the registry does not respond. */
  readonly registrations?: RegistrationsInfo;
  /** Rule blocks and decisions of rules. Older services omit it. It is also absent while the desk does not respond. */
  readonly response?: ResponseInfo;
  /** Older services omit it. */
  readonly listKeys?: ListKeyInfo;
  /** Keys that expire within 30 days, or expired in the last 30 days: the first 100. Older services omit it. */
  readonly expiring?: readonly ExpiringKey[];
  /** Inspections due within 30 days or overdue, and qualifications that end: the first 100. Older services omit it. */
  readonly dueQualifications?: readonly DueQualification[];
  /** Proposals that still need a person to act, by state. Older services omit it. */
  readonly proposals?: Readonly<Record<string, number>>;
  /** The `seq` of the head's copy in KV. Edges read the copy while the coordinator does not respond. */
  readonly kvSeq: number;
  /** Position and hash of the newest audit record. Store a copy elsewhere: it protects the end of the log. */
  readonly audit: {
    readonly n: number;
    readonly hash: string;
    /** The last trimmed record; 0 if none was trimmed. Older services omit it. */
    readonly trimmedTo?: number;
    /** Hash of record `trimmedTo`, which the first kept record follows. 64 zeros if none was trimmed. */
    readonly trimmedHash?: string;
    /** The newest checkpoint, and the key that verifies it. Both are null without CHECKPOINT_KEY. Older services omit both. */
    readonly checkpoint?: Omit<CheckpointInfo, 'checkpoint'> | null;
    readonly checkpointKey?: string | null;
    /** How far the log was exported. Older services omit it. */
    readonly exports?: readonly ExportInfo[];
  };
  /** Data centres that polled since the coordinator started, with the `seq` that each received. */
  readonly propagation: readonly {
    readonly dataCentre: string;
    readonly seq: number;
    readonly askedAt: string;
    /** IDs of the keys that its edge has. Older edges do not report them. */
    readonly keyIds?: readonly string[];
  }[];
}
