/**
 * Puts a label in front of a text. A text whose alphabet lacks a character of the label is converted to UCS-2,
 * which has all characters. A text that no longer fits becomes several parts.
 *
 * Of a long text, only the first part gets the label, but all parts must have the same part count and one data
 * coding. So the result for a part depends only on the label, the data coding and the form of the part, never
 * on its text. Parts then need not wait for each other, whatever their order, and a part that is sent again
 * gives the same parts again.
 */
import {
  type Alphabet,
  alphabetOf,
  type DefaultAlphabet,
  isWritable,
  UCS2_CODING,
  ucs2,
  type Writable,
} from './alphabets.ts';
import {
  HEADER_OCTETS,
  headerOf,
  PARTS_MAX,
  type Place,
  piecesOf,
  placeOf,
  sarOf,
  split,
  textOf,
  UDH_INDICATOR,
} from './parts.ts';
import { HEADER_BYTES, type Message, type Span } from './pdu.ts';

const PAYLOAD_OCTETS_MAX = 65_000;
/** Tags of source_port and destination_port. */
const PORTS: readonly number[] = [0x020a, 0x020b];
/** registered_delivery without the bits that request a receipt (SMPP 3.4, 5.2.17). */
const WITHOUT_RECEIPT = 0xe0;

export interface Labelled {
  /** The PDUs in sending order. The last one keeps the request for a receipt. */
  readonly pdus: readonly Buffer[];
  /** Whether the receiver sees the label. */
  readonly isShown: boolean;
}

export interface LabellerOptions {
  /** Tag of the optional parameter (UTF-8) if the text cannot hold the label. Null for none. */
  readonly tag: number | null;
  /** The alphabet that the SMSC uses for data coding 0. */
  readonly alphabet: DefaultAlphabet;
}

export class Labeller {
  readonly #options: LabellerOptions;
  /** Reference of the next text that is split. */
  #reference = Math.floor(Math.random() * 256);

  constructor(options: LabellerOptions) {
    this.#options = options;
  }

  label(pdu: Buffer, message: Message, label: string): Labelled {
    const pdus = this.#labelText(pdu, message, label);
    if (pdus !== null) return { pdus, isShown: true };
    const { tag } = this.#options;
    if (tag === null) return { pdus: [pdu], isShown: false };
    const value = Buffer.from(label);
    return { pdus: [sized([pdu, uint16(tag), uint16(value.length), value])], isShown: false };
  }

  #labelText(pdu: Buffer, message: Message, label: string): Buffer[] | null {
    const { protocolId, defaultMessageId, tlvs, dataCodingAt } = message;
    if (protocolId !== 0 || defaultMessageId !== 0 || PORTS.some((tag) => tlvs.has(tag))) return null;
    const found = textOf(pdu, message);
    if (found === null) return null;
    const { span, octets, isShort } = found;
    const place = placeOf(pdu, message, octets);
    const from = alphabetOf(pdu[dataCodingAt]!, this.#options.alphabet);
    if (place === 'unreadable' || from === null) return null;
    const coding = codingOf(from, label);
    const { to, isKept } = coding;
    const draft = { pdu, message, span, isShort, dataCoding: isKept ? pdu[dataCodingAt]! : UCS2_CODING };
    if (place !== null) {
      const parts = labelPart(octets, place, coding);
      // Each part would replace the previous one.
      if (parts === null || message.replaceIfPresent !== 0) return null;
      return parts.map(([text, where], index) => rendered(draft, text, where, index + 1 < parts.length));
    }
    const text = Buffer.concat([coding.label, isKept ? octets : ucs2.encode(from.decode(octets))]);
    if (!isShort) return text.length > PAYLOAD_OCTETS_MAX ? null : [rendered(draft, text, null)];
    const characters = to.characters(text);
    if (piecesOf(characters, to.capacity(0), to) === 1) return [rendered(draft, text, null)];
    const units = to.capacity(HEADER_OCTETS.udh8);
    const total = piecesOf(characters, units, to);
    if (total > PARTS_MAX || message.replaceIfPresent !== 0) return null;
    const reference = this.#reference;
    this.#reference = (reference + 1) % 256;
    return split(characters, total, units, to)!.map((piece, index) =>
      rendered(draft, piece, { form: 'udh8', reference, total, number: index + 1 }, index + 1 < total),
    );
  }
}

