/**
 * The TN authorization list of a certificate (RFC 8226, section 9): the numbers that its key may sign for.
 */
import { Constructed, IA5String, Integer, Sequence } from 'asn1js';
import { PASSPORT_AUTHORIZATIONS_MAX } from '../../shared/limits/passport.ts';
import { cover, overlaps, type Span } from '../../shared/numbers/spans.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { parseDer } from './der.ts';

export interface TnAuthorization {
  /** Service provider codes. They name providers, not numbers. */
  readonly providers: readonly string[];
  readonly numbers: readonly Span[];
}

/** Class and tags of an entry. */
const CONTEXT = 3;
const PROVIDER = 0;
const RANGE = 1;
const ONE = 2;
/** A service provider code: letters and digits (ATIS-1000080), some with a dash. */
const PROVIDER_CODE = /^[A-Za-z0-9-]{1,20}$/;
/** E.164 without a plus. Excludes short codes and letters of dial pads, which are no numbers of a check. */
const NUMBER = /^[1-9]\d{4,14}$/;

export type AuthorizationFailure = Failure<'PASSPORT_CERTIFICATE_INVALID'>;

function invalid(message: string): AuthorizationFailure {
  return fail('PASSPORT_CERTIFICATE_INVALID', `has a TN authorization list ${message}`);
}

/** @param der content of the extension */
export function parseTnAuthorization(der: ArrayBuffer): Result<TnAuthorization, AuthorizationFailure> {
  const list = parseDer(der);
  if (!(list instanceof Sequence)) return invalid('that is not DER');
  const entries = list.valueBlock.value;
  if (entries.length === 0) return invalid('without entries');
  if (entries.length > PASSPORT_AUTHORIZATIONS_MAX) {
    return invalid(`of more than ${PASSPORT_AUTHORIZATIONS_MAX} entries`);
  }
  const providers: string[] = [];
  const numbers: Span[] = [];
  for (const entry of entries) {
    const { tagClass, tagNumber } = entry.idBlock;
    // Tags are explicit: each entry has exactly one value.
    const [value, more] = entry instanceof Constructed && tagClass === CONTEXT ? entry.valueBlock.value : [];
    if (value === undefined || more !== undefined) return invalid('with an entry in an unknown form');
    if (tagNumber === PROVIDER) {
      const code = textOf(value);
      if (code === null || !PROVIDER_CODE.test(code)) return invalid('with an invalid service provider code');
      providers.push(code);
    } else {
      const span = tagNumber === RANGE ? spanOf(value) : tagNumber === ONE ? oneOf(value) : null;
      if (span === null) return invalid('with an entry that is not a number, range or service provider code');
      numbers.push(span);
    }
  }
  return ok({ providers, numbers });
}

/**
 * The numbers that a certificate may sign for, in ascending order.
 * @param lists its own, then those of the certificates above it
 * @param provided the numbers that its service provider codes stand for
 */
export function authorizedNumbers(lists: readonly TnAuthorization[], provided: readonly Span[]): Span[] {
  return lists
    .map(({ providers, numbers }) => sorted(providers.length === 0 ? numbers : [...numbers, ...provided]))
    .reduce((inner, outer) =>
      inner.flatMap((span) => [...overlaps(outer, span)].map(([, shared]) => shared)),
    );
}

function sorted(spans: readonly Span[]): Span[] {
  return cover(spans.toSorted((a, b) => a.from - b.from));
}

function textOf(value: unknown): string | null {
  return value instanceof IA5String ? value.getValue() : null;
}

function numberOf(value: unknown): number | null {
  const text = textOf(value);
  return text !== null && NUMBER.test(text) ? Number(text) : null;
}

function oneOf(value: unknown): Span | null {
  const n = numberOf(value);
  return n === null ? null : { from: n, to: n };
}

function spanOf(value: unknown): Span | null {
  if (!(value instanceof Sequence)) return null;
  const [start, count] = value.valueBlock.value;
  const from = numberOf(start);
  if (from === null || !(count instanceof Integer)) return null;
  const numbers = Number(count.toBigInt());
  const to = from + numbers - 1;
  // All numbers of a range must have the same length.
  const isRange = numbers >= 2 && Number.isSafeInteger(to);
  return isRange && String(to).length === String(from).length ? { from, to } : null;
}
