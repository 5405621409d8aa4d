/**
 * The position of the label. Long texts are compared with a plain model: a receiver that decodes the parts
 * with the package `smpp` and joins them in the order of their numbers sees the label and then the text.
 */
import fc from 'fast-check';
import smpp from 'smpp';
import { describe, expect, it } from 'vitest';
import { Labeller } from '../../examples/smpp/label.ts';
import { readMessage } from '../../examples/smpp/pdu.ts';
import { GSM_CHARACTERS, LABEL, message } from './support/smpp.ts';

const TAG = 0x1401;
const UCS2 = 8;
const GSM_LABEL = '[INTL] ';
const { ASCII: gsm, UCS2: utf16 } = smpp.encodings;

function pduOf(octets: Buffer, dataCoding: number, fields: object = {}): Buffer {
  return new smpp.PDU('submit_sm', {
    ...message('+639170000001', ''),
    ...{ short_message: octets, data_coding: dataCoding, validity_period: '000000010000000R' },
    ...{ sequence_number: 5, registered_delivery: 1, ...fields },
  }).toBuffer();
}

const labeller = new Labeller({ tag: null, alphabet: 'gsm' });
const label = (pdu: Buffer, text = LABEL, by = labeller) => by.label(pdu, readMessage(pdu)!, text);

/** The fields of a PDU that a receiver reads. */
interface Part {
  readonly text: string;
  readonly place: readonly [reference: number, total: number, number: number] | null;
  readonly dataCoding: number;
  readonly wantsReceipt: boolean;
}

/** Reads a PDU. Fails unless the text fits into the 140 octets of a text on the air. */
function received(pdu: Buffer): Part {
  expect(pdu.readUInt32BE(0)).toBe(pdu.length);
  const { tlvs, shortMessage, esmClass, dataCodingAt, registeredDeliveryAt } = readMessage(pdu)!;
  const span = shortMessage!.end > shortMessage!.start ? shortMessage! : tlvs.get(0x0424)!;
  const octets = pdu.subarray(span.start, span.end);
  const headerLength = (esmClass & 0x40) === 0 ? 0 : octets[0]! + 1;
  const header = octets.subarray(0, headerLength);
  const isSar = tlvs.has(0x020c);
  const dataCoding = pdu[dataCodingAt]!;
  const body = octets.subarray(headerLength);
  const onAir = isSar ? 7 : headerLength;
  expect(dataCoding === UCS2 ? body.length : Math.ceil((body.length * 7) / 8)).toBeLessThanOrEqual(
    140 - onAir,
  );
  const of = (tag: number) => pdu.readUIntBE(tlvs.get(tag)!.start, tag === 0x020c ? 2 : 1);
  const bytes = headerLength === 7 ? 2 : 1;
  const inHeader = () => [header.readUIntBE(3, bytes), header.at(-2)!, header.at(-1)!] as const;
  return {
    text: (dataCoding === UCS2 ? utf16 : gsm).decode(body),
    place: isSar ? [of(0x020c), of(0x020e), of(0x020f)] : headerLength === 0 ? null : inHeader(),
    dataCoding,
    wantsReceipt: pdu[registeredDeliveryAt] === 1,
  };
}

/** Joins the texts of all parts, after checking that they are the parts of one text. */
function joined(parts: readonly Part[]): string {
  const sorted = parts.toSorted((one, other) => (one.place?.[2] ?? 0) - (other.place?.[2] ?? 0));
  if (parts.length > 1 || parts[0]!.place !== null) {
    const [reference] = sorted[0]!.place!;
    expect(sorted.map(({ place }) => place)).toEqual(parts.map((_, at) => [reference, parts.length, at + 1]));
  }
  expect(new Set(parts.map(({ dataCoding }) => dataCoding)).size).toBe(1);
  return sorted.map(({ text }) => text).join('');
}

const gsmText = (maxLength: number) =>
  fc.array(fc.constantFrom(...GSM_CHARACTERS), { minLength: 1, maxLength }).map((all) => all.join(''));
const anyText = (maxLength: number) => fc.string({ unit: 'grapheme', minLength: 1, maxLength });
const labels = fc.constantFrom(LABEL, GSM_LABEL, '[🌏]', 'A');

