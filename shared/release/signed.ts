/**
 * A signed text: Ed25519 (RFC 8032) over the exact text, which is therefore carried as a string. Everything
 * of a release in KV is signed this way, or named by its digest in a signed document, so write access to KV
 * is not enough to forge a release.
 */
import * as v from 'valibot';
import { fromBase64, sha256Hex, toBase64, utf8 } from '../bytes.ts';
import { NAME_PATTERN } from '../schemas.ts';

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

/** Owner of the installation's own keys, which may sign releases that change any list. */
export const ANY_OWNER = '*';

/** A key that may sign releases. */
export interface ReleaseKey {
  readonly key: CryptoKey;
  /** ID of the organisation whose lists the releases may change, or ANY_OWNER. */
  readonly owner: string;
  /** First 16 hex digits of the SHA-256 of the key: names it in the audit log. */
  readonly id: string;
}

/**
 * Parses RELEASE_PUBLIC_KEYS, the keys that may sign: each in base64, with `<organisation>:` before it unless it
 * is a key of the installation.
 * @returns null if a key is invalid or occurs twice
 */
export async function openPublicKeys(text: string): Promise<ReleaseKey[] | null> {
  const keys: ReleaseKey[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const [, owner = ANY_OWNER, base64 = ''] = /^(?:(.*):)?(.*)$/.exec(part)!;
    const raw = fromBase64(base64);
    if (raw?.length !== PUBLIC_KEY_BYTES) return null;
    if (owner !== ANY_OWNER && !NAME_PATTERN.test(owner)) return null;
    const id = (await sha256Hex(raw)).slice(0, 16);
    if (keys.some((other) => other.id === id)) return null;
    keys.push({ key: await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']), owner, id });
  }
  return keys;
}

/** The key that signed the text; null if none of the keys did. */
export async function signerOf(
  { signed, signature }: SignedText,
  publicKeys: readonly ReleaseKey[],
): Promise<ReleaseKey | null> {
  const bytes = fromBase64(signature);
  // For a signature of another length, workerd throws and Node returns false.
  if (bytes?.length !== SIGNATURE_BYTES) return null;
  for (const each of publicKeys) {
    if (await crypto.subtle.verify('Ed25519', each.key, bytes, message(signed))) return each;
  }
  return null;
}
