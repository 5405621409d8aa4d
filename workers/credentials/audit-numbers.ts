/** Describes numbers in the audit chain, which has only their count and their digest, never the numbers. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../../shared/bytes.ts';

export function auditNumbers(numbers: readonly string[]): { numbers: number; sha256OfNumbers: string } {
  return { numbers: numbers.length, sha256OfNumbers: toHex(sha256(utf8(numbers.join()))) };
}
