/**
 * The intended differences between numgate's parser and libphonenumber-js. Each has its reason and a predicate
 * as narrow as the reason. A disagreement that no entry covers is a bug in one of the two.
 */
import { callingCodeOf, dropsTrunkZero } from '../../../shared/numbers/calling-codes.ts';

/** One reading of a text: the number without plus, null for no number, and whether a subscriber can have the number. */
export interface Reading {
  readonly number: string | null;
  readonly plausible: boolean;
}

/** A disagreement: the digits of the text, whether it began with a plus, and both readings. */
export interface Disagreement {
  readonly text: string;
  readonly digits: string;
  readonly plus: boolean;
  readonly ours: Reading & { readonly kind: string; readonly carrierPrefix: string | null };
  readonly theirs: Reading;
}

export interface Difference {
  readonly id: string;
  readonly why: string;
  readonly covers: (d: Disagreement) => boolean;
}

/** The prefixes that libphonenumber strips after a calling code in addition to 0, by calling code. */
const OTHER_NATIONAL_PREFIXES: ReadonlyMap<number, RegExp> = new Map([
  [1, /1/],
  [7, /8/],
  [36, /06/],
  [55, /(?:0|90)(?:1[245]|2[1-35]|31|4[13]|[56]5|99)?/],
  [57, /0(?:[3579]|4(?:[14]4|56))/],
  [241, /0/],
  [250, /0/],
  [352, /15\d{3}/],
  [370, /[08]/],
  [375, /0|80?/],
  [591, /0(?:1\d)?/],
  [692, /1/],
  [993, /8/],
]);

function codeOf(number: string): number {
  return callingCodeOf(Number(number.slice(0, 3).padEnd(3, '0')));
}

function nationalOf(number: string): string {
  return number.slice(String(codeOf(number)).length);
}

/** The number without one trunk 0 after its calling code, if the country drops it. */
function withoutTrunkZero(number: string): string {
  const national = nationalOf(number);
  return dropsTrunkZero(codeOf(number)) && /^0[1-9]/.test(national)
    ? codeOf(number) + national.slice(1)
    : number;
}

/** Whether our national digits are the last digits of the text, which means that none was invented. */
const endsAsWritten = ({ digits, ours }: Disagreement): boolean =>
  digits.endsWith(nationalOf(ours.number ?? ''));
const same = ({ ours, theirs }: Disagreement): boolean => ours.number === theirs.number;
const onlyOurs = ({ ours, theirs }: Disagreement): boolean => ours.plausible && !theirs.plausible;
const onlyTheirs = ({ ours, theirs }: Disagreement): boolean => !ours.plausible && theirs.plausible;
const isOurs = ({ ours }: Disagreement, form: RegExp): boolean => form.test(ours.number ?? '');
const isTheirs = ({ theirs }: Disagreement, form: RegExp): boolean => form.test(theirs.number ?? '');

