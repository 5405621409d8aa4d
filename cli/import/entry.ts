/**
 * Turns a row of input into an entry of one list: a number, a range or a source, with its dates. A row that
 * cannot be listed gets a code and a message that never contains the number.
 */

import { ALWAYS, type Dates } from '../../shared/build/list-entries.ts';
import { callingCodeOf, dropsTrunkZero, regionOf } from '../../shared/numbers/calling-codes.ts';
import { hasNumber } from '../../shared/numbers/decoration.ts';
import { digitCountOf, NUMBER_LIMIT, POW10 } from '../../shared/numbers/number.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import type { NumberParty, ParseError } from '../../shared/numbers/party.ts';
import { isEmergency, isEmergencyNumber, KR_CODE } from '../../shared/numbers/plan.ts';
import { isValidNumber } from '../../shared/numbers/validity.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { hasSourceKind, parseSource, type Source } from '../../shared/sources/source.ts';
import { findTestNumber } from '../../shared/test-numbers.ts';
import { quoted } from '../failure.ts';
import type { CatalogueList } from './catalogue.ts';
import { secondsOf } from './dates.ts';
import type { Row } from './rows.ts';

export type Listed =
  | { readonly kind: 'number'; readonly n: number }
  | { readonly kind: 'ranges'; readonly ranges: readonly { readonly from: number; readonly to: number }[] }
  | { readonly kind: 'source'; readonly source: Source };

type Rejected = Failure<RejectCode>;
/** An entry of the list with index `list`, or why the row makes none. */
export type EntryResult =
  | { readonly ok: true; readonly list: number; readonly what: Listed; readonly dates: Dates }
  | Failure<RejectCode | 'EXPIRED'>;

export const REJECT_CODES = [
  'ROW_DAMAGED',
  'NUMBER_INVALID',
  'NUMBER_IMPOSSIBLE',
  'NUMBER_AMBIGUOUS',
  'NUMBER_INCOMPLETE',
  'SHORT_CODE',
  'EMERGENCY_NUMBER',
  'TEST_NUMBER',
  'SOURCE_NOT_ALLOWED',
  'SOURCE_INVALID',
  'RANGE_INVALID',
  'RANGE_TOO_WIDE',
  'LIST_UNKNOWN',
  'DATE_INVALID',
] as const;
export type RejectCode = (typeof REJECT_CODES)[number];

/** Reads rows into the lists of one catalogue. */
export class EntryReader {
  readonly #lists: readonly CatalogueList[];
  readonly #now: number;
  readonly #first: number;

  /**
   * @param now seconds since 1970; entries that expired before are not listed
   * @param first index of the first of these lists in the whole catalogue
   */
  constructor(lists: readonly CatalogueList[], now: number, first = 0) {
    this.#lists = lists;
    this.#now = now;
    this.#first = first;
  }

