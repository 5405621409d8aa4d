/**
 * SMPP 3.4 PDUs as the bytes that came. The package `smpp` knows the codes and makes our own answers, but
 * what it decodes and encodes again loses things (user data headers, TLVs that it does not know, relative
 * times); so what passes through is never encoded again, and is only read as far as a check needs it.
 */
import smpp from 'smpp';

export const HEADER_BYTES = 16;
/** Room for a `message_payload` of 64 KiB, in octets. */
export const PDU_BYTES_MAX = 70_000;

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

/** The highest bit of the command (3.4, 5.1.2). */
export function isResponse(pdu: Buffer): boolean {
  return pdu.readUInt32BE(4) >= 0x80000000;
}

export function statusOf(pdu: Buffer): number {
  return pdu.readUInt32BE(8);
}

/** @returns its name, or `unknown` */
export function commandOf(pdu: Buffer): string {
  return smpp.commandsById[pdu.readUInt32BE(4)]?.command ?? 'unknown';
}

/** The response to a request: its header alone, as the standard has it where the status is not 0. */
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

/** Where something stands in a PDU. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a `submit_sm`, `deliver_sm` or `data_sm` says, with the places of what a label changes. */
export interface Message {
  readonly from: string;
  readonly to: string;
  readonly esmClass: number;
  readonly protocolId: number;
  readonly dataCodingAt: number;
  /** Not 0 where the SMSC has the text. */
  readonly defaultMessageId: number;
  /** The octets of `short_message`, the length in the octet before them; null in a `data_sm`. */
  readonly shortMessage: Span | null;
  /** Values of the optional parameters, by tag; tag and length are the four octets before each. */
  readonly tlvs: ReadonlyMap<number, Span>;
}

/** @returns null where the PDU is not what its command says */
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
  const address = (): string => {
    const ton = octet();
    octet();
    return addressOf(ton, text());
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
    const [from, to, esmClass] = [address(), address(), octet()];
    const protocolId = isShort ? octet() : 0;
    if (isShort) {
      octet(); // priority_flag
      text(); // schedule_delivery_time
      text(); // validity_period
    }
    octet(); // registered_delivery
    if (isShort) octet(); // replace_if_present_flag
    const dataCodingAt = at++;
    const defaultMessageId = isShort ? octet() : 0;
    const shortMessage = isShort ? span(octet()) : null;
    const tlvs = new Map<number, Span>();
    while (at < pdu.length) {
      const tag = pdu.readUInt16BE(at);
      const length = pdu.readUInt16BE(at + 2);
      at += 4;
      tlvs.set(tag, span(length));
    }
    const places = { dataCodingAt, shortMessage, tlvs };
    return { from, to, esmClass, protocolId, defaultMessageId, ...places };
  } catch {
    return null;
  }
}

/** Types of number (5.2.5). */
const TON_INTERNATIONAL = 1;

/** As numgate reads it: a number abroad with its plus; a text, or a number of another type, as it stands. */
function addressOf(ton: number, address: string): string {
  return ton === TON_INTERNATIONAL && /^\d/.test(address) ? `+${address}` : address;
}
