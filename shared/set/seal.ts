/**
 * AES-256-GCM for values whose opened form is plain (range and source tables, the head, live segments, the
 * client directory, block records), so that they cannot be read from KV without LIST_KEY. The nonce is an
 * HMAC of the content: equal content gives equal bytes, so an unchanged table keeps its key. Two contents
 * share a nonce with probability 2^-96.
 */

import type { ListKeys } from './keys.ts';
import { SEAL_NONCE_BYTES, SEAL_TAG_BYTES } from './layout.ts';

export async function seal(
  content: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Uint8Array<ArrayBuffer>> {
  const mac = await crypto.subtle.sign('HMAC', keys.nonceKey, content);
  const nonce = new Uint8Array(mac).slice(0, SEAL_NONCE_BYTES);
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, keys.sealKey, content);
  const bytes = new Uint8Array(SEAL_NONCE_BYTES + sealed.byteLength);
  bytes.set(nonce);
  bytes.set(new Uint8Array(sealed), SEAL_NONCE_BYTES);
  return bytes;
}

/** The content, or null if the bytes were altered, truncated, or sealed with another key. */
export async function unseal(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (bytes.length < SEAL_NONCE_BYTES + SEAL_TAG_BYTES) return null;
  const iv = bytes.subarray(0, SEAL_NONCE_BYTES);
  try {
    const content = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv },
      keys.sealKey,
      bytes.subarray(SEAL_NONCE_BYTES),
    );
    return new Uint8Array(content);
  } catch {
    return null;
  }
}