describe('a whole text', () => {
  it.each<[string, Buffer, number, string, string, number]>([
    ['GSM text, for a label that it has', gsm.encode('a@b €5'), 0, 'a@b €5', GSM_LABEL, 0],
    ['GSM text, for a label that it lacks', gsm.encode('a@b €5'), 0, 'a@b €5', LABEL, UCS2],
    ['ASCII', Buffer.from('hello'), 1, 'hello', LABEL, UCS2],
    ['ASCII, for a label that it has', Buffer.from('hello'), 1, 'hello', '(INTL)', 1],
    ['Latin 1', Buffer.from('caf\u00e9 @', 'latin1'), 3, 'café @', LABEL, UCS2],
    ['UCS-2', utf16.encode('안녕하세요 😀'), UCS2, '안녕하세요 😀', LABEL, UCS2],
    ['KS C 5601', Buffer.from([0xb0, 0xa1, 0x20, 0xb3, 0xaa]), 14, '가 나', LABEL, UCS2],
    ['octets that are no GSM text', Buffer.of(0x61, 0x1b, 0x41, 0xe9), 0, 'aAé', LABEL, UCS2],
    ['half a character of UCS-2', Buffer.of(0, 0x41, 0), UCS2, 'A', LABEL, UCS2],
    ['the longest that fits', utf16.encode('x'.repeat(64)), UCS2, 'x'.repeat(64), LABEL, UCS2],
    ['the longest that fits in GSM', gsm.encode('x'.repeat(151)), 0, 'x'.repeat(151), GSM_LABEL, 0],
  ])('gets the label in front: %s', (_, octets, dataCoding, text, labelText, expected) => {
    const pdu = pduOf(octets, dataCoding);
    const { pdus, isShown } = label(pdu, labelText);
    expect([isShown, pdus.length]).toEqual([true, 1]);
    expect(received(pdus[0]!)).toEqual({
      ...{ text: labelText + text, place: null, dataCoding: expected, wantsReceipt: true },
    });
    // The rest is unchanged.
    const before = pdus[0]!.subarray(0, pdu.length - octets.length - 1);
    before[readMessage(pdu)!.dataCodingAt] = dataCoding;
    expect(before.subarray(4)).toEqual(pdu.subarray(4, pdu.length - octets.length - 1));
  });

  it('of any length and alphabet becomes parts that a receiver joins', () => {
    const text = fc.oneof(
      gsmText(160).map((value) => [gsm.encode(value).subarray(0, 254), 0, value] as const),
      anyText(60).map((value) => [utf16.encode(value).subarray(0, 140), UCS2, value] as const),
    );
    fc.assert(
      fc.property(text, labels, ([octets, dataCoding], labelText) => {
        const decoded = (dataCoding === 0 ? gsm : utf16).decode(octets);
        fc.pre(dataCoding === UCS2 || octets.at(-1) !== 0x1b);
        const { pdus, isShown } = label(pduOf(octets, dataCoding), labelText);
        expect(isShown).toBe(true);
        const parts = pdus.map(received);
        expect(joined(parts)).toBe(labelText + decoded);
        expect(parts.map(({ wantsReceipt }) => wantsReceipt)).toEqual(
          parts.map((_, at) => at + 1 === parts.length),
        );
        expect(parts.every((part) => part.text !== '')).toBe(true);
      }),
    );
  });

  it('becomes parts with a reference of its own each time', () => {
    const pdu = pduOf(utf16.encode('x'.repeat(70)), UCS2);
    const references = [1, 2].map(() => received(label(pdu).pdus[0]!).place![0]);
    expect(references[1]).toBe((references[0]! + 1) % 256);
  });

  it('means ASCII or Latin 1 by data coding 0 if the SMSC does', () => {
    for (const alphabet of ['ascii', 'latin1'] as const) {
      const own = new Labeller({ tag: null, alphabet });
      const { pdus } = label(pduOf(Buffer.from('a@_$', 'latin1'), 0), LABEL, own);
      expect(received(pdus[0]!).text).toBe(`${LABEL}a@_$`);
    }
  });
});

