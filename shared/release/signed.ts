/**
 * A signed text: Ed25519 (RFC 8032) over the exact text, which is therefore carried as a string. Everything
 * of a release in KV is signed this way, or named by its digest in a signed document, so write access to KV
 * is not enough to forge a release.
 */
import * as v from 'valibot';
import { fromBase64, toBase64, utf8 } from '../bytes.ts';

/** An Ed25519 signature and a public key, in bytes (RFC 8032). */
const SIGNATURE_BYTES = 64;
export const PUBLIC_KEY_BYTES = 32;

export const signedTextSchema = v.strictObject({
  signed: v.string(),
  /** Base64. */
  signature: v.string(),
});
export type SignedText = v.InferOutput<typeof signedTextSchema>;

/** The signed text in a JSON document, or null if there is none. */
export function parseSignedText(text: string): SignedText | null {
  try {
    const parsed = v.safeParse(signedTextSchema, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** The purpose is part of the signed message, so that no other kind of document passes as a manifest. */
function message(text: string): Uint8Array<ArrayBuffer> {
  return utf8(`numgate/1 manifest\n${text}`);
}

export async function signText(text: string, privateKey: CryptoKey): Promise<SignedText> {
  const signature = await crypto.subtle.sign('Ed25519', privateKey, message(text));
  return { signed: text, signature: toBase64(new Uint8Array(signature)) };
}

/** Parses RELEASE_PUBLIC_KEYS, the keys that may sign. @returns null if one of them is invalid */
export async function openPublicKeys(text: string): Promise<CryptoKey[] | null> {
  const keys: CryptoKey[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const raw = fromBase64(part);
    if (raw?.length !== PUBLIC_KEY_BYTES) return null;
    keys.push(await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']));
  }
  return keys;
}

/** Whether one of the keys signed the text. */
export async function isSigned(
  { signed, signature }: SignedText,
  publicKeys: readonly CryptoKey[],
): Promise<boolean> {
  const bytes = fromBase64(signature);
  // For a signature of another length, workerd throws and Node returns false.
  if (bytes?.length !== SIGNATURE_BYTES) return false;
  for (const key of publicKeys) {
    if (await crypto.subtle.verify('Ed25519', key, bytes, message(signed))) return true;
  }
  return false;
}
