/** Laws of the parser: separators never matter, a result parses to itself, and nothing makes the parser throw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PARTY_CHARS_MAX } from '../../../shared/limits/requests.ts';
import { NUMBER_LIMIT, toE164 } from '../../../shared/numbers/number.ts';
import { parseParty } from '../../../shared/numbers/parse.ts';
import { anyCharacter } from '../support/properties.ts';

const SEED = 20_261_124;
const SEPARATORS = [
  ...' -()[]_\'"☎<>{}\t\n\u00a0\u2003\u3000\u2010\u2013\u2014\u2212\u30fc\u200b\u200e\u202a\ufeff－．（）',
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

/** Digit strings that often begin with interesting prefixes. */
const digitStrings = fc
  .tuple(fc.constantFrom(...BEGINNINGS), fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 18 }))
  .map(([beginning, rest]) => beginning + rest);
const pluses = fc.constantFrom('', '+');

describe('parseParty', () => {
  it(`gives the same answer whatever separators and digit shapes are used, or refuses the text (seed ${SEED})`, () => {
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
        const party = parseParty(`${gaps[0]}${plus}${shaped.join('')}`);
        if (party.kind !== 'invalid' || party.code !== 'NUMBER_CHARACTER')
          expect(party).toEqual(parseParty(plus + text));
      },
    );
    fc.assert(holds, { seed: SEED, numRuns: 5_000 });
  });

  it(`reads the E.164 form of its own answer as the same number (seed ${SEED})`, () => {
    const holds = fc.property(pluses, digitStrings, (plus, text) => {
      const address = parseParty(plus + text);
      if (address.kind !== 'number') return;
      expect(Number.isInteger(address.n) && address.n > 0 && address.n < NUMBER_LIMIT).toBe(true);
      expect(parseParty(toE164(address.n))).toEqual({ kind: 'number', n: address.n, carrierPrefix: null });
    });
    fc.assert(holds, { seed: SEED, numRuns: 20_000 });
  });

  it(`does not depend on what it read before (seed ${SEED})`, () => {
    const holds = fc.property(pluses, digitStrings, digitStrings, (plus, text, before) => {
      const alone = parseParty(plus + text);
      parseParty(before.padEnd(20, '7'));
      expect(parseParty(plus + text)).toEqual(alone);
    });
    fc.assert(holds, { seed: SEED, numRuns: 5_000 });
  });

  it(`never throws, and never takes a number with decoration for a sender ID (seed ${SEED})`, () => {
    const texts = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 80 }),
      fc.string({ unit: fc.constantFrom(...'0123456789-+ xOl팔대表#@:;.'), maxLength: 30 }),
      fc.tuple(digitStrings, fc.string({ maxLength: 12 })).map(([number, rest]) => number + rest),
    );
    const count = (text: string, unit: RegExp): number => [...text].filter((each) => unit.test(each)).length;
    const holds = fc.property(texts, (text) => {
      const party = parseParty(text);
      if (text.length > PARTY_CHARS_MAX) expect(party).toEqual({ kind: 'invalid', code: 'NUMBER_TOO_LONG' });
      if (party.kind !== 'source') return;
      expect(count(party.text, /\p{L}/u)).toBeGreaterThan(0);
      const withoutExtension = party.text.replace(/\p{Nd}{1,6}\P{Nd}*$/u, '');
      const digits = count(withoutExtension, /\p{Nd}/u);
      expect(digits >= 7 && count(party.text, /\p{L}/u) < digits).toBe(false);
    });
    fc.assert(holds, { seed: SEED, numRuns: 20_000 });
  });

  it(`reads a number with words around it as that number, or refuses it (seed ${SEED})`, () => {
    const words = fc.string({ unit: fc.constantFrom(...'abcOlxTEL대표전화 .:()'), maxLength: 5 });
    const holds = fc.property(
      words,
      words,
      fc.integer({ min: 0, max: 99_999_999 }),
      (before, after, suffix) => {
        const n = 821_000_000_000 + suffix;
        const number = `010-${String(suffix).padStart(8, '0')}`;
        const party = parseParty(`${before} ${number} ${after}`);
        if (party.kind !== 'invalid') expect(party).toEqual({ kind: 'number', n, carrierPrefix: null });
      },
    );
    fc.assert(holds, { seed: SEED, numRuns: 5_000 });
  });
});
