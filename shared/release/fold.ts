/** Checks that a release and the head together have all changes: live changes, and changes of registered senders. */
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

/**
 * @param contained the release contains the changes of registered senders up to this version; 0 if it has none
 * @param droppedVersion the head no longer has the changes up to this version
 * @param version version of the last change
 */
export function checkRegistrations(
  contained: number,
  droppedVersion: number,
  version: number,
): Result<void, Failure<'REGISTRATIONS_BEHIND' | 'REGISTRATIONS_AHEAD'>> {
  const contents = `it contains changes of registered senders up to version ${contained}`;
  if (contained < droppedVersion) {
    const dropped = `those up to version ${droppedVersion} are no longer in the head`;
    return fail('REGISTRATIONS_BEHIND', `${contents}, but ${dropped}: build again, with registrations`);
  }
  if (contained > version) {
    return fail(
      'REGISTRATIONS_AHEAD',
      `${contents}, but the last change in the head is ${version}: try again`,
    );
  }
  return ok(undefined);
}
