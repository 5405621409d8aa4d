/**
 * numgate's parser compared with libphonenumber-js, default country KR: example numbers of every region in
 * every written form, and 100,000 seeded random inputs. Each disagreement must be an intended difference.
 */
import process from 'node:process';
import examples from 'libphonenumber-js/examples.mobile.json' with { type: 'json' };
import {
  getCountries,
  getCountryCallingCode,
  getExampleNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import { afterAll, describe, expect, it } from 'vitest';
import { dropsTrunkZero, isAssigned } from '../../../shared/numbers/calling-codes.ts';
import { parseParty } from '../../../shared/numbers/parse.ts';
import { krClassOf } from '../../../shared/numbers/plan.ts';
import { isValidNumber } from '../../../shared/numbers/validity.ts';
import { DIFFERENCES, type Disagreement, type Reading } from './differences.ts';
import { type RandomBelow, randomDigits, randomFrom } from './random.ts';

const SEED = 20_261_124;
const RANDOM_COUNT = 100_000;
const SEPARATORS = [' ', '-', '.', '(', ')', '－', '　', '\u00a0', '\u200b', '–'];

const counts = new Map<string, number>(DIFFERENCES.map(({ id }) => [id, 0]));
let agreed = 0;

/** Considers every reading, and returns the one that is closest to theirs. */
function oursOf(text: string, theirs: Reading): Disagreement['ours'] {
  const party = parseParty(text);
  const readings = party.kind === 'ambiguous' ? party.readings : party.kind === 'number' ? [party] : [];
  const reading = readings.find(({ n }) => String(n) === theirs.number) ?? readings[0];
  if (reading === undefined) return { kind: party.kind, number: null, plausible: false, carrierPrefix: null };
  const { n, carrierPrefix } = reading;
  const plausible = krClassOf(n) === null ? isAssigned(n) : isValidNumber(n);
  return { kind: party.kind, number: String(n), plausible, carrierPrefix };
}

function theirsOf(text: string): Reading {
  const parsed = parsePhoneNumberFromString(text, { defaultCountry: 'KR', extract: false });
  if (parsed === undefined) return { number: null, plausible: false };
  return { number: parsed.number.slice(1), plausible: parsed.isValid() };
}

/** Null if both agree or an intended difference explains the disagreement; otherwise the disagreement, for the report. */
function unexplained(text: string): Disagreement | null {
  const theirs = theirsOf(text);
  const ours = oursOf(text, theirs);
  if (ours.kind !== 'shortCode' && ours.number === theirs.number && ours.plausible === theirs.plausible) {
    agreed++;
    return null;
  }
  const plain = text.normalize('NFKC');
  const disagreement = { text, digits: plain.replace(/\D/g, ''), plus: plain.startsWith('+'), ours, theirs };
  const difference = DIFFERENCES.find(({ covers }) => covers(disagreement));
  if (difference === undefined) return disagreement;
  counts.set(difference.id, counts.get(difference.id)! + 1);
  return null;
}

/** Adds separators, but leaves no group of one or two digits at an end, because those are refused (`groups.test.ts`). */
function randomlyWritten(text: string, below: RandomBelow): string {
  const isFullWidth = below(4) === 0;
  let written = '';
  for (const [index, char] of [...text].entries()) {
    const isInside = index > 2 && index < text.length - 3;
    const separator = isInside && below(3) === 0 ? SEPARATORS[below(SEPARATORS.length)]! : '';
    const isDigit = char >= '0' && char <= '9';
    written += separator + (isFullWidth && isDigit ? String.fromCharCode(char.charCodeAt(0) + 0xfee0) : char);
  }
  return written;
}

const exampleNumbers = getCountries().flatMap((region) => {
  const example = getExampleNumber(region, examples);
  return example === undefined
    ? []
    : [{ code: example.countryCallingCode, national: example.nationalNumber }];
});
const codes = [...new Set(getCountries().map((region) => getCountryCallingCode(region)))];

/** One random input: international, national, 00-prefixed, carrier-prefixed or bare digits. */
function randomText(below: RandomBelow): string {
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;
  const example = pick(exampleNumbers);
  const code = pick([example.code, pick(codes), String(1 + below(999)), '82']);
  const national = pick([
    randomDigits(below, 2 + below(12)),
    code === example.code ? example.national.slice(0, -3) + randomDigits(below, 3) : randomDigits(below, 9),
    pick(['10', '11', '2', '31', '50', '30', '70', '80', '60', '15', '1588', '62']) +
      randomDigits(below, 4 + below(5)),
  ]);
  const trunk = below(5) === 0 ? '0' : '';
  const form = pick([
    `+${code}${trunk}${national}`,
    `0${national}`,
    `00${code}${trunk}${national}`,
    `${pick(['001', '002', '006', '008', '00700', '0073', '00365', '00755'])}${code}${trunk}${national}`,
    national,
    `${code}${trunk}${national}`,
    `82${trunk}${national}`,
  ]);
  return randomlyWritten(form, below);
}

describe('the parser against libphonenumber-js', () => {
  afterAll(() => {
    const lines = [...counts].map(([id, count]) => `  ${String(count).padStart(7)} ${id}`);
    process.stdout.write(`parser differential, seed ${SEED}: ${agreed} agree\n${lines.join('\n')}\n`);
  });

  it('agrees on the example of every region in every written form', () => {
    const failures = exampleNumbers.flatMap(({ code, national }) => {
      const spaced = national.replace(/(\d{2,4}?)(?=(?:\d{4})+$)/g, '$1 ');
      const forms = [
        `+${code}${national}`,
        `+${code} ${spaced}`,
        `+${code}-${spaced.replaceAll(' ', '-')}`,
        `00${code}${national}`,
        `00${code} ${spaced}`,
        `00700${code}${national}`,
        `00700-${code}-${spaced}`,
        `001 ${code} ${spaced}`,
        `006${code}${national}`,
        ...(dropsTrunkZero(Number(code)) ? [`+${code} (0)${spaced}`, `+${code}0${national}`] : []),
        ...(code === '82' ? [`0${national}`, national, `82${national}`, `820${national}`] : []),
      ];
      return forms.map(unexplained).filter((failure) => failure !== null);
    });
    expect(failures).toEqual([]);
  });

  it('reads each example after 00700 as that number, with its carrier prefix', () => {
    for (const { code, national } of exampleNumbers) {
      expect(parseParty(`00700${code}${national}`)).toEqual({
        kind: 'number',
        n: Number(code + national),
        carrierPrefix: '00700',
      });
    }
  });

  it(`agrees on ${RANDOM_COUNT} random inputs (seed ${SEED})`, () => {
    const below = randomFrom(SEED);
    const failures: Disagreement[] = [];
    for (let index = 0; index < RANDOM_COUNT; index++) {
      const failure = unexplained(randomText(below));
      if (failure !== null) failures.push(failure);
    }
    expect(failures.slice(0, 20), `${failures.length} unexplained`).toEqual([]);
  });

  it('meets every intended difference, so that the list has no unused entry', () => {
    expect([...counts].filter(([, count]) => count === 0)).toEqual([]);
  });
});
