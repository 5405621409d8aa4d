/**
 * Where the label goes: in front of a text that is sure to be shown the same, else nowhere near it.
 */
import smpp from 'smpp';
import { expect, it } from 'vitest';
import { withLabel } from '../../examples/smpp/label.ts';
import { readMessage } from '../../examples/smpp/pdu.ts';
import { LABEL, message } from './support/smpp.ts';

const TAG = 0x1401;
const UCS2 = 8;

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

function pduOf(octets: Buffer, dataCoding: number, fields: object = {}): Buffer {
  return new smpp.PDU('submit_sm', {
    ...message('+639170000001', ''),
    ...{ short_message: octets, data_coding: dataCoding, validity_period: '000000010000000R' },
    ...{ sequence_number: 5, ...fields },
  }).toBuffer();
}

/** Its own octets, and the label in the parameter behind them. */
function untouched(pdu: Buffer): Buffer {
  const value = Buffer.from(LABEL);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(TAG, 0);
  head.writeUInt16BE(value.length, 2);
  const whole = Buffer.concat([pdu, head, value]);
  whole.writeUInt32BE(whole.length, 0);
  return whole;
}

it.each<[string, Buffer, number, string]>([
  ['plain text in the default alphabet', Buffer.from('Call 02-123 now!'), 0, 'Call 02-123 now!'],
  ['plain text in ASCII', Buffer.from('hello'), 1, 'hello'],
  ['Latin 1', Buffer.from('caf\u00e9 @', 'latin1'), 3, 'café @'],
  ['UCS-2', utf16('안녕하세요 😀'), UCS2, '안녕하세요 😀'],
  ['KS C 5601', Buffer.from([0xb0, 0xa1, 0x20, 0xb3, 0xaa]), 14, '가 나'],
  ['the longest that fits', utf16('x'.repeat(64)), UCS2, 'x'.repeat(64)],
])('goes in front of %s', (_, octets, dataCoding, text) => {
  const pdu = pduOf(octets, dataCoding);
  const labelled = withLabel(pdu, readMessage(pdu)!, LABEL, TAG);
  expect(labelled.isShown).toBe(true);
  expect(labelled.pdu.readUInt32BE(0)).toBe(labelled.pdu.length);
  // As the package reads it.
  const read = new smpp.PDU(labelled.pdu);
  expect(read).toMatchObject({
    sequence_number: 5,
    data_coding: UCS2,
    short_message: { message: LABEL + text },
  });
  // All else is as it was.
  const back = Buffer.concat([labelled.pdu.subarray(0, pdu.length - octets.length - 1)]);
  back[readMessage(pdu)!.dataCodingAt] = dataCoding;
  expect(back.subarray(4)).toEqual(pdu.subarray(4, pdu.length - octets.length - 1));
});

it.each<[string, Buffer, number, object]>([
  ['a part with a user data header', Buffer.from([5, 0, 3, 1, 2, 1, 0x41]), 0, { esm_class: 0x40 }],
  ['a part by its parameters', Buffer.from('part'), 0, { sar_msg_ref_num: 1, sar_total_segments: 2 }],
  ['what goes to a port', Buffer.from('data'), 0, { source_port: 1, dest_port: 2 }],
  ['binary', Buffer.from([1, 2, 3]), 4, {}],
  ['a data coding that nobody knows', Buffer.from('x'), 0xf5, {}],
  ['characters that the SMSC may mean otherwise', Buffer.from('a@b'), 0, {}],
  ['a broken pair of octets', Buffer.from([0, 0x41, 0]), UCS2, {}],
  ['broken KS C 5601', Buffer.from([0xff, 0xff]), 14, {}],
  ['what would not fit', utf16('x'.repeat(65)), UCS2, {}],
  ['a text that the SMSC has', Buffer.from('x'), 0, { sm_default_msg_id: 3 }],
  ['what is for the SIM', Buffer.from('x'), 0, { protocol_id: 0x7f }],
  ['nothing', Buffer.alloc(0), 0, {}],
])('leaves %s as it is, and tells the other side', (_, octets, dataCoding, fields) => {
  const pdu = pduOf(octets, dataCoding, fields);
  const read = readMessage(pdu)!;
  expect(withLabel(pdu, read, LABEL, TAG)).toEqual({ pdu: untouched(pdu), isShown: false });
  expect(withLabel(pdu, read, LABEL, null)).toEqual({ pdu, isShown: false });
});

it.each(['submit_sm', 'data_sm'])('is put in front of the payload of a %s, which may be long', (command) => {
  const text = 'x'.repeat(500);
  const { short_message: _, ...addresses } = message('+639170000001', '');
  const pdu = new smpp.PDU(command, {
    ...addresses,
    ...{ data_coding: UCS2, message_payload: utf16(text), user_message_reference: 7 },
    ...(command === 'submit_sm' ? { short_message: Buffer.alloc(0) } : {}),
  }).toBuffer();
  const labelled = withLabel(pdu, readMessage(pdu)!, LABEL, null);
  expect(labelled.isShown).toBe(true);
  const read = readMessage(labelled.pdu)!;
  const { start, end } = read.tlvs.get(0x0424)!;
  expect(labelled.pdu.subarray(start, end)).toEqual(utf16(LABEL + text));
  expect(read.tlvs.has(0x0204)).toBe(true);
});

it('reads no message with inconsistent lengths', () => {
  const pdu = pduOf(Buffer.from('a text'), 0, { user_message_reference: 7 });
  for (let length = 16; length < pdu.length; length++) {
    const read = readMessage(pdu.subarray(0, length));
    // But where it ends just before the parameter.
    if (length === pdu.length - 6) expect(read?.tlvs.size).toBe(0);
    else expect(read).toBeNull();
  }
});
