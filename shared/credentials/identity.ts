/**
 * The rules of `identity`: whether the PASSporTs of a call or a text vouch for it now. Pure. Their signatures are
 * verified once; what depends on the time or the parties is checked for every request.
 */
import { PASSPORT_FRESH_SECONDS } from '../limits/passport.ts';
import type { Channel } from '../request.ts';
import type { Code } from '../verdict.ts';
import { covers } from './credential-numbers.ts';
import type { Passport, PassportKind } from './passport.ts';
import type { PassportRow } from './passport-table.ts';

/** What the verification of one PASSporT found. Only `verified` says that the signature is good. */
export type PassportVerification =
  | { readonly kind: 'verified'; readonly passport: Passport; readonly row: PassportRow }
  | { readonly kind: 'refused'; readonly detail: string }
  /** Control does not know its `x5u`. */
  | { readonly kind: 'unknownSigner'; readonly passport: Passport }
  /** The certificates are not loaded. */
  | { readonly kind: 'unavailable' };

/** The call or text that they are presented for. */
export interface IdentityUse {
  /** Seconds since 1970. */
  readonly nowS: number;
  readonly channel: Channel;
  /** Digits of a number, or the text of a sender ID; null if the sender was withheld, which is not compared. */
  readonly caller: string | null;
  /** Null if the request names no recipient, which is not compared. */
  readonly recipient: string | null;
}

export type IdentityResult =
  | {
      readonly vouches: true;
      readonly kind: PassportKind;
      readonly level: Passport['level'];
      readonly hasMessageDigest: boolean;
    }
  | {
      readonly vouches: false;
      readonly code: Code;
      /** What is wrong. Continues the sentence after "identity". */
      readonly detail: string;
      /** `unknown`: nobody can say, because the certificate or the data is missing. */
      readonly cause: 'refused' | 'unknownSigner' | 'unknown';
    };

type Refusal = Extract<IdentityResult, { vouches: false }>;
type Verified = Extract<PassportVerification, { kind: 'verified' }>;

function refuse(code: Code, detail: string, cause: Refusal['cause'] = 'refused'): Refusal {
  return { vouches: false, code, detail, cause };
}

/** Checks all PASSporTs of a request: one of the caller, and those of its diversions, in any order. At least one. */
export function checkIdentity(found: readonly PassportVerification[], use: IdentityUse): IdentityResult {
  const verified: Verified[] = [];
  // What is certainly wrong decides before what is not known.
  for (const each of found) {
    if (each.kind === 'refused') return refuse('TOKEN_INVALID', each.detail);
    const broken = each.kind === 'verified' ? brokenRule(each, use.nowS) : null;
    if (broken !== null) return broken;
    if (each.kind === 'verified') verified.push(each);
  }
  if (found.some(({ kind }) => kind === 'unavailable')) {
    return refuse('LIST_UNAVAILABLE', 'cannot be verified: the certificates are not loaded', 'unknown');
  }
  if (verified.length < found.length) {
    return refuse(
      'CERTIFICATE_INVALID',
      'is signed with a certificate that is not known here',
      'unknownSigner',
    );
  }
  const [first, ...more] = verified.filter(({ passport }) => passport.kind !== 'div');
  if (first === undefined || more.length > 0) {
    return refuse('TOKEN_INVALID', 'must have exactly one PASSporT of the caller ("shaken" or "msg")');
  }
  const { passport } = first;
  return (
    brokenParties(passport, verified, use) ?? {
      ...{ vouches: true, kind: passport.kind, level: passport.level },
      hasMessageDigest: passport.hasMessageDigest,
    }
  );
}

/** The rules of one PASSporT and its certificate. */
function brokenRule({ passport, row }: Verified, nowS: number): Refusal | null {
  if (nowS < row.notBefore)
    return refuse('CERTIFICATE_NOT_YET_VALID', 'is signed with a certificate that is not valid yet');
  if (nowS >= row.notAfter)
    return refuse('CERTIFICATE_EXPIRED', 'is signed with a certificate that has expired');
  // A diversion is signed by the network of the number that it was diverted from.
  const signedFor = passport.kind === 'div' ? passport.divertedFrom : passport.caller;
  if (signedFor === null || !covers(row.spans, Number(signedFor))) {
    return refuse('CERTIFICATE_MISMATCH', 'is signed with a certificate that does not cover the number');
  }
  if (passport.issuedAt < nowS - PASSPORT_FRESH_SECONDS) {
    return refuse('TOKEN_EXPIRED', `was signed more than ${PASSPORT_FRESH_SECONDS} seconds ago ("iat")`);
  }
  return passport.issuedAt > nowS + PASSPORT_FRESH_SECONDS
    ? refuse('TOKEN_INVALID', 'was signed in the future ("iat")')
    : null;
}

/** The rules between the PASSporTs and the parties of the request. */
function brokenParties(passport: Passport, verified: readonly Verified[], use: IdentityUse): Refusal | null {
  if ((passport.kind === 'msg') !== (use.channel === 'sms')) {
    return refuse('TOKEN_INVALID', `is for the other channel: "${passport.kind}"`);
  }
  if (use.caller !== null && passport.caller !== use.caller) {
    return refuse('TOKEN_INVALID', 'was signed for another caller ("orig")');
  }
  const diversions = verified.filter(({ passport: { kind } }) => kind === 'div').map((each) => each.passport);
  let { recipients } = passport;
  while (diversions.length > 0) {
    const index = diversions.findIndex(({ divertedFrom }) => recipients.includes(divertedFrom!));
    const [next] = index < 0 ? [] : diversions.splice(index, 1);
    if (next === undefined || next.caller !== passport.caller) {
      return refuse('TOKEN_INVALID', 'has a diversion that does not continue the call ("div")');
    }
    recipients = next.recipients;
  }
  return use.recipient === null || recipients.includes(use.recipient)
    ? null
    : refuse('TOKEN_AUDIENCE', 'was signed for another recipient ("dest")');
}
