/**
 * A text and who vouches for it: Ed25519 (RFC 8032) over the exact text, which is therefore carried as
 * a string. Everything of a release that KV holds is signed so, or named by the digest in something that
 * is: who can write KV cannot make a reader believe anything.
 */
import * as v from 'valibot';
import { fromBase64, toBase64 } from '../bytes.ts';

/** An Ed25519 signature, in bytes (RFC 8032). */
const SIGNATURE_BYTES = 64;

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

/** What a text is for: signed with it, so that one kind of document cannot stand for another. */
export type Purpose = 'manifest';

function message(purpose: Purpose, text: string) {
  return new TextEncoder().encode(`numgate/1 ${purpose}\n${text}`);
}

export async function signText(purpose: Purpose, text: string, privateKey: CryptoKey): Promise<SignedText> {
  const signature = await crypto.subtle.sign('Ed25519', privateKey, message(purpose, text));
  return { signed: text, signature: toBase64(new Uint8Array(signature)) };
}

/** Whether one of the keys signed the text for this purpose. */
export async function isSigned(
  purpose: Purpose,
  { signed, signature }: SignedText,
  publicKeys: readonly CryptoKey[],
): Promise<boolean> {
  const bytes = fromBase64(signature);
  // workerd throws on a signature of another length; Node answers false.
  if (bytes?.length !== SIGNATURE_BYTES) return false;
  for (const key of publicKeys) {
    if (await crypto.subtle.verify('Ed25519', key, bytes, message(purpose, signed))) return true;
  }
  return false;
}
