/**
 * How the SMPP proxy decodes a text. Like a phone, it decodes any octets, because otherwise a sender could
 * avoid the label with an invalid octet.
 */
import fc from 'fast-check';
import smpp from 'smpp';
import { expect, it } from 'vitest';
import { alphabetOf } from '../../examples/smpp/alphabets.ts';
import { GSM_CHARACTERS } from './support/smpp.ts';

it('reads the GSM alphabet as the package does', () => {
  for (const character of GSM_CHARACTERS) {
    expect(alphabetOf(0, 'gsm')!.decode(smpp.encodings.ASCII.encode(character)), character).toBe(character);
  }
});

it.each<[string, number, number[], string]>([
  ['an escape that means nothing', 0, [0x61, 0x1b, 0x41], 'aA'],
  ['an escape at the end', 0, [0x61, 0x1b], 'a'],
  ['octets beyond GSM', 0, [0x61, 0xe9], 'aé'],
  ['octets beyond ASCII', 1, [0x61, 0xe9], 'aé'],
  ['half a character of UCS-2', 8, [0, 0x41, 0], 'A'],
  ['broken KS C 5601', 14, [0x41, 0xff], 'A\ufffd'],
])('reads a text despite %s', (_, dataCoding, octets, text) => {
  expect(alphabetOf(dataCoding, 'gsm')!.decode(Buffer.from(octets))).toBe(text);
});

it('reads any octets, as no more characters than there are octets', () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 1, 3, 8, 14), fc.uint8Array({ maxLength: 254 }), (dataCoding, octets) => {
      const text = alphabetOf(dataCoding, 'gsm')!.decode(Buffer.from(octets));
      expect(text.length).toBeLessThanOrEqual(octets.length);
    }),
  );
});
