/**
 * Every written form of real numbers of every region and type. None is silently read as another number. The example numbers are
 * those of google-libphonenumber, whose metadata numgate does not use. Prints a table of the results.
 */
import process from 'node:process';
import google from 'google-libphonenumber';
import { afterAll, describe, expect, it } from 'vitest';
import { callingCodeOf, isAssigned } from '../../../shared/numbers/calling-codes.ts';
import { parseParty } from '../../../shared/numbers/parse.ts';
import type { ParsedParty } from '../../../shared/numbers/party.ts';
import { KR_CARRIER_PREFIXES, krClassOf } from '../../../shared/numbers/plan.ts';
import { isValidNumber } from '../../../shared/numbers/validity.ts';

const { PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil } = google;
const library = PhoneNumberUtil.getInstance();
const KOREA = '82';

interface Example {
  /** Digits of the E.164 form. */
  readonly digits: string;
  readonly international: string;
}

function examples(): Example[] {
  const found = new Map<string, Example>();
  const types = Object.values(PhoneNumberType).filter((type) => typeof type === 'number');
  const add = (number: google.PhoneNumber | undefined): void => {
    if (!number) return;
    const digits = library.format(number, PhoneNumberFormat.E164).slice(1);
    found.set(digits, { digits, international: library.format(number, PhoneNumberFormat.INTERNATIONAL) });
  };
  for (const region of library.getSupportedRegions())
    for (const type of types) add(library.getExampleNumberForType(region, type));
  return [...found.values()];
}

/** The metadata of the two libraries have different dates, so use only numbers that both know. */
const known = examples().filter(({ digits }) => {
  const n = Number(digits);
  return digits.length <= 15 && (krClassOf(n) === null ? isAssigned(n) : isValidNumber(n));
});

const fullWidth = (text: string): string =>
  text.replace(/[!-~]/g, (unit) => String.fromCharCode(unit.charCodeAt(0) + 0xfee0));
const korean = ({ digits }: Example): string => digits.slice(KOREA.length);
/** The number as dialled in Korea. */
const dialled = (example: Example): string =>
  /^(1[568]\d{6}|00.*)$/.test(korean(example)) ? korean(example) : `0${korean(example)}`;

/** Forms by name; null if a number has no such form. */
const FORMS: readonly (readonly [name: string, write: (example: Example) => string | null])[] = [
  ['+', ({ digits }) => `+${digits}`],
  ['+ with separators', ({ international }) => international],
  ['full width', ({ international }) => fullWidth(international)],
  ['tel:', ({ international }) => `tel:${international.replaceAll(' ', '-')}`],
  ['sip:', ({ digits }) => `sip:+${digits}@example.com;user=phone`],
  ['decorated', ({ international }) => `☎ ${international} (대표)`],
  ['with extension', ({ international }) => `${international} 내선 12`],
  ['without +', ({ digits }) => (digits.length >= 10 ? digits : null)],
  ['float', ({ digits }) => (digits.length >= 10 ? `${digits}.0` : null)],
  ['Korean, as dialled', (example) => (example.digits.startsWith(KOREA) ? dialled(example) : null)],
  ['00', ({ digits }) => `00${digits}`],
  ...KR_CARRIER_PREFIXES.map((carrier) => [carrier, ({ digits }: Example) => carrier + digits] as const),
  ...KR_CARRIER_PREFIXES.map(
    (carrier) =>
      [
        `${carrier}, Korean, as dialled`,
        (example: Example) =>
          // 00798 and 00308 are only ever dialled within Korea, and short numbers carry no prefix.
          example.digits.startsWith(KOREA) &&
          !dialled(example).startsWith('00') &&
          dialled(example).length >= 8
            ? carrier + dialled(example)
            : null,
      ] as const,
  ),
];

type ReadingResult = 'read' | 'ambiguous' | 'refused' | 'wrong';

function resultOf(party: ParsedParty, n: number): ReadingResult {
  switch (party.kind) {
    case 'number':
      return party.n === n ? 'read' : isValidNumber(party.n) ? 'wrong' : 'refused';
    case 'ambiguous':
      return party.readings.some((reading) => reading.n === n) ? 'ambiguous' : 'wrong';
    case 'invalid':
    case 'localNumber':
      return 'refused';
    case 'shortCode':
    case 'source':
      return 'wrong';
  }
}

describe(`${known.length} numbers of every region and type, in every written form`, () => {
  const table: string[] = [];
  afterAll(() => {
    const title = [
      'form',
      'read',
      'ambiguous',
      'refused',
      'wrong',
      'calling codes that an ambiguous text can have',
    ];
    process.stdout.write(`${[title.join('\t'), ...table].join('\n')}\n`);
  });

  it('all have an expected reading', () => {
    expect(known.length).toBeGreaterThan(900);
    expect(new Set(known.map(({ digits }) => digits.slice(0, 2))).size).toBeGreaterThan(50);
  });

  it.each(FORMS)('%s: each is read as itself, or all its readings are expected', (name, write) => {
    const counts: Record<ReadingResult, number> = { read: 0, ambiguous: 0, refused: 0, wrong: 0 };
    const failures: string[] = [];
    const codes = new Set<string>();
    for (const example of known) {
      const text = write(example);
      if (text === null) continue;
      const party = parseParty(text);
      const result = resultOf(party, Number(example.digits));
      counts[result]++;
      if (party.kind === 'ambiguous') codes.add(party.readings.map(({ n }) => callingCodeOf(n)).join('|'));
      if (result === 'wrong' || result === 'refused') failures.push(`${text} (${example.digits}): ${result}`);
    }
    const row = [name, counts.read, counts.ambiguous, counts.refused, counts.wrong];
    table.push([...row, [...codes].sort().join(' ')].join('\t'));
    expect(failures).toEqual([]);
  });
});
