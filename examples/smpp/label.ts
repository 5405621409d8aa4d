/**
 * Puts a label in front of a text, if the receiver's phone is sure to show the same text after it. A labelled
 * text is sent in UCS-2, which has the characters of every label. A text stays unchanged if it is part of a
 * longer text, has its own header, is binary, or would not fit. Its label then goes into an optional
 * parameter, if one is configured.
 */
import { HEADER_BYTES, type Message, type Span } from './pdu.ts';

const UCS2 = 8;
/** TP-User-Data (3GPP TS 23.040): capacity of one text, in octets. The SMSC splits a payload into texts. */
const TEXT_OCTETS_MAX = 140;
const PAYLOAD_OCTETS_MAX = 65_000;
const UDH_INDICATOR = 0x40;

const MESSAGE_PAYLOAD = 0x0424;
/** sar_msg_ref_num, sar_total_segments, sar_segment_seqnum; source_port, destination_port. */
const PART_OR_PORT: readonly number[] = [0x020c, 0x020e, 0x020f, 0x020a, 0x020b];

/**
 * Characters that are the same in ASCII and in the GSM default alphabet. The SMSC decides which of them data
 * coding 0 means.
 */
const SURE = /^[A-Za-z0-9 !"#%&'()*+,\-./:;<=>?\r\n]*$/;
const KSC5601 = new TextDecoder('euc-kr', { fatal: true });

export interface Labelled {
  readonly pdu: Buffer;
  /** Whether the receiver sees the label. */
  readonly isShown: boolean;
}

/** @param tag of the optional parameter (UTF-8) if the text cannot hold the label; null for none */
export function withLabel(pdu: Buffer, message: Message, label: string, tag: number | null): Labelled {
  const inText = labelText(pdu, message, label);
  if (inText !== null) return { pdu: inText, isShown: true };
  if (tag === null) return { pdu, isShown: false };
  const value = Buffer.from(label);
  return { pdu: sized([pdu, uint16(tag), uint16(value.length), value]), isShown: false };
}

function labelText(pdu: Buffer, message: Message, label: string): Buffer | null {
  const { esmClass, protocolId, defaultMessageId, shortMessage, tlvs, dataCodingAt } = message;
  if ((esmClass & UDH_INDICATOR) !== 0 || protocolId !== 0 || defaultMessageId !== 0) return null;
  if (PART_OR_PORT.some((tag) => tlvs.has(tag))) return null;
  const isShort = shortMessage !== null && shortMessage.end > shortMessage.start;
  const place = isShort ? shortMessage : tlvs.get(MESSAGE_PAYLOAD);
  if (place === undefined) return null;
  const text = ucs2Of(pdu.subarray(place.start, place.end), pdu[dataCodingAt]!);
  if (text === null) return null;
  const value = Buffer.concat([ucs2(label), text]);
  if (value.length > (isShort ? TEXT_OCTETS_MAX : PAYLOAD_OCTETS_MAX)) return null;
  const length = isShort ? Buffer.of(value.length) : uint16(value.length);
  return replaced(pdu, dataCodingAt, { start: place.start - length.length, end: place.end }, [length, value]);
}

/** @returns null if the characters are uncertain */
function ucs2Of(octets: Buffer, dataCoding: number): Buffer | null {
  switch (dataCoding) {
    case 0:
    case 1: {
      const text = octets.toString('latin1');
      return SURE.test(text) ? ucs2(text) : null;
    }
    case 3:
      return ucs2(octets.toString('latin1'));
    case UCS2:
      return octets.length % 2 === 0 ? octets : null;
    case 14:
      try {
        return ucs2(KSC5601.decode(octets));
      } catch {
        return null;
      }
    default:
      return null;
  }
}

/** UTF-16, big-endian. */
function ucs2(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

function replaced(pdu: Buffer, dataCodingAt: number, { start, end }: Span, parts: readonly Buffer[]): Buffer {
  const before = Buffer.from(pdu.subarray(0, start));
  before[dataCodingAt] = UCS2;
  return sized([before, ...parts, pdu.subarray(end)]);
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
