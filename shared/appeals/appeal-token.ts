/**
 * The token of an appeal, which its appellant gets: which appeal it is and when it came in, as authenticated encryption
 * (AES-SIV, RFC 5297) under the key of references. So the service stores no tokens, and answers only those that it issued.
 */
import { fromBase64Url, toBase64Url } from '../bytes.ts';
import { APPEAL_TOKEN_CHARS } from '../limits/appeals.ts';
import { openSiv, sealSiv } from '../set/siv.ts';

export interface AppealTicket {
  /** Of the appeal; UNMATCHED if the reference was unknown. */
  readonly id: number;
  /** When it was received, in ms since 1970. */
  readonly at: number;
}

/** No appeal has this ID. Its token looks like any other. */
export const UNMATCHED = 0;

/** First byte. No reference begins with it. */
const KIND = 0x20;
/** The kind, ID and time as 64-bit floats, then random bytes: two tokens are never equal. */
const TICKET_BYTES = 17;
const RANDOM_BYTES = 9;

/** @param key `appealKey` of the list keys */
export function sealTicket({ id, at }: AppealTicket, key: Uint8Array): string {
  const bytes = new Uint8Array(TICKET_BYTES + RANDOM_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, KIND);
  view.setFloat64(1, id);
  view.setFloat64(9, at);
  crypto.getRandomValues(bytes.subarray(TICKET_BYTES));
  return toBase64Url(sealSiv(bytes, key));
}

/** The ticket, or null if the token was not made with this key. */
export function openTicket(token: string, key: Uint8Array): AppealTicket | null {
  if (token.length !== APPEAL_TOKEN_CHARS) return null;
  const sealed = fromBase64Url(token);
  const bytes = sealed === null ? null : openSiv(sealed, key);
  if (bytes?.[0] !== KIND) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { id: view.getFloat64(1), at: view.getFloat64(9) };
}