/** Splits a text like a sender: never within a character. */
function partsOf(
  text: string,
  form: 'udh8' | 'udh16' | 'sar',
  dataCoding: number,
  reference: number,
): Buffer[] {
  const header = { udh8: 6, udh16: 7, sar: 6 }[form];
  const room = dataCoding === UCS2 ? 140 - header : Math.floor(((140 - header) * 8) / 7);
  const encode = (value: string) => (dataCoding === UCS2 ? utf16 : gsm).encode(value);
  const bodies = [''];
  for (const character of text) {
    if (encode(bodies.at(-1)! + character).length > room) bodies.push('');
    bodies[bodies.length - 1] += character;
  }
  const total = bodies.length;
  return bodies.map((body, index) => {
    const place = [total, index + 1];
    if (form === 'sar') {
      const sar = { sar_msg_ref_num: reference, sar_total_segments: total, sar_segment_seqnum: index + 1 };
      return pduOf(encode(body), dataCoding, sar);
    }
    const udh =
      form === 'udh8'
        ? Buffer.of(5, 0, 3, reference & 0xff, ...place)
        : Buffer.of(6, 8, 4, reference >> 8, reference & 0xff, ...place);
    return pduOf(Buffer.concat([udh, encode(body)]), dataCoding, { esm_class: 0x40 });
  });
}

describe('the parts of a long text', () => {
  const forms = fc.constantFrom('udh8', 'udh16', 'sar') as fc.Arbitrary<'udh8' | 'udh16' | 'sar'>;
  const texts = fc.oneof(
    gsmText(600).map((text) => [text, 0] as const),
    anyText(250).map((text) => [text, UCS2] as const),
  );

  it('join to the label and the text, whatever their order', () => {
    fc.assert(
      fc.property(
        forms,
        texts,
        labels,
        fc.integer({ min: 0, max: 0xffff }),
        (form, [text, coding], own, reference) => {
          const sent = partsOf(text, form, coding, reference);
          const labelled = sent.toReversed().map((pdu) => label(pdu, own));
          expect(labelled.every(({ isShown }) => isShown)).toBe(true);
          expect(joined(labelled.flatMap(({ pdus }) => pdus.map(received)))).toBe(own + text);
          // A part that is sent again gives the same result.
          expect(label(sent[0]!, own)).toEqual(labelled.at(-1));
          for (const { pdus } of labelled) {
            const receipts = pdus.map((pdu) => received(pdu).wantsReceipt);
            expect(receipts).toEqual(pdus.map((_, index) => index + 1 === pdus.length));
          }
        },
      ),
    );
  });

  it('stay as few as before, but for the first, if the label needs no other alphabet', () => {
    const sent = partsOf('x'.repeat(67 * 3), 'udh8', UCS2, 7);
    expect(sent.map((pdu) => label(pdu).pdus.length)).toEqual([2, 1, 1]);
  });

  it('are also labelled in a payload', () => {
    const payload = Buffer.concat([Buffer.of(5, 0, 3, 9, 2, 1), utf16.encode('part')]);
    const empty = { short_message: Buffer.alloc(0), message_payload: payload, esm_class: 0x40 };
    const { pdus } = label(pduOf(Buffer.alloc(0), UCS2, empty));
    expect(pdus.map(received)).toMatchObject([{ place: [9, 3, 1] }, { place: [9, 3, 2] }]);
    expect(pdus.map((pdu) => received(pdu).text).join('')).toBe(`${LABEL}part`);
  });

  it('keep their characters if a sender splits one of the extension', () => {
    const part = (number: number, ...text: number[]) =>
      pduOf(Buffer.of(5, 0, 3, 1, 2, number, ...text), 0, { esm_class: 0x40 });
    const parts = [part(1, 0x00, 0x1b), part(2, 0x65, 0x00)].flatMap((pdu) => label(pdu).pdus.map(received));
    expect(joined(parts)).toBe(`${LABEL}@e@`);
  });

  it('stay as they are if they would be more than 255', () => {
    const part = (total: number) =>
      pduOf(Buffer.concat([Buffer.of(5, 0, 3, 1, total, 1), utf16.encode('x')]), UCS2, { esm_class: 0x40 });
    expect(label(part(254)).isShown).toBe(true);
    expect(label(part(255))).toEqual({ pdus: [part(255)], isShown: false });
  });
});

