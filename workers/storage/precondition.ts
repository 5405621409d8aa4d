/** The preconditions of changes: `If-Match` and `If-None-Match` of a stored document. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../../shared/bytes.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';

export interface Precondition {
  /** The version that the caller has seen; null for any. */
  readonly match: string | null;
  /** The document must not exist. */
  readonly absent: boolean;
}

/** The version of a document: a digest of its content. */
export function versionOf(document: object): string {
  return toHex(sha256(utf8(JSON.stringify(document)))).slice(0, 16);
}

/** Checks the precondition of a change against the current document. */
export function checkPrecondition(
  { match, absent }: Precondition,
  current: object | null,
): Result<void, Failure<'PRECONDITION_FAILED'>> {
  if (absent && current !== null) return fail('PRECONDITION_FAILED', 'this id already exists');
  if (match !== null && (current === null || versionOf(current) !== match)) {
    return fail('PRECONDITION_FAILED', 'it has changed since you read it: read it again');
  }
  return ok(undefined);
}
