/**
 * The appellant's token of an appeal: the appeal's ID and time of receipt, as authenticated encryption (AES-SIV, RFC 5297)
 * under the key of references. The service stores no tokens, and answers only tokens that it issued.
 */
import { fromBase64Url, toBase64Url } from '../bytes.ts';
import { APPEAL_TOKEN_CHARS } from '../limits/appeals.ts';
import { openSiv, sealSiv } from '../set/siv.ts';

export interface AppealTicket {
  /** ID of the appeal; UNMATCHED if the reference was unknown. */
  readonly id: number;
  /** When the appeal was received, in ms since 1970. */
  readonly at: number;
}

/** The ID in the token for an unknown reference. No appeal has it, and the token looks like any other. */
export const UNMATCHED = 0;

/** First byte of a token before encryption. No reference begins with it. */
const KIND = 0x20;
/** Bytes of the kind, and of the ID and time as 64-bit floats. Random bytes follow, so that no two tokens are equal. */
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

/** Returns the ticket, or null if the token was not made with this key. */
export function openTicket(token: string, key: Uint8Array): AppealTicket | null {
  if (token.length !== APPEAL_TOKEN_CHARS) return null;
  const sealed = fromBase64Url(token);
  const bytes = sealed === null ? null : openSiv(sealed, key);
  if (bytes?.[0] !== KIND) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { id: view.getFloat64(1), at: view.getFloat64(9) };
}