interface Coding {
  readonly from: Alphabet;
  readonly to: Writable;
  /** Whether the text stays as it is. */
  readonly isKept: boolean;
  /** The label in the alphabet `to`. */
  readonly label: Buffer;
}

function codingOf(from: Alphabet, text: string): Coding {
  const label = isWritable(from) ? from.encode(text) : null;
  if (isWritable(from) && label !== null) return { from, to: from, isKept: true, label };
  return { from, to: ucs2, isKept: false, label: ucs2.encode(text) };
}

/** @returns the parts that replace a part, or null if it cannot be changed and stays as it is */
function labelPart(octets: Buffer, place: Place, coding: Coding): [text: Buffer, place: Place][] | null {
  const { from, to, isKept, label } = coding;
  const { form, total, number } = place;
  const units = to.capacity(HEADER_OCTETS[form]);
  // The longest part that can arrive, in units of the new alphabet.
  const longest =
    from.capacity(form === 'udh16' ? HEADER_OCTETS.udh16 : HEADER_OCTETS.udh8) * (isKept ? 1 : 2);
  const labelUnits = to.characters(label).reduce((sum, character) => sum + to.cost(character), 0);
  const first = piecesFor(labelUnits + longest, units);
  const each = isKept ? 1 : piecesFor(longest, units);
  const sum = first + (total - 1) * each;
  if (sum > PARTS_MAX) return null;
  const own = octets.subarray(headerOf(place).length);
  const text = isKept ? own : ucs2.encode(from.decode(own));
  if (number > 1 && each === 1) return [[text, { ...place, total: sum, number: first + number - 1 }]];
  const characters = to.characters(number === 1 ? Buffer.concat([label, text]) : text);
  const before = number === 1 ? 0 : first + (number - 2) * each;
  const pieces = split(characters, number === 1 ? first : each, units, to);
  return pieces?.map((piece, index) => [piece, { ...place, total: sum, number: before + index + 1 }]) ?? null;
}

/** Enough pieces for any text of this many units, even if only the last piece can be filled completely. */
function piecesFor(needed: number, units: number): number {
  // A character takes at most 4 units (a surrogate pair in UCS-2), so at most 3 stay free.
  return Math.max(1, Math.ceil((needed - 3) / (units - 3)));
}

interface Draft {
  readonly pdu: Buffer;
  readonly message: Message;
  readonly span: Span;
  readonly isShort: boolean;
  readonly dataCoding: number;
}

/** @param hasNext whether another part of the same request follows, which then requests the receipt */
function rendered(draft: Draft, text: Buffer, place: Place | null, hasNext = false): Buffer {
  const { pdu, message, span, isShort, dataCoding } = draft;
  const copy = Buffer.from(pdu);
  copy[message.dataCodingAt] = dataCoding;
  if (hasNext) copy[message.registeredDeliveryAt]! &= WITHOUT_RECEIPT;
  const header = place === null ? Buffer.alloc(0) : headerOf(place);
  if (header.length > 0) copy[message.esmClassAt]! |= UDH_INDICATOR;
  if (place?.form === 'sar') {
    for (const [tag, number] of sarOf(place)) copy.writeUInt8(number, message.tlvs.get(tag)!.end - 1);
  }
  const octets = header.length + text.length;
  const length = isShort ? Buffer.of(octets) : uint16(octets);
  const before = copy.subarray(0, span.start - length.length);
  return sized([before, length, header, text, copy.subarray(span.end)]);
}

/** One PDU with its `command_length` set. */
function sized(parts: readonly Buffer[]): Buffer {
  const pdu = Buffer.concat(parts);
  if (pdu.length < HEADER_BYTES) throw new Error('a PDU has a header');
  pdu.writeUInt32BE(pdu.length, 0);
  return pdu;
}

function uint16(value: number): Buffer {
  return Buffer.of(value >>> 8, value & 0xff);
}
