/** The data in an evidence file about the audit log as a whole. */
import type { KnownRecord } from '../../shared/audit.ts';

/** The tree that proves the records of a file. */
export interface EvidenceTree {
  readonly origin: string;
  readonly checkpointKey: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly start: KnownRecord;
  readonly trimmedTo: number;
  readonly checkpoint: string;
  /** Earlier checkpoints, in ascending order, each with the proof that its tree is the beginning of this tree. */
  readonly checkpoints: readonly { size: number; checkpoint: string; hashes: readonly string[] }[];
}
