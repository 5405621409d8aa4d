/**
 * Numbers from abroad as gateways write them: a Korean number in every written form, and a foreign number
 * after every Korean carrier prefix. Each is read correctly and gets the verdict of its kind.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import callingCodes from '../../../data/calling-codes.json' with { type: 'json' };
import { isAssigned } from '../../../shared/numbers/calling-codes.ts';
import { KR_CARRIER_PREFIXES, krClassOf } from '../../../shared/numbers/plan.ts';
import { isValidNumber } from '../../../shared/numbers/validity.ts';
import { type SenderKind, senderKind } from '../../../shared/policy/facts.ts';
import { type GatewayResponse, toGatewayResponse } from '../../../shared/screening/gateway-response.ts';
import { GATEWAY_FIELDS } from '../../../shared/screening/parse-gateway-request.ts';
import { parseRequest } from '../../../shared/screening/parse-request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import { findTestNumber } from '../../../shared/test-numbers.ts';
import { strength, type Verdict } from '../../../shared/verdict.ts';
import { gatewaySnapshot } from '../support/gateway-world.ts';
import { clientSettings } from '../support/screen-world.ts';

const SEED = 20_261_124;
const RUNS = 3_000;
const AT = gatewaySnapshot('none', { kind: 'withheld' });

function check(fields: object) {
  const parsed = parseRequest({ channel: 'voice', ...fields }, GATEWAY_FIELDS, null);
  if (!parsed.ok) throw new Error(parsed.message);
  return toGatewayResponse(parsed.value, screen(parsed.value, AT, clientSettings()), AT);
}

const digit = fc.constantFrom(...'0123456789');
const digits = (count: number): fc.Arbitrary<string> =>
  fc.string({ unit: digit, minLength: count, maxLength: count });

/** Prefixes of national numbers, each with the number of further digits and its verdict from abroad. */
const KOREAN: readonly (readonly [prefix: string, rest: number, verdict: Verdict])[] = [
  ['10', 8, 'label'],
  ['2', 8, 'block'],
  ['31', 8, 'block'],
  ['64', 7, 'block'],
  ['70', 8, 'block'],
  ['80', 7, 'block'],
  ['1588', 4, 'block'],
  ['1661', 4, 'block'],
  ['50', 8, 'label'],
  ['60', 7, 'label'],
  ['30', 8, 'label'],
];

/** Whether the text has several readings. This number must be one of them. */
function isOneOfSeveral({ readings }: GatewayResponse, number: string): boolean {
  const several = readings?.from ?? [];
  if (several.length > 0) expect(several).toContain(number);
  return several.length > 0;
}

/** Full-width digits and the usual separators, without groups of one or two digits at either end. */
function dressed(text: string, wide: boolean, gaps: readonly string[]): string {
  const shaped = [...text].map((one, index) => {
    const shown = wide && /\d/.test(one) ? String.fromCharCode(0xff10 + Number(one)) : one;
    return shown + (index > 1 && index < text.length - 4 ? gaps[index] : '');
  });
  return shaped.join('');
}

describe('a Korean number from abroad', () => {
  it(`is read correctly in every written form, and screened by its kind (seed ${SEED})`, () => {
    const number = fc
      .constantFrom(...KOREAN)
      .chain(([prefix, rest, verdict]) => digits(rest).map((behind) => ({ nsn: prefix + behind, verdict })))
      .filter(({ nsn }) => {
        const n = Number(`82${nsn}`);
        const krClass = krClassOf(n);
        return isValidNumber(n) && krClass !== 'fixedRepresentative' && findTestNumber(n) === null;
      });
    const gap = fc.constantFrom('', '', '', '-', ' ', '.', '\u00a0', '–');
    const property = fc.property(
      number,
      fc.constantFrom(
        '+82',
        '+820',
        '0',
        '82',
        '0082',
        '00820',
        ...KR_CARRIER_PREFIXES.map((one) => `${one}82`),
      ),
      fc.boolean(),
      fc.array(gap, { minLength: 20, maxLength: 20 }),
      ({ nsn, verdict }, front, wide, gaps) => {
        // A representative number has no leading 0.
        const isRepresentative = nsn.startsWith('1') && nsn.length === 8;
        const before = isRepresentative && front === '0' ? '' : front;
        const answer = check({ from: dressed(before + nsn, wide, gaps) });
        if (isOneOfSeveral(answer, `+82${nsn}`)) {
          // The text has another reading, and the gateway gets the strongest verdict.
          expect(strength(answer.verdict)).toBeGreaterThanOrEqual(strength(verdict));
          return;
        }
        expect([before + nsn, answer.from]).toEqual([before + nsn, `+82${nsn}`]);
        expect(answer.verdict).toBe(verdict);
        expect(answer.evidence.country).toBe('KR');
        const carrier = KR_CARRIER_PREFIXES.find((one) => front === `${one}82`) ?? null;
        expect(answer.evidence.carrierPrefix).toBe(carrier);
      },
    );
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  });
});

/** A possible foreign number, in two parts. */
const foreign = fc
  .constantFrom(...callingCodes.codes.filter(({ code }) => code !== 82))
  .chain(({ code, lengths }) =>
    fc
      .constantFrom(...lengths)
      .chain((length) => digits(length).map((nsn) => ({ code, digits: `${code}${nsn}` }))),
  )
  .filter(({ digits: written }) => written.length <= 15 && isAssigned(Number(written)));

describe('a number abroad behind a Korean carrier prefix', () => {
  const prefix = fc.constantFrom(...KR_CARRIER_PREFIXES);

  it(`is read correctly, with the prefix as evidence (seed ${SEED})`, () => {
    let ambiguous = 0;
    const property = fc.property(foreign, prefix, ({ digits: written }, carrier) => {
      const answer = check({ from: carrier + written, ingress: { type: 'domestic' } });
      if (isOneOfSeveral(answer, `+${written}`)) {
        ambiguous++;
        return;
      }
      expect([carrier, answer.from]).toEqual([carrier, `+${written}`]);
      expect(answer.evidence).toMatchObject({ origin: 'abroad', carrierPrefix: carrier, sender: 'foreign' });
      expect(answer.verdict).toBe('label');
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
    expect(ambiguous / RUNS).toBeLessThan(0.1);
  });

  it(`is read correctly when the prefix is a separate field (seed ${SEED})`, () => {
    const property = fc.property(foreign, prefix, fc.boolean(), ({ digits: written }, carrier, joined) => {
      const via = { type: 'domestic', carrierPrefix: carrier };
      const answer = check({ from: joined ? carrier + written : written, ingress: via });
      if (isOneOfSeveral(answer, `+${written}`)) return;
      expect([carrier, answer.from]).toEqual([carrier, `+${written}`]);
      expect(answer.evidence).toMatchObject({ origin: 'abroad', carrierPrefix: carrier, sender: 'foreign' });
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  });

  it('is tested next to every kind of Korean number in a policy', () => {
    const kinds = new Set<SenderKind>(
      KOREAN.map(([start, rest]) =>
        senderKind({ kind: 'number', n: Number(`82${start}${'2'.repeat(rest)}`), carrierPrefix: null }),
      ),
    );
    for (const kind of [
      'krMobile',
      'krFixed',
      'krVoip',
      'krTollFree',
      'krRepresentative',
      'krPersonal',
    ] as const) {
      expect(kinds).toContain(kind);
    }
  });
});
