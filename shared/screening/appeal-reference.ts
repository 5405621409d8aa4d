/**
 * The reference that a blocked sender or recipient appeals with: which block of which number or sender ID it is, as
 * authenticated encryption (AES-SIV, RFC 5297) under a key that is derived from LIST_KEY. Nothing is stored per block. The same
 * block of the same number always has the same reference. Pure and synchronous: it is made only when a block is formatted.
 *
 * Content, in bytes: 1 version and flags; 1 position of the code in CODES; the number in 7, or 1 length and the sender ID;
 * `seq` of the live entry in 4, or 1 length and the name of the list; the authority. Integers are big-endian, texts UTF-8.
 */
import { fromBase64Url, toBase64Url } from '../bytes.ts';
import { APPEAL_REFERENCE_CHARS_MAX } from '../limits/appeals.ts';
import { openSiv, sealSiv } from '../set/siv.ts';
import { CODES, type Code, type Reason, type Subject } from '../verdict.ts';
import type { FoundReason } from './finding.ts';

/** What an appeal is against. */
export interface AppealedBlock {
  readonly subject: Subject;
  /** A number as an integer, or the text of a sender ID. */
  readonly party: number | string;
  /** `seq` of the live entry; null if a list has the entry. */
  readonly seq: number | null;
  /** The name of the list, or `live`. */
  readonly list: string;
  readonly code: Code;
  readonly authority: string;
}

const VERSION = 1;
const FLAGS = { to: 1, source: 2, live: 4 } as const;
const VERSION_SHIFT = 4;
/** Of the longest reference. */
const CONTENT_BYTES_MAX = (APPEAL_REFERENCE_CHARS_MAX * 3) / 4;

/** @param key `appealKey` of the list keys */
export function sealReference(block: AppealedBlock, key: Uint8Array): string {
  return toBase64Url(sealSiv(encode(block), key));
}

/** The block, or null if the reference was not made with this key. */
export function openReference(reference: string, key: Uint8Array): AppealedBlock | null {
  if (reference.length > APPEAL_REFERENCE_CHARS_MAX) return null;
  const bytes = fromBase64Url(reference);
  const content = bytes === null ? null : openSiv(bytes, key);
  return content === null ? null : decode(content);
}

/** Reasons as they are sent: a block of a number or sender ID gets its reference. @param key as for `sealReference` */
export function withReferences(reasons: readonly FoundReason[], key: Uint8Array): readonly Reason[] {
  // Most decisions have no reason that needs one.
  if (!reasons.some(({ blocked }) => blocked !== undefined)) return reasons;
  return reasons.map(({ blocked, ...reason }) => {
    const { subject, list, code, authority } = reason;
    if (blocked === undefined || list === null || authority === null) return reason;
    return { ...reason, appeal: sealReference({ subject, list, code, authority, ...blocked }, key) };
  });
}

function encode({ subject, party, seq, list, code, authority }: AppealedBlock): Uint8Array {
  const writer = new Writer();
  const isSource = typeof party === 'string';
  const flags =
    (subject === 'to' ? FLAGS.to : 0) | (isSource ? FLAGS.source : 0) | (seq === null ? 0 : FLAGS.live);
  writer.integer((VERSION << VERSION_SHIFT) | flags, 1);
  writer.integer(CODES.indexOf(code), 1);
  if (isSource) writer.text(party);
  else writer.integer(party, 7);
  if (seq === null) writer.text(list);
  else writer.integer(seq, 4);
  writer.end(authority);
  return writer.bytes;
}

function decode(bytes: Uint8Array): AppealedBlock | null {
  const flags = bytes[0]!;
  const code = CODES[bytes[1]!];
  if (flags >>> VERSION_SHIFT !== VERSION || code === undefined) return null;
  let at = 2;
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const text = (length: number): string => new TextDecoder().decode(take(length));
  const number = (length: number): number => take(length).reduce((sum, byte) => sum * 256 + byte, 0);
  const party = (flags & FLAGS.source) === 0 ? number(7) : text(number(1));
  const isLive = (flags & FLAGS.live) !== 0;
  const seq = isLive ? number(4) : null;
  const list = isLive ? 'live' : text(number(1));
  const subject = (flags & FLAGS.to) === 0 ? 'from' : 'to';
  return { subject, party, seq, list, code, authority: text(bytes.length - at) };
}

/** The space of all writers: none lives longer than a call. */
const space = new Uint8Array(CONTENT_BYTES_MAX);
const encoder = new TextEncoder();

class Writer {
  #at = 0;

  get bytes(): Uint8Array {
    return space.subarray(0, this.#at);
  }

  integer(value: number, length: number): void {
    for (let at = this.#at + length - 1, left = value; at >= this.#at; at--) {
      space[at] = left % 256;
      left = Math.floor(left / 256);
    }
    this.#at += length;
  }

  /** After its length. */
  text(text: string): void {
    const { written } = encoder.encodeInto(text, space.subarray(this.#at + 1));
    space[this.#at] = written;
    this.#at += 1 + written;
  }

  end(text: string): void {
    this.#at += encoder.encodeInto(text, space.subarray(this.#at)).written;
  }
}
