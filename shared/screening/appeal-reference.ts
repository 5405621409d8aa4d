/**
 * The reference that a blocked sender or recipient appeals with. It contains the block and its number or sender ID, under
 * authenticated encryption with a key derived from LIST_KEY. Nothing is stored per block. The same block of the same
 * number always has the same reference. Pure and synchronous: a reference is made only when a block is formatted.
 *
 * A sender ID: everything with AES-SIV (RFC 5297). Content, in bytes: 1 version and flags; 1 position of the code in
 * CODES; 1 length and the sender ID; 4 `seq` of the live entry, or 1 length and the name of the list; the authority.
 *
 * A number: one block of AES, then the origin. The origin is the same for all numbers that a list blocks, so it is sealed
 * only once. It has the content above without sender ID and `seq`. The block has the number in 7 bytes, `seq` in 4 (0 for
 * a list) and the first 5 bytes of the origin. These 5 bytes, and the zeros of the number, are the redundancy that
 * authenticates the block (encode-then-encipher: Bellare and Rogaway 2000): of 2^46 forged blocks, one opens.
 *
 * Integers are big-endian, texts UTF-8.
 */
import { fromBase64Url, toBase64Url } from '../bytes.ts';
import { flat } from '../flat.ts';
import { APPEAL_REFERENCE_CHARS_MAX } from '../limits/appeals.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { BLOCK_BYTES, decipherBlock, encipherBlock, openSiv, sealSiv } from '../set/siv.ts';
import { CODES, type Code, type Reason, type Subject } from '../verdict.ts';
import type { FoundReason } from './finding.ts';

/** What the blocks of one list have in common, or the live blocks of one authority and code. */
interface BlockOrigin {
  readonly subject: Subject;
  /** The name of the list, or `live`. */
  readonly list: string;
  readonly code: Code;
  readonly authority: string;
}

/** What an appeal is against. */
export interface AppealedBlock extends BlockOrigin {
  /** A number as an integer, or the text of a sender ID. */
  readonly party: number | string;
  /** `seq` of the live entry; null if a list has the entry. */
  readonly seq: number | null;
}

/** Replaces the name of a list in references to live entries. */
const LIVE = 'live';
const VERSION = 1;
const FLAGS = { to: 1, source: 2, live: 4 } as const;
const VERSION_SHIFT = 4;
/** Bytes of the longest reference. */
const CONTENT_BYTES_MAX = (APPEAL_REFERENCE_CHARS_MAX * 3) / 4;
/** Characters of a block in base64url. */
const BLOCK_CHARS = Math.ceil((BLOCK_BYTES * 4) / 3);
const NUMBER_BYTES = 7;
const SEQ_BYTES = 4;
const MARK_BYTES = 5;
const MARK_AT = BLOCK_BYTES - MARK_BYTES;
/** Buffer for the block that is being sealed. Its content is not needed after the call. */
const numberBytes = new Uint8Array(BLOCK_BYTES);
const number = new DataView(numberBytes.buffer);
/** Most origins that are kept: more than an installation has lists and codes of live entries. */
const ORIGINS_MAX = 256;

/** @param key `appealKey` of the list keys */
export function sealReference(block: AppealedBlock, key: Uint8Array): string {
  return seal(block, block.party, block.seq, key);
}

/** Takes the party and `seq` separately, because a copy of the block with them would take as long as the cipher. */
function seal(block: BlockOrigin, party: number | string, seq: number | null, key: Uint8Array): string {
  if (typeof party === 'string') return toBase64Url(sealSiv(encode(block, party, seq), key));
  const origin = originOf(block, key);
  const last = lastReference;
  if (last !== null && last.party === party && last.seq === seq && last.origin === origin) return last.text;
  const { text, mark } = origin;
  number.setUint32(0, Math.floor(party / 2 ** 32) * 2 ** 8 + ((party >>> 24) & 0xff));
  number.setUint32(3, party >>> 0);
  number.setUint32(NUMBER_BYTES, seq ?? 0);
  for (let index = 0; index < MARK_BYTES; index++) numberBytes[MARK_AT + index] = mark[index]!;
  encipherBlock(numberBytes, key);
  const reference = flat(toBase64Url(numberBytes), text);
  lastReference = { party, seq, origin, text: reference };
  return reference;
}

/** The block, or null if the reference was not made with this key. */
export function openReference(reference: string, key: Uint8Array): AppealedBlock | null {
  if (reference.length > APPEAL_REFERENCE_CHARS_MAX) return null;
  // Always tries both kinds, so that the time does not depend on the kind.
  const ofNumber = openNumber(reference, key);
  const ofSource = openSource(reference, key);
  const block = ofNumber ?? ofSource;
  // The last bits of a text in base64url can vary, so only the exact reference passes.
  return block !== null && sealReference(block, key) === reference ? block : null;
}

function openSource(reference: string, key: Uint8Array): AppealedBlock | null {
  const content = opened(reference, key);
  const block = content === null ? null : decode(content);
  return block !== null && typeof block.party === 'string' ? block : null;
}

function openNumber(reference: string, key: Uint8Array): AppealedBlock | null {
  const block = fromBase64Url(reference.slice(0, BLOCK_CHARS));
  const text = reference.slice(BLOCK_CHARS);
  const content = opened(text, key);
  if (block?.length !== BLOCK_BYTES || content === null) return null;
  decipherBlock(block, key);
  const reader = new Reader(block);
  const [party, seq] = [reader.integer(NUMBER_BYTES), reader.integer(SEQ_BYTES)];
  const origin = decode(content);
  const isMarked = reader.rest().every((byte, index) => byte === markOf(text)[index]);
  if (origin === null || typeof origin.party === 'string' || !isMarked || party >= NUMBER_LIMIT) return null;
  return { ...origin, party, seq: origin.list === LIVE ? seq : null };
}

