/** Sender IDs as tests list them: by the fingerprint under which they are blocked. */
import { fingerprintKey, type LiveKey } from '../../../shared/live/entry.ts';
import { fingerprintsOf } from '../../../shared/sources/source.ts';

export function sourceFingerprint(text: string, seed: bigint): bigint {
  return fingerprintsOf({ kind: 'senderId', name: text }, seed).skeleton;
}

export function sourceKey(text: string, seed: bigint): LiveKey {
  return fingerprintKey(sourceFingerprint(text, seed));
}
