/**
 * Signed notes (c2sp.org/signed-note): a text of whole lines, a blank line, and signature lines
 * `— <name> <base64 of key ID and signature>`. Supports only Ed25519 keys (type 0x01). Keys have the text forms of
 * golang.org/x/mod/sumdb/note: `<name>+<key ID>+<base64>` verifies, and `PRIVATE+KEY+<name>+<key ID>+<base64>` signs.
 */
import { fromBase64, sha256Hex, toBase64, utf8 } from './bytes.ts';
import { ed25519Pair } from './ed25519.ts';

const ED25519 = 0x01;
/** Bytes of a key with its type, and of a signature with its key ID. */
const KEY_BYTES = 33;
const SIGNATURE_BYTES = 68;
const KEY_ID_BYTES = 4;
const PRIVATE = 'PRIVATE+KEY+';
const NAME = /^[^\s+]+$/u;

/** Signs notes. */
export interface NoteSigner {
  readonly name: string;
  /** The text form of the key that verifies. */
  readonly verifierKey: string;
  readonly sign: (text: string) => Promise<string>;
}

/** Verifies notes. */
export interface NoteVerifier {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyId: string;
  readonly key: CryptoKey;
}

export interface SignedNote {
  /** The signed text: lines, each with its line end. */
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

async function keyIdOf(name: string, publicKey: Uint8Array): Promise<string> {
  const head = utf8(`${name}\n`);
  const bytes = new Uint8Array(head.length + publicKey.length + 1);
  bytes.set(head);
  bytes[head.length] = ED25519;
  bytes.set(publicKey, head.length + 1);
  return (await sha256Hex(bytes)).slice(0, 2 * KEY_ID_BYTES);
}

function withType(key: Uint8Array): string {
  return toBase64(Uint8Array.from([ED25519, ...key]));
}

/** Parses a key in text form, without `PRIVATE+KEY+`. Returns null if it is not an Ed25519 key. */
function partsOf(text: string): { name: string; keyId: string; bytes: Uint8Array<ArrayBuffer> } | null {
  const match = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text);
  const bytes = fromBase64(match?.[3] ?? '');
  if (match === null || !NAME.test(match[1]!) || bytes?.length !== KEY_BYTES || bytes[0] !== ED25519)
    return null;
  return { name: match[1]!, keyId: match[2]!, bytes: bytes.slice(1) };
}

/** Opens a private key in text form. Returns null if it is not a private key. */
export async function openSigner(text: string): Promise<NoteSigner | null> {
  const parts = text.startsWith(PRIVATE) ? partsOf(text.slice(PRIVATE.length)) : null;
  const pair = parts === null ? null : await ed25519Pair(parts.bytes);
  if (parts === null || pair === null) return null;
  const { name, keyId } = parts;
  if ((await keyIdOf(name, pair.publicKey)) !== keyId) return null;
  const id = Uint8Array.from(keyId.match(/../g)!, (byte) => Number.parseInt(byte, 16));
  return {
    name,
    verifierKey: `${name}+${keyId}+${withType(pair.publicKey)}`,
    sign: async (note) => {
      const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', pair.key, utf8(note)));
      return `${note}\n— ${name} ${toBase64(Uint8Array.from([...id, ...signature]))}\n`;
    },
  };
}

/** Makes a new private key in text form. @returns null if the name is empty or has spaces or plus signs */
export async function newSignerKey(name: string): Promise<string | null> {
  const seed = crypto.getRandomValues(new Uint8Array(KEY_BYTES - 1));
  const pair = NAME.test(name) ? await ed25519Pair(seed) : null;
  if (pair === null) return null;
  return `${PRIVATE}${name}+${await keyIdOf(name, pair.publicKey)}+${withType(seed)}`;
}

/** Opens a public key in text form. Returns null if it is not a public key. */
export async function openVerifier(text: string): Promise<NoteVerifier | null> {
  const parts = partsOf(text);
  if (parts === null || (await keyIdOf(parts.name, parts.bytes)) !== parts.keyId) return null;
  const key = await crypto.subtle.importKey('raw', parts.bytes, 'Ed25519', false, ['verify']);
  return { name: parts.name, keyId: parts.keyId, key };
}

/** `UNSIGNED`: no signature names this key. */
export type SignatureProblem = 'UNSIGNED' | 'SIGNATURE_WRONG';

/** Verifies that a key signed the note. @returns null if it did, or the problem */
export async function verifyNote(
  { text, signatures }: SignedNote,
  { name, keyId, key }: NoteVerifier,
): Promise<SignatureProblem | null> {
  const own = signatures.filter((signature) => signature.name === name && hexId(signature.bytes) === keyId);
  if (own.length === 0) return 'UNSIGNED';
  for (const { bytes } of own) {
    const signature = bytes.slice(KEY_ID_BYTES);
    if (bytes.length !== SIGNATURE_BYTES) return 'SIGNATURE_WRONG';
    if (!(await crypto.subtle.verify('Ed25519', key, signature, utf8(text)))) return 'SIGNATURE_WRONG';
  }
  return null;
}

function hexId(bytes: Uint8Array): string {
  return [...bytes.subarray(0, KEY_ID_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Parses a signature line. Accepts signatures of any length, because those of other kinds of keys differ in length. */
function signatureIn(line: string): SignedNote['signatures'][number] | null {
  const match = /^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/u.exec(line);
  const bytes = fromBase64(match?.[2] ?? '');
  return match === null || bytes === null || bytes.length <= KEY_ID_BYTES ? null : { name: match[1]!, bytes };
}

/** Finds consecutive notes in a text, such as `curl … >> FILE` collects. Blank lines between notes are ignored. */
export function* notesIn(content: string): Generator<{ line: number; note: SignedNote | null }> {
  const lines = content.split('\n');
  for (let at = 0; at < lines.length; ) {
    if (lines[at] === '') {
      at++;
      continue;
    }
    const begin = at;
    while (at < lines.length && lines[at] !== '') at++;
    const text = `${lines.slice(begin, at).join('\n')}\n`;
    const signatures: SignedNote['signatures'][number][] = [];
    let isSigned = true;
    for (at++; lines[at]?.startsWith('— '); at++) {
      const signature = signatureIn(lines[at]!);
      if (signature === null) isSigned = false;
      else signatures.push(signature);
    }
    yield { line: begin + 1, note: isSigned && signatures.length > 0 ? { text, signatures } : null };
  }
}