function opened(text: string, key: Uint8Array): Uint8Array | null {
  const bytes = fromBase64Url(text);
  return bytes === null ? null : openSiv(bytes, key);
}

/** An origin in its sealed form, as references contain it. */
interface SealedOrigin extends BlockOrigin {
  readonly key: Uint8Array;
  readonly text: string;
  /** Binds a number to this origin. */
  readonly mark: Uint8Array;
}

const origins = new WeakMap<Uint8Array, Map<string, SealedOrigin>>();
/** The last origin. Most blocks of a stream have the same one, and joining its name takes longer than the cipher. */
let lastOrigin: SealedOrigin | null = null;

function originOf({ subject, list, code, authority }: BlockOrigin, key: Uint8Array): SealedOrigin {
  const last = lastOrigin;
  if (last?.key === key && last.subject === subject && last.code === code)
    if (last.list === list && last.authority === authority) return last;
  const known = origins.get(key) ?? new Map<string, SealedOrigin>();
  origins.set(key, known);
  const name = `${subject} ${code} ${list} ${authority}`;
  const found = known.get(name);
  if (found !== undefined) {
    lastOrigin = found;
    return found;
  }
  const block = { subject, list, code, authority };
  const text = toBase64Url(sealSiv(encode(block, null, null), key));
  const origin = { ...block, key, text, mark: markOf(text) };
  if (known.size >= ORIGINS_MAX) known.clear();
  known.set(name, origin);
  return origin;
}

interface KnownReference extends Pick<AppealedBlock, 'party' | 'seq'> {
  readonly origin: SealedOrigin;
  readonly text: string;
}

/** The last reference of a number: a blocked sender often sends many texts in a row. */
let lastReference: KnownReference | null = null;

function markOf(origin: string): Uint8Array {
  return fromBase64Url(origin)!.subarray(0, MARK_BYTES);
}

/** Reasons as they are sent: a block of a number or sender ID gets its reference. @param key as for `sealReference` */
export function withReferences(reasons: readonly FoundReason[], key: Uint8Array): readonly Reason[] {
  // Most decisions have no reason that needs a reference.
  if (!reasons.some(({ blocked }) => blocked !== undefined)) return reasons;
  return reasons.map((reason) => {
    const { blocked, list, authority } = reason;
    if (blocked === undefined || list === null || authority === null) return reason;
    const { subject, code, match, effect, until, rule, stage } = reason;
    const appeal = seal({ subject, list, code, authority }, blocked.party, blocked.seq, key);
    // Field by field, because omitting a field from a copy takes as long as sealing. Such a reason has no other fields.
    return rule === undefined || stage === undefined
      ? { subject, code, list, match, effect, authority, until, appeal }
      : { subject, code, list, match, effect, authority, until, rule, stage, appeal };
  });
}

/** @param source the sender ID; null for the origin of numbers */
function encode(
  { subject, list, code, authority }: BlockOrigin,
  source: string | null,
  seq: number | null,
): Uint8Array {
  const writer = new Writer();
  const isLive = list === LIVE;
  const flags =
    (subject === 'to' ? FLAGS.to : 0) | (source === null ? 0 : FLAGS.source) | (isLive ? FLAGS.live : 0);
  writer.integer((VERSION << VERSION_SHIFT) | flags, 1);
  writer.integer(CODES.indexOf(code), 1);
  if (source !== null) writer.text(source);
  if (!isLive) writer.text(list);
  else if (source !== null) writer.integer(seq ?? 0, SEQ_BYTES);
  writer.end(authority);
  return writer.written;
}

/** Decodes the content of a reference, or an origin, whose party is 0. */
function decode(bytes: Uint8Array): AppealedBlock | null {
  const reader = new Reader(bytes);
  const flags = reader.integer(1);
  const code = CODES[reader.integer(1)];
  if (flags >>> VERSION_SHIFT !== VERSION || code === undefined) return null;
  const isLive = (flags & FLAGS.live) !== 0;
  const isSource = (flags & FLAGS.source) !== 0;
  const party = isSource ? reader.text(reader.integer(1)) : 0;
  const seq = isLive && isSource ? reader.integer(SEQ_BYTES) : null;
  const list = isLive ? LIVE : reader.text(reader.integer(1));
  const subject = (flags & FLAGS.to) === 0 ? 'from' : 'to';
  return { subject, party, seq, list, code, authority: new TextDecoder().decode(reader.rest()) };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  integer(length: number): number {
    return this.#take(length).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  text(length: number): string {
    return new TextDecoder().decode(this.#take(length));
  }

  rest(): Uint8Array {
    return this.#take(this.#bytes.length - this.#at);
  }
}

/** Buffer that all writers share, because no writer outlives a call. */
const space = new Uint8Array(CONTENT_BYTES_MAX);
const encoder = new TextEncoder();

class Writer {
  #at = 0;

  get written(): Uint8Array {
    return space.subarray(0, this.#at);
  }

  integer(value: number, length: number): void {
    for (let at = this.#at + length - 1, left = value; at >= this.#at; at--) {
      space[at] = left % 256;
      left = Math.floor(left / 256);
    }
    this.#at += length;
  }

  /** Writes the length of a text, and the text. */
  text(text: string): void {
    const { written } = encoder.encodeInto(text, space.subarray(this.#at + 1));
    space[this.#at] = written;
    this.#at += 1 + written;
  }

  end(text: string): void {
    this.#at += encoder.encodeInto(text, space.subarray(this.#at)).written;
  }
}
