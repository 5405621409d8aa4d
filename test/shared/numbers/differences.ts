/**
 * The intended differences between numgate's parser and libphonenumber-js, each with its reason and a
 * predicate as narrow as the reason. A disagreement that no entry covers is a bug in one of the two.
 */
import { callingCodeOf, dropsTrunkZero } from '../../../shared/numbers/calling-codes.ts';

/** One reading of a text: the number without plus, null if none, and whether somebody can have it. */
export interface Reading {
  readonly number: string | null;
  readonly plausible: boolean;
}

/** A disagreement: the digits of the text, whether a plus stood in front, and both readings. */
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

/** The number without one trunk 0 behind its calling code, where that country drops it. */
function withoutTrunkZero(number: string): string {
  const code = callingCodeOf(Number(number.slice(0, 3).padEnd(3, '0')) * 10 ** 6);
  const length = String(code).length;
  return number.slice(length, length + 1) === '0' && number[length + 1] !== '0' && dropsTrunkZero(code)
    ? number.slice(0, length) + number.slice(length + 1)
    : number;
}

const same = ({ ours, theirs }: Disagreement): boolean => ours.number === theirs.number;
const onlyOurs = ({ ours, theirs }: Disagreement): boolean => ours.plausible && !theirs.plausible;
const onlyTheirs = ({ ours, theirs }: Disagreement): boolean => !ours.plausible && theirs.plausible;
const isOurs = ({ ours }: Disagreement, form: RegExp): boolean => form.test(ours.number ?? '');
const isTheirs = ({ theirs }: Disagreement, form: RegExp): boolean => form.test(theirs.number ?? '');

export const DIFFERENCES: readonly Difference[] = [
  {
    id: 'short-code',
    why: '3 to 5 digits that begin with 1 are a short code in Korea, never an E.164 number.',
    covers: (d) => d.ours.kind === 'shortCode' && !d.plus && /^1\d{2,4}$/.test(d.digits) && !d.theirs.plausible,
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
    covers: (d) => isOurs(d, /^821[568]\d{6}$/) && same(d) && onlyOurs(d),
  },
  {
    id: 'service-030',
    why: '030 numbers have 9 to 11 digits behind +82 by the Korean sender rules.',
    covers: (d) => isOurs(d, /^8230\d{7,9}$/) && same(d) && onlyOurs(d),
  },
  {
    id: 'zero-zero-82-is-korea',
    why: '0082 before a valid Korean number is 00 + 82; libphonenumber reads carrier 008 + 2….',
    covers: (d) =>
      !d.plus &&
      d.digits.startsWith('0082') &&
      d.ours.plausible &&
      d.ours.carrierPrefix === null &&
      d.ours.number === withoutTrunkZero(d.digits.slice(2)),
  },
  {
    id: 'generic-00',
    why: '00 is the usual international prefix elsewhere: taken if no carrier reading is possible.',
    covers: (d) =>
      d.ours.carrierPrefix === '00' && onlyOurs(d) && d.ours.number === withoutTrunkZero(d.digits.slice(2)),
  },
  {
    id: 'generic-00-before-kept-trunk-zero',
    why: 'The carrier reading only has a possible length because libphonenumber keeps a trunk 0 in it.',
    covers: (d) =>
      d.ours.carrierPrefix === '00' &&
      d.ours.number === withoutTrunkZero(d.digits.slice(2)) &&
      withoutTrunkZero(d.theirs.number ?? '') !== d.theirs.number,
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
    covers: (d) => d.theirs.number !== null && !same(d) && withoutTrunkZero(d.theirs.number) === d.ours.number,
  },
  {
    id: 'more-than-15-digits',
    why: 'E.164 ends at 15 digits; national-only forms beyond it cannot come from or go anywhere.',
    covers: (d) => d.ours.kind === 'invalid' && (d.theirs.number ?? '').length > 15,
  },
];
