/** Whether the live changes that a release contains fit the live layer. */
import { type Failure, fail, ok, type Result } from '../result.ts';

/**
 * @param foldedSeq the release contains the live changes up to this one
 * @param droppedSeq the live layer no longer has the changes up to this one
 * @param seq the last change
 */
export function checkFold(
  foldedSeq: number,
  droppedSeq: number,
  seq: number,
): Result<void, Failure<'FOLD_BEHIND' | 'FOLD_AHEAD'>> {
  const contents = `it contains live changes up to ${foldedSeq}`;
  if (foldedSeq < droppedSeq) {
    const dropped = `changes up to ${droppedSeq} were removed from the live layer`;
    return fail('FOLD_BEHIND', `${contents}, but ${dropped}: build again`);
  }
  if (foldedSeq > seq) return fail('FOLD_AHEAD', `${contents}, but the last change is ${seq}`);
  return ok(undefined);
}
