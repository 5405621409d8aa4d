/** Bits are written and read back, compared with strings of '0' and '1'. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitWriter } from '../../../shared/build/bit-writer.ts';
import { BitReader } from '../../../shared/set/bit-reader.ts';
import { binary, bitWords, hexOf, riceCode } from '../support/bytes.ts';
import { bytesOf } from '../support/one-part.ts';
import { holds } from '../support/properties.ts';

const plain = fc
  .integer({ min: 0, max: 32 })
  .chain((bits) => fc.tuple(fc.constant(bits), fc.integer({ min: 0, max: 2 ** bits - 1 })));
const rice = fc
  .integer({ min: 0, max: 27 })
  .chain((parameter) => fc.tuple(fc.constant(parameter), fc.nat({ max: 200 * 2 ** parameter })));

describe('the bit writer and the bit reader', () => {
  it('agree with bit strings on plain values of 0 to 32 bits', () => {
    holds(
      fc.property(fc.array(plain, { maxLength: 60 }), (values) => {
        const writer = new BitWriter();
        for (const [bits, value] of values) writer.write(value, bits);
        const text = values.map(([bits, value]) => binary(value, bits)).join('');
        expect(writer.length).toBe(text.length);
        const words = writer.words();
        expect(hexOf(bytesOf(words))).toBe(hexOf(bitWords(text)));
        const reader = new BitReader(new Int32Array(words.buffer), 0);
        for (const [bits, value] of values) expect(reader.read(bits)).toBe(value);
      }),
    );
  });

  it('agree with bit strings on Rice codes with long quotients', () => {
    holds(
      fc.property(fc.array(rice, { maxLength: 40 }), (values) => {
        const writer = new BitWriter();
        for (const [parameter, value] of values) writer.writeRice(value, parameter);
        const words = writer.words();
        expect(hexOf(bytesOf(words))).toBe(
          hexOf(bitWords(values.map(([parameter, value]) => riceCode(value, parameter)).join(''))),
        );
        const reader = new BitReader(new Int32Array(words.buffer), 0);
        for (const [parameter, value] of values) expect(reader.readRice(parameter)).toBe(value);
      }),
    );
  });

  it('read zeros after the end, and end a run of zeros there', () => {
    const reader = new BitReader(Int32Array.of(0xdeadbeef | 0, 0, 0, -1).subarray(0, 3), 1);
    expect(reader.readUnary()).toBe(64);
    expect(reader.read(32)).toBe(0);
    reader.seek(0xffffffff);
    expect(reader.read(5)).toBe(0);
  });

  it('read from any position', () => {
    const text = '1011001110001111000011111000001111110000001111111000000011111111';
    const reader = new BitReader(
      Int32Array.from([7, ...[0, 32].map((at) => Number.parseInt(text.slice(at, at + 32), 2))]),
      1,
    );
    for (let at = 0; at < 56; at++) {
      reader.seek(at);
      expect(reader.read(8)).toBe(Number.parseInt(text.slice(at, at + 8), 2));
    }
  });
});
