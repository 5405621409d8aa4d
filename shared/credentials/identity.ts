/**
 * The rules of `identity`: whether the PASSporTs of a call or a text vouch for it now. Pure. Signatures are verified
 * once. Rules that depend on the time or the parties are checked for every request.
 */
import { PASSPORT_FRESH_SECONDS } from '../limits/passport.ts';
import type { Channel } from '../request.ts';
import type { Code } from '../verdict.ts';
import { covers } from './credential-numbers.ts';
import type { Passport, PassportKind } from './passport.ts';
import type { PassportRow } from './passport-table.ts';

/** The result of verifying one PASSporT. Only with `verified` is the signature good. */
export type PassportVerification =
  | { readonly kind: 'verified'; readonly passport: Passport; readonly row: PassportRow }
  /** `x5u`: SHA-256, in base64url, of the URL of the certificate whose key did not sign the PASSporT. */
  | { readonly kind: 'refused'; readonly detail: string; readonly x5u?: string }
  /** The PASSporT is of an unknown kind. */
  | { readonly kind: 'ignored'; readonly x5u?: undefined }
  /** Control does not know the certificate. `x5u`: SHA-256 of its URL, in base64url. */
  | { readonly kind: 'unknownSigner'; readonly passport: Passport; readonly x5u: string };

/** The call or text that the PASSporTs are presented for. */
export interface IdentityUse {
  /** Seconds since 1970. */
  readonly nowS: number;
  readonly channel: Channel;
  /** All readings of `from`: digits of a number, or the text of a sender ID. Null if withheld, which is not compared. */
  readonly callers: readonly string[] | null;
  /** All readings of `to`, likewise. Null without `to`, which is not compared. */
  readonly recipients: readonly string[] | null;
}

export type IdentityResult =
  | {
      readonly vouches: true;
      readonly ppt: PassportKind;
      readonly level: Passport['level'];
      readonly hasMessageDigest: boolean;
    }
  | {
      readonly vouches: false;
      /** Kind of the caller's PASSporT; null if no PASSporT can be read. */
      readonly ppt: PassportKind | null;
      readonly code: Code;
      /** What is wrong. Continues a sentence that begins with "identity". */
      readonly detail: string;
      /** Whether an unknown certificate is the only thing that is wrong. */
      readonly isUnknown: boolean;
    };

interface Broken {
  readonly code: Code;
  readonly detail: string;
  readonly isUnknown?: boolean;
}
type Verified = Extract<PassportVerification, { kind: 'verified' }>;
type Read = Exclude<PassportVerification, { kind: 'ignored' }>;

function broken(code: Code, detail: string): Broken {
  return { code, detail };
}

/**
 * Checks all PASSporTs of a request, in any order: one of the caller, and one for each diversion. Returns null if none is
 * of a known kind.
 */
export function checkIdentity(all: readonly PassportVerification[], use: IdentityUse): IdentityResult | null {
  const found = all.filter((each) => each.kind !== 'ignored');
  if (found.length === 0) return null;
  const read = found.flatMap((each) => (each.kind === 'refused' ? [] : [each.passport]));
  const first = read.find(({ kind }) => kind !== 'div') ?? read[0];
  const wrong = brokenAlone(found, use.nowS) ?? brokenTogether(read, use);
  if (wrong !== null || first === undefined) {
    const { code, detail, isUnknown = false } = wrong ?? NO_CALLER;
    return { vouches: false, ppt: first?.kind ?? null, code, detail, isUnknown };
  }
  const { kind: ppt, level, hasMessageDigest } = first;
  return { vouches: true, ppt, level, hasMessageDigest };
}

/** The rules of single PASSporTs and their certificates. A certain fault takes precedence over an unknown certificate. */
function brokenAlone(found: readonly Read[], nowS: number): Broken | null {
  for (const each of found) {
    if (each.kind === 'refused') return broken('TOKEN_INVALID', each.detail);
    const rule = each.kind === 'verified' ? brokenRule(each, nowS) : null;
    if (rule !== null) return rule;
  }
  return found.some(({ kind }) => kind === 'unknownSigner') ? UNKNOWN : null;
}

const UNKNOWN: Broken = {
  ...broken('CERTIFICATE_INVALID', 'is signed with a certificate that this service does not know'),
  isUnknown: true,
};
const NO_CALLER = broken('TOKEN_INVALID', 'must have exactly one PASSporT of the caller ("shaken" or "msg")');

function brokenRule({ passport, row }: Verified, nowS: number): Broken | null {
  if (nowS < row.notBefore)
    return broken('CERTIFICATE_NOT_YET_VALID', 'is signed with a certificate that is not valid yet');
  if (nowS >= row.notAfter)
    return broken('CERTIFICATE_EXPIRED', 'is signed with a certificate that has expired');
  // The network of the number that a call was diverted from signs the diversion.
  const signedFor = passport.kind === 'div' ? passport.divertedFrom : passport.caller;
  if (signedFor === null || !covers(row.spans, Number(signedFor))) {
    return broken('CERTIFICATE_MISMATCH', 'is signed with a certificate that does not cover the number');
  }
  if (passport.issuedAt < nowS - PASSPORT_FRESH_SECONDS) {
    return broken('TOKEN_EXPIRED', `was signed more than ${PASSPORT_FRESH_SECONDS} seconds ago ("iat")`);
  }
  return passport.issuedAt > nowS + PASSPORT_FRESH_SECONDS
    ? broken('TOKEN_INVALID', 'was signed in the future ("iat")')
    : null;
}

/** The rules for the PASSporTs together, and against the parties of the request. */
function brokenTogether(passports: readonly Passport[], use: IdentityUse): Broken | null {
  const [first, ...more] = passports.filter(({ kind }) => kind !== 'div');
  if (first === undefined || more.length > 0) return NO_CALLER;
  if ((first.kind === 'msg') !== (use.channel === 'sms')) {
    return broken('TOKEN_INVALID', `is for the other channel: "${first.kind}"`);
  }
  if (use.callers?.includes(first.caller ?? '') === false) {
    return broken('TOKEN_INVALID', 'was signed for another caller ("orig")');
  }
  const diversions = passports.filter(({ kind }) => kind === 'div');
  let { recipients } = first;
  while (diversions.length > 0) {
    const index = diversions.findIndex(({ divertedFrom }) => recipients.includes(divertedFrom!));
    const [next] = index < 0 ? [] : diversions.splice(index, 1);
    if (next === undefined || next.caller !== first.caller) {
      return broken('TOKEN_INVALID', 'has a diversion that does not continue the call ("div")');
    }
    recipients = next.recipients;
  }
  return use.recipients?.some((each) => recipients.includes(each)) === false
    ? broken('TOKEN_AUDIENCE', 'was signed for another recipient ("dest")')
    : null;
}
