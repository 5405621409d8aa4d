/**
 * Long texts. A text is sent as several parts. Each part names its text by a reference, and its place in the
 * text, in its user data header (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8) or in `sar_*` parameters (SMPP
 * 3.4, 5.3.2.22 to 24).
 */
import type { Writable } from './alphabets.ts';
import { MESSAGE_PAYLOAD, type Message, type Span } from './pdu.ts';

export const UDH_INDICATOR = 0x40;
export const PARTS_MAX = 255;

const SAR_REFERENCE = 0x020c;
const SAR_TOTAL = 0x020e;
const SAR_NUMBER = 0x020f;
/** Information element for a concatenated text, by the octets of its reference. */
const CONCATENATION = { 1: 0x00, 2: 0x08 } as const;

export interface Place {
  /** Where the part names its place. The SMSC makes a header from `sar` parameters. */
  readonly form: 'udh8' | 'udh16' | 'sar';
  readonly reference: number;
  readonly total: number;
  /** Counts from 1. */
  readonly number: number;
}

/** Octets of the header on the air. The SMSC may write a `sar` reference with 8 or 16 bits. */
export const HEADER_OCTETS: Readonly<Record<Place['form'], number>> = { udh8: 6, udh16: 7, sar: 7 };

export interface Text {
  /** Position of the text in the PDU. */
  readonly span: Span;
  readonly octets: Buffer;
  /** Whether the text is the `short_message`, with one octet for its length. */
  readonly isShort: boolean;
}

/** @returns null if the message has no text */
export function textOf(pdu: Buffer, { shortMessage, tlvs }: Message): Text | null {
  const isShort = shortMessage !== null && shortMessage.end > shortMessage.start;
  const span = isShort ? shortMessage : tlvs.get(MESSAGE_PAYLOAD);
  return span === undefined ? null : { span, octets: pdu.subarray(span.start, span.end), isShort };
}

/**
 * @param text the octets of the text, with its header
 * @returns the place of a part, null for a whole text, or `unreadable` for anything else that is not plain
 */
export function placeOf(pdu: Buffer, { esmClass, tlvs }: Message, text: Buffer): Place | null | 'unreadable' {
  const hasHeader = (esmClass & UDH_INDICATOR) !== 0;
  const sar = [SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER].map((tag) => tlvs.get(tag));
  if (sar.every((span) => span === undefined)) return hasHeader ? placeInHeader(text) : null;
  if (hasHeader || sar.includes(undefined)) return 'unreadable';
  const [reference, total, number] = sar.map((span) => {
    const length = span!.end - span!.start;
    return length === 1 || length === 2 ? pdu.readUIntBE(span!.start, length) : 0;
  });
  return placeIf({ form: 'sar', reference: reference!, total: total!, number: number! });
}

/** Any other header element changes what the text means. */
function placeInHeader(text: Buffer): Place | 'unreadable' {
  const [length, element, elementLength] = text;
  for (const [bytes, form] of [[1, 'udh8'] as const, [2, 'udh16'] as const]) {
    if (length !== bytes + 4 || text.length <= length) continue;
    if (element !== CONCATENATION[bytes] || elementLength !== bytes + 2) continue;
    const reference = text.readUIntBE(3, bytes);
    return placeIf({ form, reference, total: text[3 + bytes]!, number: text[4 + bytes]! });
  }
  return 'unreadable';
}

function placeIf(place: Place): Place | 'unreadable' {
  const { total, number } = place;
  return number >= 1 && number <= total && total <= PARTS_MAX ? place : 'unreadable';
}

export function headerOf({ form, reference, total, number }: Place): Buffer {
  switch (form) {
    case 'udh8':
      return Buffer.of(5, CONCATENATION[1], 3, reference, total, number);
    case 'udh16':
      return Buffer.of(6, CONCATENATION[2], 4, reference >>> 8, reference & 0xff, total, number);
    case 'sar':
      return Buffer.alloc(0);
  }
}

/** The `sar_*` parameters whose values differ from those of the received part. */
export function sarOf({ total, number }: Place): ReadonlyMap<number, number> {
  return new Map([
    [SAR_TOTAL, total],
    [SAR_NUMBER, number],
  ]);
}

/**
 * Splits a text, never within a character.
 * @param characters as octets
 * @param count of pieces; if there are too few characters for all of them, the last ones are empty
 * @returns null if the text does not fit
 */
export function split(
  characters: readonly Buffer[],
  count: number,
  units: number,
  { cost }: Writable,
): Buffer[] | null {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let behind = count - 1; behind >= 0; behind--) {
    const start = at;
    let used = 0;
    while (at < characters.length && (at === start || characters.length - at > behind)) {
      used += cost(characters[at]!);
      if (used > units) break;
      at++;
    }
    pieces.push(Buffer.concat(characters.slice(start, at)));
  }
  return at === characters.length ? pieces : null;
}

/** Minimum number of pieces that a text needs, if each piece holds `units` units. */
export function piecesOf(characters: readonly Buffer[], units: number, { cost }: Writable): number {
  let pieces = 1;
  let used = 0;
  for (const character of characters) {
    const own = cost(character);
    if (used + own > units) {
      pieces++;
      used = 0;
    }
    used += own;
  }
  return pieces;
}
