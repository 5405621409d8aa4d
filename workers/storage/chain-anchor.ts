/** An anchor: what the audit log records of the audit chain of another object. */
import type { KnownRecord } from '../../shared/audit.ts';

/** The end of a chain, and the root over the records since the previous anchor. */
export interface ChainAnchor extends KnownRecord {
  /** Number of the record before the first one that `root` covers; `n` is the last one. */
  readonly from: number;
  /** Base64. Leaf `i` is the line of record `from + 1 + i` (`auditLine`). */
  readonly root: string;
}
