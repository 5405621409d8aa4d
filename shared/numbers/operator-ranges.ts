/**
 * The Korean mobile ranges whose operator is public. data/README.md says what is missing. Numbers are portable, so only
 * guards use these ranges, never a verdict.
 */
import operators from '../../data/kr-operator-ranges.json' with { type: 'json' };
import type { Span } from './spans.ts';

/** Numbers that were allocated to one operator. */
export interface OperatorRange extends Span {
  readonly operator: string;
}

export const KR_OPERATOR_RANGES: readonly OperatorRange[] = operators.ranges;
