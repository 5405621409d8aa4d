/**
 * Wire types of the evidence for the audit log: checkpoints, proofs, and its export.
 */

/** `GET /v1/admin/audit/checkpoints?after=<size>&limit=`: one line per checkpoint. */
export interface CheckpointInfo {
  readonly size: number;
  readonly at: string;
  /** The signed note: shared/checkpoint.ts. */
  readonly checkpoint: string;
}

/** The tree for which a proof holds. Hashes are base64. */
export interface AuditProof {
  readonly size: number;
  readonly root: string;
  /** The last record before the tree. */
  readonly start: { readonly n: number; readonly hash: string };
}
/** `GET /v1/admin/audit/proof?n=&size=` */
export interface InclusionProof extends AuditProof {
  readonly n: number;
  /** Index of the leaf, from 0. */
  readonly index: number;
  readonly hashes: readonly string[];
}
/** `GET /v1/admin/audit/proof?from=&to=`. `from` and `to` are sizes. */
export interface ConsistencyProof extends AuditProof {
  readonly from: number;
  readonly fromRoot: string;
  readonly hashes: readonly string[];
}

/** The progress of the log's export to a sink. */
export interface ExportInfo {
  readonly sink: Sink;
  /** The last exported record. */
  readonly n: number;
  readonly at: string | null;
  /** Why the last attempt failed; null if it succeeded. Never contains the URL or the token of the sink. */
  readonly error: string | null;
  readonly failures: number;
}
/** `r2`: the bucket AUDIT_EXPORT. `https`: the server at AUDIT_SINK_URL. */
export const SINKS = ['r2', 'https'] as const;
export type Sink = (typeof SINKS)[number];
