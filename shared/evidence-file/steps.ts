/** The steps of verifying an evidence file, in their order. Each needs those before it. */
import { type Failure, fail, type Result } from '../result.ts';

export const EVIDENCE_STEPS = [
  'manifest',
  'signature',
  'parts',
  'checkpoint',
  'log',
  'checkpoints',
  'chains',
  'subjects',
  'rules',
] as const;
export type EvidenceStep = (typeof EVIDENCE_STEPS)[number];

/** The message is one sentence without the name of the step. It has no number in clear. */
export interface StepResult {
  readonly step: EvidenceStep;
  /** Null if it was not reached. */
  readonly ok: boolean | null;
  readonly code: EvidenceProblem | null;
  readonly message: string;
}

export type EvidenceProblem =
  | 'MANIFEST_INVALID'
  | 'SIGNATURE_INVALID'
  | 'SIGNER_OTHER'
  | 'PART_MISSING'
  | 'PART_ADDED'
  | 'PART_ALTERED'
  | 'PART_INVALID'
  | 'CHECKPOINT_INVALID'
  | 'CHECKPOINT_OTHER'
  | 'RECORD_ALTERED'
  | 'RECORD_OUTSIDE'
  | 'RECORD_FOREIGN'
  | 'PROOF_MISSING'
  | 'TREE_OTHER'
  | 'ANCHOR_OTHER'
  | 'RULE_OTHER';

/** What a step has found: the message for people. */
export type StepDone = Result<string, Failure<EvidenceProblem>>;

/** `1 record`, `2 records`. With commas, so that a figure does not look like a phone number. */
export function counted(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

export function wrong(code: EvidenceProblem, message: string): Failure<EvidenceProblem> {
  return fail(code, message);
}
