/**
 * PASSporTs (RFC 8225): a network's signed statement about a call or a text. `shaken` (RFC 8588) and `msg` (RFC 9475)
 * name the caller. `div` (RFC 8946) names a diversion of the call to another number.
 */
import * as v from 'valibot';
import { PASSPORT_RECIPIENTS_MAX, PASSPORT_URL_CHARS_MAX } from '../limits/passport.ts';
import { ATTESTATIONS } from '../request.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { validateJson } from '../validate-json.ts';
import { claimMessage } from './certificate.ts';
import type { IdentityValue } from './identity-header.ts';
import { type Jws, parseJws } from './jws.ts';

export const PASSPORT_TYPE = 'passport';
/** The only algorithm of PASSporTs. */
export const PASSPORT_ALGORITHM = 'ES256';

export const PASSPORT_KINDS = ['shaken', 'div', 'msg'] as const;
export type PassportKind = (typeof PASSPORT_KINDS)[number];

/** A well-formed PASSporT with an unverified signature. */
export interface Passport {
  readonly kind: PassportKind;
  /** URL of the certificate. The edge never fetches it: a PASSporT is verified only if control already has the certificate. */
  readonly x5u: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Digits of the caller; null if the caller is not a number. */
  readonly caller: string | null;
  /** Digits of the recipients. Recipients that are not numbers are left out. */
  readonly recipients: readonly string[];
  /** Only for `div`: digits of the number that the call was diverted from. Otherwise null. */
  readonly divertedFrom: string | null;
  /** Only for `shaken`: the attestation of the network. Otherwise null. */
  readonly level: (typeof ATTESTATIONS)[number] | null;
  /** Only for `msg`: whether the PASSporT has a digest of the text. */
  readonly hasMessageDigest: boolean;
}

export interface WrittenPassport {
  readonly jws: Jws;
  readonly passport: Passport;
}

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(PASSPORT_URL_CHARS_MAX));
const list = v.pipe(v.array(text), v.maxLength(PASSPORT_RECIPIENTS_MAX));
/** A party by number, or by URI. */
const party = v.object({ tn: v.optional(text), uri: v.optional(text) });

const headerSchema = v.object({
  alg: v.literal(PASSPORT_ALGORITHM),
  ppt: v.picklist(PASSPORT_KINDS),
  x5u: v.pipe(text, v.regex(/^https?:\/\//, 'must be a URL')),
});

const claimsSchema = v.object({
  iat: v.pipe(v.number(), v.integer(), v.minValue(0)),
  orig: party,
  dest: v.object({ tn: v.optional(list), uri: v.optional(list) }),
});

const shakenSchema = v.object({ attest: v.picklist(ATTESTATIONS), origid: text });
const divSchema = v.object({ div: party });
/** Digest of the text, in the form of RFC 9795. */
const msgSchema = v.object({
  msgi: v.optional(v.pipe(v.string(), v.regex(/^sha(?:256|384|512)-[\w+/=-]{40,90}$/, 'must be a digest'))),
});

function invalid(message: string): Failure<'TOKEN_INVALID'> {
  return fail('TOKEN_INVALID', message);
}

/**
 * Parses a PASSporT in its full form. Parameters of the `Identity` header must agree with the PASSporT.
 * @returns null for another kind, such as `rph` or `rcd`, which verifiers ignore (RFC 8224, section 6.2)
 */
export function parsePassport(
  value: IdentityValue,
): Result<WrittenPassport | null, Failure<'TOKEN_INVALID'>> {
  const jws = parseJws(value.jws, PASSPORT_TYPE, undefined, ['x5u']);
  if (!jws.ok) return invalid(jws.message);
  const kind = jws.value.header.ppt;
  if (typeof kind === 'string' && !PASSPORT_KINDS.some((known) => known === kind)) return ok(null);
  const header = validateJson(headerSchema, jws.value.header);
  if (!header.ok) return invalid(claimMessage(header));
  const { ppt, x5u, alg } = header.value;
  for (const [name, signed] of Object.entries({ info: x5u, alg, ppt })) {
    const parameter = value[name as 'info' | 'alg' | 'ppt'];
    if (parameter !== null && parameter !== signed) {
      return invalid(`has a parameter "${name}" that differs from the header of the PASSporT`);
    }
  }
  const common = validateJson(claimsSchema, jws.value.claims);
  if (!common.ok) return invalid(claimMessage(common));
  const own = ownClaims(ppt, jws.value.claims);
  if (!own.ok) return own;
  const { iat, orig, dest } = common.value;
  const passport = {
    kind: ppt,
    x5u,
    issuedAt: iat,
    caller: digitsOf(orig),
    recipients: [...(dest.tn ?? []), ...(dest.uri ?? [])].flatMap((each) => digitsIn(each) ?? []),
    ...own.value,
  };
  return ok({ jws: jws.value, passport });
}

type OwnClaims = Pick<Passport, 'divertedFrom' | 'level' | 'hasMessageDigest'>;

/** Parses the claims that only this kind has. */
function ownClaims(kind: PassportKind, claims: unknown): Result<OwnClaims, Failure<'TOKEN_INVALID'>> {
  const none: OwnClaims = { divertedFrom: null, level: null, hasMessageDigest: false };
  switch (kind) {
    case 'shaken': {
      const own = validateJson(shakenSchema, claims);
      return own.ok ? ok({ ...none, level: own.value.attest }) : invalid(claimMessage(own));
    }
    case 'div': {
      const own = validateJson(divSchema, claims);
      return own.ok ? ok({ ...none, divertedFrom: digitsOf(own.value.div) }) : invalid(claimMessage(own));
    }
    case 'msg': {
      const own = validateJson(msgSchema, claims);
      return own.ok
        ? ok({ ...none, hasMessageDigest: own.value.msgi !== undefined })
        : invalid(claimMessage(own));
    }
  }
}

function digitsOf({ tn, uri }: v.InferOutput<typeof party>): string | null {
  return digitsIn(tn ?? uri ?? '');
}

/**
 * Returns the digits of `821098765432`, `tel:+82-10-9876-5432` or `sip:+821098765432@example.kr`; null for other URIs.
 * A `tn` should have no plus (RFC 8224, section 8.3), but some signers write one.
 */
function digitsIn(text: string): string | null {
  const [, tn] = /^\+?(\d{3,15})$/.exec(text) ?? [];
  if (tn !== undefined) return tn;
  const [, written] = /^(?:tel|sips?):\+([\d().-]{3,30})(?:[;@]|$)/i.exec(text) ?? [];
  return written === undefined ? null : written.replace(/\D/g, '');
}
