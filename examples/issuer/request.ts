/**
 * Checks a request for a certificate before the certificate gets a place in the status list. Verifiers refuse a certificate
 * with a wrong claim, and its place would be wasted.
 */
import type { JWK } from 'jose';

export const LINES = ['fixed', 'mobile', 'voip', 'representative'] as const;

/** Bounds of the claims, the same as in verifiers. */
const HOLDER_CHARS_MAX = 64;
const NUMBERS_MAX = 32;
const URL_CHARS_MAX = 256;
/** A range lies within one block of this many numbers. */
const BLOCK_NUMBERS = 10_000;
/** No Korean number has a 0 after 82. */
const NUMBERS = /^\+(?!820)([1-9]\d{2,14})(?:\.\.\+([1-9]\d{2,14}))?$/;

/** The names of the issuer and of its status list. Certificates contain both, so they never change. */
export interface IssuerNames {
  /** The issuer as in numgate's configuration: an https URL. */
  readonly iss: string;
  /** URL of the status list. */
  readonly statusUri: string;
}

export interface CertificateRequest {
  /** The holder of the line: a name or a customer number, at most 64 characters. */
  readonly holder: string;
  /** E.164 with `+`, or ranges `+82221230000..+82221230099` within one block of 10,000; at most 32. */
  readonly numbers: readonly string[];
  readonly line: (typeof LINES)[number];
  /** The holder's public key. */
  readonly key: JWK;
  readonly days: number;
}

/** @throws if a name is not a URL */
export function checkNames({ iss, statusUri }: IssuerNames): void {
  for (const [name, value] of Object.entries({ iss, 'status-uri': statusUri })) {
    const isUrl = /^https?:$/.test(URL.parse(value)?.protocol ?? '') && value.length <= URL_CHARS_MAX;
    if (!isUrl)
      throw new Error(
        `--${name} must be a URL such as https://issuer.example, at most ${URL_CHARS_MAX} characters`,
      );
  }
}

/** @throws if verifiers would refuse a claim. The message names the position of a number, not the number. */
export function checkRequest({ holder, numbers, key }: CertificateRequest): void {
  if (holder === '' || holder.length > HOLDER_CHARS_MAX)
    throw new Error(`--holder must have 1 to ${HOLDER_CHARS_MAX} characters`);
  if (numbers.length === 0 || numbers.length > NUMBERS_MAX)
    throw new Error(
      `--numbers must have 1 to ${NUMBERS_MAX} numbers and ranges: for more, issue several certificates`,
    );
  for (const [index, text] of numbers.entries()) {
    const problem = problemOf(text);
    if (problem !== null) throw new Error(`--numbers: number ${index + 1} ${problem}`);
  }
  if ('d' in key) throw new Error('--key is a private key: the holder must send only the public key');
}

function problemOf(text: string): string | null {
  const [, first, last = first] = NUMBERS.exec(text) ?? [];
  if (first === undefined)
    return 'must be in E.164, such as +8215881234, or a range +82221230000..+82221230099';
  const [from, to] = [Number(first), Number(last)];
  if (from > to) return 'must begin with its lowest number';
  return Math.floor(from / BLOCK_NUMBERS) === Math.floor(to / BLOCK_NUMBERS)
    ? null
    : `must be within one block of ${BLOCK_NUMBERS.toLocaleString('en')} numbers: split it`;
}