  /** @param defaultList list for rows without a reason, or null */
  read(row: Row, defaultList: string | null): EntryResult {
    if (row.damage !== null) return fail('ROW_DAMAGED', row.damage);
    const list = this.#listOf(row, defaultList);
    if (!list.ok) return list;
    const what = whatOf(row.number, this.#lists[list.value]!);
    if (!what.ok) return what;
    const dates = this.#datesOf(row);
    if (!dates.ok) return dates;
    return { ok: true, list: this.#first + list.value, what: what.value, dates: dates.value };
  }

  /** Index of the list for rows with only a number, or null if there is none. */
  plainList(defaultList: string | null): number | null {
    const list = this.#listOf({ reason: '', authority: '' }, defaultList);
    return list.ok ? this.#first + list.value : null;
  }

  /** The index of the list for a row. */
  #listOf(
    { reason, authority }: Pick<Row, 'reason' | 'authority'>,
    defaultList: string | null,
  ): Result<number, Rejected> {
    const fits = (list: CatalogueList): boolean =>
      (reason === '' ? list.name === defaultList : list.reason === reason) &&
      (authority === '' || list.authority === authority);
    const named = this.#lists.findIndex((list) => list.name === defaultList && fits(list));
    if (named >= 0) return ok(named);
    if (reason === '' && defaultList === null)
      return fail('LIST_UNKNOWN', 'the row has no reason, and its file has no "list" in the catalogue');
    const fitting = this.#lists.filter(fits);
    if (fitting.length === 1) return ok(this.#lists.indexOf(fitting[0]!));
    const names = fitting.map(({ name }) => name).join(', ');
    if (names !== '')
      return fail(
        'LIST_UNKNOWN',
        `several lists match (${names}): set "list" for this file in the catalogue`,
      );
    const of = authority === '' ? '' : ` of authority ${quoted(authority)}`;
    return fail('LIST_UNKNOWN', `the catalogue has no list for reason ${quoted(reason)}${of}`);
  }

  #datesOf({ since, until }: Row): Result<Dates, Failure<RejectCode | 'EXPIRED'>> {
    if (since === '' && until === '') return ok(ALWAYS);
    const from = since === '' ? 0 : secondsOf(since);
    // 9999-12-31 and similar dates mean "without end".
    const to = until === '' ? FOREVER : secondsOf(until);
    if (from === null || to === null) {
      return fail('DATE_INVALID', 'since and until must be dates (2026-11-24) or times (RFC 3339)');
    }
    if (to <= from) return fail('DATE_INVALID', 'until must be after since');
    if (to <= this.#now) return fail('EXPIRED', 'has expired');
    // A start in the past changes no decision. Without an end, the row needs no dates at all.
    return ok(from <= this.#now && to === FOREVER ? ALWAYS : { since: from, until: to });
  }
}

const INVALID: Record<ParseError, string> = {
  NUMBER_MISSING: 'has no number',
  NUMBER_TOO_LONG: 'has more than 15 digits or 64 characters',
  NUMBER_CHARACTER:
    'is not a single number: it has an invalid character, a misplaced plus or 0, or extra digits',
};

const EMERGENCY = fail('EMERGENCY_NUMBER', 'emergency numbers cannot be listed, even after an area code');

/** 0063 is carrier 006 before an Italian number, or 00 before a Philippine number. */
const AMBIGUOUS = fail(
  'NUMBER_AMBIGUOUS',
  'can mean several numbers: write + and the country code, not 00 or a carrier prefix',
);

const LOCAL = fail('NUMBER_INCOMPLETE', 'has no area code: add it, or write + and the country code');

const DECORATED = fail('NUMBER_INVALID', 'has letters in or next to the number: write only the number');

const TEST = fail('TEST_NUMBER', 'test numbers have a fixed verdict and cannot be listed');

const IMPOSSIBLE = fail(
  'NUMBER_IMPOSSIBLE',
  'no subscriber can have this number: check its length and country code',
);

/** Why a number cannot be listed, or null. */
export function refusalOf({ n, carrierPrefix }: NumberParty) {
  if (carrierPrefix !== null) return AMBIGUOUS;
  if (isEmergencyNumber(n)) return EMERGENCY;
  if (findTestNumber(n) !== null) return TEST;
  return isValidNumber(n) ? null : IMPOSSIBLE;
}

function whatOf(text: string, list: CatalogueList): Result<Listed, Rejected> {
  if (/^\s*callingCode\s*:/i.test(text)) return callingCodeRanges(text);
  if (hasSourceKind(text)) return sourceOf(text, list);
  if (text.includes('..')) return rangeOf(text);
  if (text.endsWith('*')) return parsePrefix(text);
  const party = parseListed(text);
  switch (party.kind) {
    case 'number':
      return refusalOf(party) ?? ok({ kind: 'number', n: party.n });
    case 'ambiguous':
      return AMBIGUOUS;
    case 'localNumber':
      return LOCAL;
    case 'shortCode':
      if (isEmergency(party.code)) return EMERGENCY;
      return fail('SHORT_CODE', 'short codes follow the numbering plan and cannot be listed');
    case 'source':
      return sourceOf(text, list);
    case 'invalid':
      // Letters in a number: the message for sources explains how to list a sender ID.
      return /\p{L}/u.test(text) ? sourceOf(text, list) : fail('NUMBER_INVALID', INVALID[party.code]);
  }
}

function sourceOf(text: string, list: CatalogueList): Result<Listed, Rejected> {
  if (!list.sources && !hasSourceKind(text) && hasNumber(text)) return DECORATED;
  const parsed = parseSource(text);
  if (!parsed.ok) return parsed;
  if (list.sources) return ok({ kind: 'source', source: parsed.value });
  return fail('SOURCE_NOT_ALLOWED', `is not a number, and list ${list.name} does not have "sources": true`);
}

/** `+821000000000..+821019999999`: both ends included. */
function rangeOf(text: string): Result<Listed, Rejected> {
  const ends = text.split('..').map((end) => parseListed(end));
  const [from, to] = ends;
  if (ends.length !== 2 || from?.kind !== 'number' || to?.kind !== 'number') {
    return fail('RANGE_INVALID', 'a range must be two numbers with two dots between them');
  }
  if (from.carrierPrefix !== null || to.carrierPrefix !== null) return AMBIGUOUS;
  if (
    !/^\s*[+0]/.test(text) ||
    callingCodeOf(from.n) === 0 ||
    callingCodeOf(from.n) !== callingCodeOf(to.n)
  ) {
    return fail('RANGE_INVALID', 'both ends of a range must be complete numbers of one country');
  }
  if (to.n < from.n || String(to.n).length !== String(from.n).length) {
    return fail('RANGE_INVALID', 'the ends of a range must ascend and have the same length');
  }
  return isWholeCountry(from.n, to.n)
    ? TOO_WIDE
    : ok({ kind: 'ranges', ranges: [{ from: from.n, to: to.n }] });
}

const TOO_WIDE = fail(
  'RANGE_TOO_WIDE',
  'is a whole country: list its networks or ranges, or write callingCode:+237 for a country abroad',
);

/** Whether a range holds every number of its length in one country. */
function isWholeCountry(from: number, to: number): boolean {
  const code = callingCodeOf(from);
  const scale = POW10[digitCountOf(from) - digitCountOf(code)]!;
  const first = code * scale + (dropsTrunkZero(code) ? scale / 10 : 0);
  return from <= first && to === (code + 1) * scale - 1;
}

/** Number of digits of the longest prefix. */
const PREFIX_DIGITS = 14;

/** `+63917*`: every number with these leading digits, of any length. */
function parsePrefix(text: string): Result<Listed, Rejected> {
  const match = /^\+([1-9]\d{0,13})\*$/.exec(text.replace(/[\s-]/g, ''));
  if (match === null) return fail('RANGE_INVALID', 'a prefix must be +, at most 14 digits, and *');
  const prefix = Number(match[1]);
  const code = callingCodeOf(prefix * 10 ** (PREFIX_DIGITS - match[1]!.length));
  if (code === 0 || match[1]!.length < String(code).length) {
    return fail('RANGE_INVALID', 'a prefix must begin with an assigned country code');
  }
  if (match[1]!.length === String(code).length) return TOO_WIDE;
  if (dropsTrunkZero(code) && match[1]!.startsWith('0', String(code).length)) {
    return fail('RANGE_INVALID', 'numbers of this country have no 0 after the country code');
  }
  return ok({ kind: 'ranges', ranges: rangesOfPrefix(prefix) });
}

/** One range per length of number. */
function rangesOfPrefix(prefix: number): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (let width = 1; prefix * width < NUMBER_LIMIT; width *= 10) {
    ranges.push({ from: prefix * width, to: (prefix + 1) * width - 1 });
  }
  return ranges;
}

/** `callingCode:+237`: every number of a country abroad, requested explicitly. */
function callingCodeRanges(text: string): Result<Listed, Rejected> {
  const [, digits = ''] = /^\s*callingCode\s*:\s*\+?(\d{1,3})\s*$/i.exec(text) ?? [];
  const code = Number(digits);
  if (digits === '' || regionOf(code) === null) {
    return fail('RANGE_INVALID', 'is not an assigned calling code such as callingCode:+237');
  }
  return code === KR_CODE ? TOO_WIDE : ok({ kind: 'ranges', ranges: rangesOfPrefix(code) });
}
