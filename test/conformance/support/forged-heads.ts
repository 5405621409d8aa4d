/**
 * Heads of an attacker with write access to KV. One attacker lacks LIST_KEY, the other has it but lacks the signing key. Both
 * heads name a current release without entries.
 */
import { buildRelease } from '../../../shared/build/release.ts';
import { fromBase64, toBase64 } from '../../../shared/bytes.ts';
import { encodeSegment } from '../../../shared/live/segment.ts';
import { type Head, openHead, sealHead } from '../../../shared/release/head.ts';
import { signManifest } from '../../../shared/release/manifest.ts';
import { deriveListKeys, type ListKeys } from '../../../shared/set/keys.ts';
import { world } from './world.ts';

/** Far above the `seq` of the service, so that a reader would prefer the forged head. */
const SEQ = 1_000_000;

async function emptyRelease(keys: ListKeys) {
  const built = await buildRelease([], keys, { base: null, createdAt: new Date(), foldedSeq: 0 });
  if (!built.ok) throw new Error(built.message);
  const { privateKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const signed = await signManifest(built.value.manifest, privateKey);
  return { named: { release: built.value.manifest.release, signature: signed.signature }, signed };
}

export async function headWithForeignKey(): Promise<Uint8Array<ArrayBuffer>> {
  const keys = await deriveListKeys(crypto.getRandomValues(new Uint8Array(32)));
  const { named, signed } = await emptyRelease(keys);
  const head: Head = {
    ...{ kind: 'numgate-head', format: 2, seq: SEQ, changedAt: new Date().toISOString() },
    ...{ current: named, candidate: null, droppedSeq: 0, segments: [], clients: null },
    tail: toBase64(encodeSegment([])),
  };
  return sealHead({ head, manifests: [signed] }, keys);
}

/** @param good the current head, which the forged head copies except for the release */
export async function headWithForgedRelease(good: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const keys = await deriveListKeys(fromBase64(world().secrets.LIST_KEY)!);
  const opened = await openHead(good, keys);
  if (!opened.ok) throw new Error(opened.message);
  const { named, signed } = await emptyRelease(keys);
  const head = { ...opened.value.head, seq: SEQ, current: named };
  return sealHead({ head, manifests: [signed] }, keys);
}