/** The unchanged octets of the PDU, with the label in a parameter after them. */
function untouched(pdu: Buffer): Buffer {
  const value = Buffer.from(LABEL);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(TAG, 0);
  head.writeUInt16BE(value.length, 2);
  const whole = Buffer.concat([pdu, head, value]);
  whole.writeUInt32BE(whole.length, 0);
  return whole;
}

it.each<[string, Buffer, number, object]>([
  ['a header with another element', Buffer.from([5, 0x24, 1, 1, 0, 0, 0x41]), 0, { esm_class: 0x40 }],
  ['a header with two elements', Buffer.from([8, 0, 3, 1, 2, 1, 0x24, 1, 1, 0x41]), 0, { esm_class: 0x40 }],
  ['a broken header', Buffer.from([5, 0, 3, 1]), 0, { esm_class: 0x40 }],
  ['a part 0', Buffer.from([5, 0, 3, 1, 2, 0, 0x41]), 0, { esm_class: 0x40 }],
  ['a part behind the last', Buffer.from([5, 0, 3, 1, 2, 3, 0x41]), 0, { esm_class: 0x40 }],
  [
    'a part that is too long',
    Buffer.from(`\x05\0\x03\x01\x02\x01${'A'.repeat(200)}`),
    0,
    { esm_class: 0x40 },
  ],
  ['half of the parameters of a part', Buffer.from('part'), 0, { sar_msg_ref_num: 1, sar_total_segments: 2 }],
  ['what goes to a port', Buffer.from('data'), 0, { source_port: 1, dest_port: 2 }],
  ['binary', Buffer.from([1, 2, 3]), 4, {}],
  ['a data coding that nobody knows', Buffer.from('x'), 0xf5, {}],
  ['what would replace itself', utf16.encode('x'.repeat(65)), UCS2, { replace_if_present_flag: 1 }],
  ['a part of it', Buffer.of(5, 0, 3, 1, 2, 1, 0x41), 0, { esm_class: 0x40, replace_if_present_flag: 1 }],
  ['a text that the SMSC has', Buffer.from('x'), 0, { sm_default_msg_id: 3 }],
  ['what is for the SIM', Buffer.from('x'), 0, { protocol_id: 0x7f }],
  ['nothing', Buffer.alloc(0), 0, {}],
])('leaves %s as it is, and puts the label into the parameter', (_, octets, dataCoding, fields) => {
  const pdu = pduOf(octets, dataCoding, fields);
  const tagging = new Labeller({ tag: TAG, alphabet: 'gsm' });
  expect(label(pdu, LABEL, tagging)).toEqual({ pdus: [untouched(pdu)], isShown: false });
  expect(label(pdu)).toEqual({ pdus: [pdu], isShown: false });
});

it.each(['submit_sm', 'data_sm'])('is put in front of the payload of a %s, which may be long', (command) => {
  const text = 'x'.repeat(500);
  const { short_message: _, ...addresses } = message('+639170000001', '');
  const pdu = new smpp.PDU(command, {
    ...addresses,
    ...{ data_coding: UCS2, message_payload: utf16.encode(text), user_message_reference: 7 },
    ...(command === 'submit_sm' ? { short_message: Buffer.alloc(0) } : {}),
  }).toBuffer();
  const { pdus } = label(pdu);
  expect(pdus).toHaveLength(1);
  const read = readMessage(pdus[0]!)!;
  const { start, end } = read.tlvs.get(0x0424)!;
  expect(pdus[0]!.subarray(start, end)).toEqual(utf16.encode(LABEL + text));
  expect(read.tlvs.has(0x0204)).toBe(true);
});

it('reads no message with two texts', () => {
  expect(readMessage(pduOf(Buffer.from('x'), 1, { message_payload: Buffer.from('y') }))).toBeNull();
});

it('reads no message with inconsistent lengths', () => {
  const pdu = pduOf(Buffer.from('a text'), 0, { user_message_reference: 7 });
  for (let length = 16; length < pdu.length; length++) {
    const read = readMessage(pdu.subarray(0, length));
    // A PDU that ends just before the parameter is valid.
    if (length === pdu.length - 6) expect(read?.tlvs.size).toBe(0);
    else expect(read).toBeNull();
  }
});
