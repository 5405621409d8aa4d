/** The steps of verifying an evidence file, in order. Each step relies on the steps before it. */
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

/** The result of a step. The message is one sentence, without the name of the step. It has no number in clear. */
export interface StepResult {
  readonly step: EvidenceStep;
  /** Null if the step was not reached. */
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

/** The outcome of a step: a message for people, or a failure. */
export type StepDone = Result<string, Failure<EvidenceProblem>>;

/** Formats a count: `1 record`, `2 records`. Commas keep a figure from looking like a phone number. */
export function counted(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

export function wrong(code: EvidenceProblem, message: string): Failure<EvidenceProblem> {
  return fail(code, message);
}
