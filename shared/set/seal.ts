/**
 * AES-256-GCM for values whose opened form is plain (range and source tables, the head, live segments, the
 * client directory, block records), so that they cannot be read from KV without LIST_KEY. The nonce is an
 * HMAC of the content: equal content gives equal bytes, so an unchanged table keeps its key. Two contents
 * share a nonce with probability 2^-96.
 *
 * A value that nothing else binds to its place in KV is sealed for that place: its key in KV is additional
 * data, and the value does not open anywhere else. The nonce then also covers the place, because one nonce with two
 * kinds of additional data would reveal the authentication key.
 */

import { utf8 } from '../bytes.ts';
import type { ListKeys } from './keys.ts';
import { SEAL_NONCE_BYTES, SEAL_TAG_BYTES } from './layout.ts';

/** @param place the key in KV that the value is bound to; '' if its content or its digest binds it */
export async function seal(
  content: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
  place = '',
): Promise<Uint8Array<ArrayBuffer>> {
  const nonce = (await macOf(content, keys, place)).slice(0, SEAL_NONCE_BYTES);
  const sealed = await crypto.subtle.encrypt(cipherOf(nonce, place), keys.sealKey, content);
  const bytes = new Uint8Array(SEAL_NONCE_BYTES + sealed.byteLength);
  bytes.set(nonce);
  bytes.set(new Uint8Array(sealed), SEAL_NONCE_BYTES);
  return bytes;
}

/** The content, or null if the bytes were altered, or sealed with another key or for another place. */
export async function unseal(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
  place = '',
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (bytes.length < SEAL_NONCE_BYTES + SEAL_TAG_BYTES) return null;
  const iv = bytes.subarray(0, SEAL_NONCE_BYTES);
  try {
    const sealed = bytes.subarray(SEAL_NONCE_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt(cipherOf(iv, place), keys.sealKey, sealed));
  } catch {
    return null;
  }
}

function cipherOf(iv: Uint8Array<ArrayBuffer>, place: string) {
  return { name: 'AES-GCM', iv, additionalData: utf8(place) };
}

/** HMAC of the content, or for a place, HMAC of that HMAC and the place. */
async function macOf(content: Uint8Array<ArrayBuffer>, { nonceKey }: ListKeys, place: string) {
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', nonceKey, content));
  if (place === '') return mac;
  return new Uint8Array(
    await crypto.subtle.sign('HMAC', nonceKey, Uint8Array.from([...mac, ...utf8(place)])),
  );
}
