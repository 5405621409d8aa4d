/**
 * Sender ids as tests list them: by the fingerprint under which they are blocked.
 */
import { type LiveKey, printKey } from '../../../shared/live/entry.ts';
import { printsOf } from '../../../shared/sources/source.ts';

export function sourceFingerprint(text: string, seed: bigint): bigint {
  return printsOf({ kind: 'senderId', name: text }, seed).alike;
}

export function sourceKey(text: string, seed: bigint): LiveKey {
  return printKey(sourceFingerprint(text, seed));
}
