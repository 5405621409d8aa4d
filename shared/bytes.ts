/**
 * Converts bytes to text and back: hex for names and digests, base64 for keys and signatures.
 * For small values only: shards are never converted.
 */
import { bytesToHex } from '@noble/hashes/utils.js';

export { bytesToHex as toHex, hexToBytes as fromHex } from '@noble/hashes/utils.js';

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Returns the bytes, or null if the text is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    // `Uint8Array.from` with a callback takes some ten times as long.
    for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
    return bytes;
  } catch {
    return null;
  }
}

const BASE64_URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const BASE64_URL_CODES = Uint8Array.from(BASE64_URL, (char) => char.charCodeAt(0));

/**
 * Base64url without padding. Speed matters, because each blocked answer has a reference: this takes a sixth of the time of
 * a `TextDecoder`. A table of pairs is faster in a loop, but slower between other work, because it leaves the cache.
 */
export function toBase64Url(bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % 3);
  const codes = BASE64_URL_CODES;
  let text = '';
  for (let at = 0; at < whole; at += 3) {
    const group = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    text += String.fromCharCode(
      codes[group >>> 18]!,
      codes[(group >>> 12) & 63]!,
      codes[(group >>> 6) & 63]!,
      codes[group & 63]!,
    );
  }
  if (bytes.length === whole) return text;
  const [last, second] = [bytes[whole]!, bytes[whole + 1]];
  if (second === undefined) return text + BASE64_URL[last >>> 2]! + BASE64_URL[(last << 4) & 63]!;
  const group = (last << 10) | (second << 2);
  return text + BASE64_URL[group >>> 12]! + BASE64_URL[(group >>> 6) & 63]! + BASE64_URL[group & 63]!;
}

/** Returns the bytes, or null if the text is not base64url without padding. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  return /^[\w-]*$/.test(text) ? fromBase64(text.replaceAll('-', '+').replaceAll('_', '/')) : null;
}

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer> | string): Promise<string> {
  const data = typeof bytes === 'string' ? utf8(bytes) : bytes;
  return bytesToHex(new Uint8Array(await crypto.subtle.digest('SHA-256', data)));
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
}
