/**
 * SMPP 3.4 PDUs as raw bytes. The package `smpp` supplies the codes and builds our own responses. But decoding
 * and re-encoding with it loses data (user data headers, unknown TLVs, relative times). So a passing PDU is
 * never re-encoded, and is parsed only as far as a check needs.
 */
import smpp from 'smpp';

export const HEADER_BYTES = 16;
/** Room for a `message_payload` of 64 KiB, in octets. */
export const PDU_BYTES_MAX = 70_000;
/** Longest address (5.2.8), in octets, without the zero at its end. */
export const ADDRESS_OCTETS_MAX = 20;

/** Tag of the text of a message without `short_message` (5.3.2.32). */
export const MESSAGE_PAYLOAD = 0x0424;

const { errors } = smpp;
export const STATUS = {
  invalidLength: errors.ESME_RINVMSGLEN!,
  invalidCommand: errors.ESME_RINVCMDID!,
  notBound: errors.ESME_RINVBNDSTS!,
  systemError: errors.ESME_RSYSERR!,
  invalidSource: errors.ESME_RINVSRCADR!,
  invalidDestination: errors.ESME_RINVDSTADR!,
  throttled: errors.ESME_RTHROTTLED!,
  receiverTemporary: errors.ESME_RX_T_APPN!,
} as const;

export function sequenceOf(pdu: Buffer): number {
  return pdu.readUInt32BE(12);
}

/** @returns a copy, unless the PDU already has this number */
export function withSequence(pdu: Buffer, sequence: number): Buffer {
  if (sequenceOf(pdu) === sequence) return pdu;
  const copy = Buffer.from(pdu);
  copy.writeUInt32BE(sequence, 12);
  return copy;
}

/** The highest bit of the command (3.4, 5.1.2). */
export function isResponse(pdu: Buffer): boolean {
  return pdu.readUInt32BE(4) >= 0x80000000;
}

export function statusOf(pdu: Buffer): number {
  return pdu.readUInt32BE(8);
}

/** @returns the name of the command, or `unknown` */
export function commandOf(pdu: Buffer): string {
  return smpp.commandsById[pdu.readUInt32BE(4)]?.command ?? 'unknown';
}

/** The error response to a request. It has only a header, as the standard requires for a status other than 0. */
export function refusal(request: Buffer, status: number): Buffer {
  const response = `${commandOf(request)}_resp`;
  const command = response in smpp.commands ? response : 'generic_nack';
  return new smpp.PDU(command, {
    command_status: status,
    sequence_number: sequenceOf(request),
  }).toBuffer();
}

export function unbindOf(sequence: number): Buffer {
  return new smpp.PDU('unbind', { sequence_number: sequence }).toBuffer();
}

/** A range of bytes in a PDU. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The content of a `submit_sm`, `deliver_sm` or `data_sm`, with the positions that a label changes. */
export interface Message {
  readonly from: string;
  readonly to: string;
  /** Octets of the addresses. */
  readonly fromOctets: number;
  readonly toOctets: number;
  readonly esmClass: number;
  /** Positions of single octets. */
  readonly esmClassAt: number;
  readonly registeredDeliveryAt: number;
  readonly protocolId: number;
  readonly dataCodingAt: number;
  /** Not 0 if the message replaces an earlier one. */
  readonly replaceIfPresent: number;
  /** Not 0 if the SMSC stores the text. */
  readonly defaultMessageId: number;
  /** The octets of `short_message`, with the length in the octet before them. Null in a `data_sm`. */
  readonly shortMessage: Span | null;
  /** Values of the optional parameters, by tag. Tag and length are the four octets before each value. */
  readonly tlvs: ReadonlyMap<number, Span>;
}

/** @returns null if the PDU does not match its command */
export function readMessage(pdu: Buffer): Message | null {
  let at = HEADER_BYTES;
  const octet = (): number => pdu.readUInt8(at++);
  const text = (): string => {
    const end = pdu.indexOf(0, at);
    if (end < 0) throw new RangeError('a text without an end');
    const value = pdu.toString('latin1', at, end);
    at = end + 1;
    return value;
  };
  const address = (): { ton: number; value: string } => {
    const ton = octet();
    octet();
    return { ton, value: text() };
  };
  const span = (length: number): Span => {
    const start = at;
    at += length;
    if (at > pdu.length) throw new RangeError('longer than its PDU');
    return { start, end: at };
  };
  const isShort = commandOf(pdu) !== 'data_sm';
  try {
    text(); // service_type
    const [from, to] = [address(), address()];
    const esmClassAt = at;
    const esmClass = octet();
    const protocolId = isShort ? octet() : 0;
    if (isShort) {
      octet(); // priority_flag
      text(); // schedule_delivery_time
      text(); // validity_period
    }
    const registeredDeliveryAt = at++;
    const replaceIfPresent = isShort ? octet() : 0;
    const dataCodingAt = at++;
    const defaultMessageId = isShort ? octet() : 0;
    const shortMessage = isShort ? span(octet()) : null;
    const tlvs = new Map<number, Span>();
    while (at < pdu.length) {
      const tag = pdu.readUInt16BE(at);
      const length = pdu.readUInt16BE(at + 2);
      at += 4;
      // With two texts, only one would get the label, and the receiver might see the other one.
      const hasText = tlvs.has(tag) || (shortMessage !== null && shortMessage.end > shortMessage.start);
      if (tag === MESSAGE_PAYLOAD && hasText) throw new RangeError('two texts');
      tlvs.set(tag, span(length));
    }
    return {
      ...{ from: addressOf(from), to: addressOf(to) },
      ...{ fromOctets: from.value.length, toOctets: to.value.length },
      ...{ esmClass, protocolId, replaceIfPresent, defaultMessageId },
      ...{ esmClassAt, registeredDeliveryAt, dataCodingAt, shortMessage, tlvs },
    };
  } catch {
    return null;
  }
}

/** Types of number (5.2.5). */
const TON_INTERNATIONAL = 1;

/**
 * The address as numgate expects it: an international number with its plus. Texts and other types of number
 * stay unchanged.
 */
function addressOf({ ton, value }: { readonly ton: number; readonly value: string }): string {
  return ton === TON_INTERNATIONAL && /^\d/.test(value) ? `+${value}` : value;
}
