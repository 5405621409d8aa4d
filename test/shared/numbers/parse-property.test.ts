/** The parser's laws: separators never matter, an answer parses to itself, nothing makes it throw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADDRESS_CHARS_MAX } from '../../../shared/limits.ts';
import { NUMBER_LIMIT, toE164 } from '../../../shared/numbers/number.ts';
import { parseAddress } from '../../../shared/numbers/parse.ts';

const SEED = 20_261_124;
const SEPARATORS = [
  ...' -./()[]<>{}\t\n\u00a0\u2003\u3000\u2010\u2013\u2014\u2212\u30fc\u200b\u200e\u202a\ufeff－．（）',
];
const ZEROS = [0x30, 0x660, 0x6f0, 0xff10];
const BEGINNINGS = [
  '',
  '0',
  '00',
  '000',
  '82',
  '820',
  '0082',
  '006',
  '00700',
  '00798',
  '0073',
  '44',
  '440',
  '15',
  '8',
];

/** Digit strings that lean towards the interesting beginnings. */
const digitStrings = fc
  .tuple(fc.constantFrom(...BEGINNINGS), fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 18 }))
  .map(([beginning, rest]) => beginning + rest);
const pluses = fc.constantFrom('', '+');

describe('parseAddress', () => {
  it(`gives the same answer whatever separators and digit shapes are used (seed ${SEED})`, () => {
    const between = fc.array(fc.constantFrom('', ...SEPARATORS), { minLength: 32, maxLength: 32 });
    const holds = fc.property(
      pluses,
      digitStrings,
      between,
      fc.constantFrom(...ZEROS),
      (plus, text, gaps, zero) => {
        const shaped = [...text].map(
          (digit, index) => String.fromCharCode(zero + Number(digit)) + gaps[index + 1],
        );
        expect(parseAddress(`${gaps[0]}${plus}${shaped.join('')}`)).toEqual(parseAddress(plus + text));
      },
    );
    fc.assert(holds, { seed: SEED, numRuns: 5_000 });
  });

  it(`reads the E.164 form of its own answer as the same number (seed ${SEED})`, () => {
    const holds = fc.property(pluses, digitStrings, (plus, text) => {
      const address = parseAddress(plus + text);
      if (address.kind !== 'number') return;
      expect(Number.isInteger(address.n) && address.n > 0 && address.n < NUMBER_LIMIT).toBe(true);
      expect(parseAddress(toE164(address.n))).toEqual({ kind: 'number', n: address.n, carrierPrefix: null });
    });
    fc.assert(holds, { seed: SEED, numRuns: 20_000 });
  });

  it(`does not depend on what it read before (seed ${SEED})`, () => {
    const holds = fc.property(pluses, digitStrings, digitStrings, (plus, text, before) => {
      const alone = parseAddress(plus + text);
      parseAddress(before.padEnd(20, '7'));
      expect(parseAddress(plus + text)).toEqual(alone);
    });
    fc.assert(holds, { seed: SEED, numRuns: 5_000 });
  });

  it(`never throws, and takes any text with a letter that is seen and no dash-like one for a source (seed ${SEED})`, () => {
    const holds = fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      const address = parseAddress(text);
      if (text.length > ADDRESS_CHARS_MAX)
        expect(address).toEqual({ kind: 'invalid', code: 'NUMBER_TOO_LONG' });
      else if (/[^\P{L}ーㅡ\u115f\u1160\u3164\uffa0]/u.test(text))
        expect(address).toEqual({ kind: 'source', text: text.trim() });
      else expect(address.kind).not.toBe('source');
    });
    fc.assert(holds, { seed: SEED, numRuns: 5_000 });
  });
});