export const DIFFERENCES: readonly Difference[] = [
  {
    id: 'digits-behind-a-representative-number',
    why: '1588-1234 123 is a representative number and digits beside it, also where the digits fit another number.',
    covers: (d) => d.ours.kind === 'invalid' && !d.plus && /^1[568]\d{7,}$/.test(d.digits),
  },
  {
    id: 'canadian-310',
    why: '310-0808 is dialled only within Canada: no such number is reached behind +1.',
    covers: (d) => isTheirs(d, /^1310\d{4}$/) && onlyTheirs(d),
  },
  {
    id: 'area-code-missing',
    why: '7 or 8 digits that begin with neither 0 nor 1 are a number of every area, or Seoul without its 0.',
    covers: (d) => d.ours.kind === 'localNumber' && !d.plus && /^[2-9]\d{6,7}$/.test(d.digits),
  },
  {
    id: 'short-code',
    why: '3 to 5 digits that begin with 1 are a short code in Korea, never an E.164 number.',
    covers: (d) =>
      d.ours.kind === 'shortCode' && !d.plus && /^1\d{2,4}$/.test(d.digits) && !d.theirs.plausible,
  },
  {
    id: 'neither-plausible',
    why: 'Both say that nobody can have it; how junk is written down does not matter.',
    covers: (d) => d.ours.kind !== 'shortCode' && !d.ours.plausible && !d.theirs.plausible,
  },
  {
    id: 'mobile-010-nine-digits',
    why: '010 numbers have ten digits behind +82 since 2004; libphonenumber still takes nine.',
    covers: (d) => isTheirs(d, /^8210\d{7}$/) && (onlyTheirs(d) || d.ours.carrierPrefix === '00'),
  },
  {
    id: 'representative-new-prefixes',
    why: '15xx, 16xx and 18xx numbers appear faster than libphonenumber lists their prefixes.',
    covers: (d) => isOurs(d, /^821[568]\d{6}$/) && onlyOurs(d) && endsAsWritten(d),
  },
  {
    id: 'service-030',
    why: '030 numbers have 9 to 11 digits behind +82 by the Korean sender rules.',
    covers: (d) => isOurs(d, /^8230\d{7,9}$/) && onlyOurs(d) && endsAsWritten(d),
  },
  {
    id: 'mobile-010-597-to-599',
    why: 'The plan takes all of 010; libphonenumber leaves out 010-597x to 010-599x, which rest on a list from 2018.',
    covers: (d) => isOurs(d, /^821059[7-9]\d{5}$/) && same(d) && onlyOurs(d),
  },
  {
    id: 'seoul-service-codes',
    why: '02-120 is answered in Seoul as 031-120 is in Gyeonggi; libphonenumber has none behind 02.',
    covers: (d) => isOurs(d, /^8221\d{2,3}$/) && onlyOurs(d),
  },
  {
    id: 'telemetry-012-gaps',
    why: 'The plan takes all of 012; libphonenumber leaves out 0122 but for 01221 and 01223.',
    covers: (d) => isOurs(d, /^82122[024-9]\d{5,6}$/) && same(d) && onlyOurs(d),
  },
  {
    id: 'inbound-toll-free-16-digits',
    why: '00798 with nine more digits is 16 digits behind +82, more than E.164 has.',
    covers: (d) => isTheirs(d, /^8200798\d{9}$/) && onlyTheirs(d),
  },
  {
    id: 'zero-zero-82-is-korea',
    why: '0082 before a valid Korean number is 00 + 82; libphonenumber reads carrier 008 + 2….',
    covers: (d) =>
      !d.plus &&
      d.digits.startsWith('0082') &&
      d.ours.plausible &&
      d.ours.carrierPrefix === null &&
      isOurs(d, /^82/) &&
      endsAsWritten(d),
  },
  {
    id: 'generic-00',
    why: '00 is the usual international prefix elsewhere: taken if no carrier reading is possible.',
    covers: (d) =>
      d.ours.carrierPrefix === '00' && onlyOurs(d) && d.ours.number === withoutTrunkZero(d.digits.slice(2)),
  },
  {
    id: 'korean-behind-carrier',
    why: 'Korean operators display 00700 also before a Korean number as it is dialled: 00700 1588-1234.',
    covers: (d) => {
      const national = nationalOf(d.ours.number ?? '');
      const dialled = /^1[568]\d{6}$/.test(national) ? national : `0${national}`;
      return onlyOurs(d) && isOurs(d, /^82/) && d.digits === `${d.ours.carrierPrefix}${dialled}`;
    },
  },
  {
    id: 'bare-international',
    why: 'Ten digits or more that are no Korean number are read with their calling code.',
    covers: (d) =>
      !d.plus &&
      /^[1-79]\d{9,}|^8[^2]\d{8,}/.test(d.digits) &&
      onlyOurs(d) &&
      d.ours.number === withoutTrunkZero(d.digits),
  },
  {
    id: 'trunk-zero-dropped',
    why: 'A trunk 0 behind a calling code is always dropped; libphonenumber keeps it if only then the pattern fits.',
    covers: (d) =>
      d.theirs.number !== null && !same(d) && withoutTrunkZero(d.theirs.number) === d.ours.number,
  },
  {
    id: 'other-national-prefixes',
    why: 'Only a trunk 0 is dropped behind a calling code: +7 8…, +1 1…, +36 06… and carrier selections stay.',
    covers: (d) => {
      const code = codeOf(d.theirs.number ?? '');
      const prefix = OTHER_NATIONAL_PREFIXES.get(code);
      const tail = nationalOf(d.theirs.number ?? '');
      return prefix !== undefined && new RegExp(`${code}(?:${prefix.source})${tail}$`).test(d.digits);
    },
  },
  {
    id: 'local-number-completed',
    why: 'libphonenumber completes local numbers of Madagascar (20) and Norfolk Island (3); a country code admits none.',
    covers: (d) =>
      (isTheirs(d, /^26120\d{7}$/) && d.digits.endsWith(`261${d.theirs.number?.slice(5)}`)) ||
      (isTheirs(d, /^6723\d{5}$/) && d.digits.endsWith(`672${d.theirs.number?.slice(4)}`)),
  },
  {
    id: 'more-than-15-digits',
    why: 'E.164 ends at 15 digits; national-only forms beyond it cannot come from or go anywhere.',
    covers: (d) => d.ours.kind === 'invalid' && (d.theirs.number ?? '').length > 15,
  },
];
