/**
 * A text and who vouches for it: Ed25519 (RFC 8032) over the exact text, which is therefore carried as
 * a string. Everything of a release that KV holds is signed so, or named by the digest in something that
 * is: who can write KV cannot make a reader believe anything.
 */
import * as v from 'valibot';
import { fromBase64, toBase64 } from '../bytes.ts';

/** An Ed25519 signature and a public key, in bytes (RFC 8032). */
const SIGNATURE_BYTES = 64;
export const PUBLIC_KEY_BYTES = 32;

export const signedTextSchema = v.strictObject({
  signed: v.string(),
  /** Base64. */
  signature: v.string(),
});
export type SignedText = v.InferOutput<typeof signedTextSchema>;

/** The signed text in a JSON document, or null where it is none. */
export function parseSignedText(text: string): SignedText | null {
  try {
    const parsed = v.safeParse(signedTextSchema, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** What it is for is signed with it, so that no other kind of document can stand for a manifest. */
function message(text: string) {
  return new TextEncoder().encode(`numgate/1 manifest\n${text}`);
}

export async function signText(text: string, privateKey: CryptoKey): Promise<SignedText> {
  const signature = await crypto.subtle.sign('Ed25519', privateKey, message(text));
  return { signed: text, signature: toBase64(new Uint8Array(signature)) };
}

/** Keys that may sign, as RELEASE_PUBLIC_KEYS has them. @returns null where one of them is none */
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
  // workerd throws on a signature of another length; Node answers false.
  if (bytes?.length !== SIGNATURE_BYTES) return false;
  for (const key of publicKeys) {
    if (await crypto.subtle.verify('Ed25519', key, bytes, message(signed))) return true;
  }
  return false;
}
