/** PASSporTs of calls and texts: their form, their signature, and the rules that a request must obey. */
import { describe, expect, it } from 'vitest';
import { checkIdentity, type IdentityUse } from '../../../shared/credentials/identity.ts';
import { digestOf } from '../../../shared/credentials/keys.ts';
import {
  encodePassportTable,
  openPassportTable,
  type PassportRow,
  type PassportTable,
} from '../../../shared/credentials/passport-table.ts';
import { verifyPassport } from '../../../shared/credentials/verify-passport.ts';
import { seal } from '../../../shared/set/seal.ts';
import { hmac, NOW_S as NOW, secretsOf, unsigned } from '../support/credential-world.ts';
import { makeSigner, signPassport, signTexts } from '../support/passport-signer.ts';
import { testKeys } from '../support/test-keys.ts';

const X5U = 'https://certs.example.kr/kt01.pem';
const CALLER = '8215881234';
const CALLED = '821098765432';
const OTHER = '821033445566';
const THIRD = '821077778888';

const HEADER = { alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: X5U };
const CLAIMS = {
  attest: 'A',
  dest: { tn: [CALLED] },
  iat: NOW,
  orig: { tn: CALLER },
  origid: '123e4567-e89b-12d3-a456-426655440000',
};
const MSG_HEADER = { ...HEADER, ppt: 'msg' };
const MSG = { dest: CLAIMS.dest, iat: NOW, orig: CLAIMS.orig, msgi: `sha256-${'A'.repeat(43)}=` };
const DIV_HEADER = { ...HEADER, ppt: 'div' };
const DIV = { dest: { tn: [OTHER] }, div: { tn: CALLED }, iat: NOW, orig: { tn: CALLER } };
const CALL: IdentityUse = { nowS: NOW, channel: 'voice', callers: [CALLER], recipients: [CALLED] };
const TEXT: IdentityUse = { ...CALL, channel: 'sms' };

const keys = await makeSigner();
const other = await makeSigner();
const x5u = await digestOf(X5U);
const row: PassportRow = {
  ...{ x5u, key: { alg: 'ES256', bytes: keys.point }, notBefore: NOW - 1_000, notAfter: NOW + 1_000 },
  spans: [
    { from: 8_215_880_000, to: 8_215_889_999 },
    { from: 821_000_000_000, to: 821_099_999_999 },
  ],
};
const table: PassportTable = new Map([[x5u, row]]);

/** The result for these values of `identity`. */
async function resultOf(values: readonly string[], use: IdentityUse = CALL, known: PassportTable = table) {
  return checkIdentity(await Promise.all(values.map((each) => verifyPassport(each, known))), use);
}

const signed = (claims: object = {}, header: object = {}): Promise<string> =>
  signPassport({ ...HEADER, ...header }, { ...CLAIMS, ...claims }, keys);
const diverted = (claims: object = {}): Promise<string> =>
  signPassport(DIV_HEADER, { ...DIV, ...claims }, keys);
const message = (claims: object = {}): Promise<string> =>
  signPassport(MSG_HEADER, { ...MSG, ...claims }, keys);

const VOUCHES = { vouches: true, ppt: 'shaken', level: 'A' };

describe('a PASSporT of a call', () => {
  it.each<[string, object]>([
    ['with the number of the recipient', {}],
    ['with several recipients', { dest: { tn: [OTHER, CALLED] } }],
    ['with numbers that have a plus', { orig: { tn: `+${CALLER}` }, dest: { tn: [`+${CALLED}`] } }],
    ['with a tel URI', { dest: { uri: ['tel:+82-10-9876-5432'] } }],
    [
      'with a sip URI',
      { dest: { uri: [`sip:+${CALLED}@example.kr;user=phone`] }, orig: { uri: `tel:+${CALLER}` } },
    ],
    ['with claims that are not known', { rcd: { nam: 'Bank' }, crn: 'call' }],
    ['that was signed a minute ago', { iat: NOW - 60 }],
    ['that was signed by a clock that is ahead', { iat: NOW + 60 }],
  ])('%s vouches for it', async (_what, claims) => {
    expect(await resultOf([await signed(claims)])).toMatchObject(VOUCHES);
  });

  it('is accepted as the value of a SIP header', async () => {
    const jws = await signed();
    for (const value of [
      `${jws};info=<${X5U}>;alg=ES256;ppt=shaken`,
      `${jws} ; info=<${X5U}> ; ppt="shaken"`,
      `${jws};info=${X5U};x-other=1`,
    ])
      expect(await resultOf([value])).toMatchObject(VOUCHES);
  });

  it('is ignored if it is of another kind, as verifiers must', async () => {
    const priority = await signPassport({ ...HEADER, ppt: 'rph' }, { ...CLAIMS, rph: { auth: [] } }, other);
    expect(await resultOf([priority])).toBeNull();
    expect(await resultOf([priority, await signed()])).toMatchObject(VOUCHES);
    expect(await resultOf([priority, 'hello'])).toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it('vouches for one of several numbers that a text can mean', async () => {
    const use = { ...CALL, callers: [OTHER, CALLER], recipients: [OTHER, CALLED] };
    expect(await resultOf([await signed()], use)).toMatchObject(VOUCHES);
  });

  it('vouches for a withheld sender, and without a recipient', async () => {
    const use = { ...CALL, callers: null, recipients: null };
    expect(await resultOf([await signed()], use)).toMatchObject(VOUCHES);
  });

  it.each<[string, string, () => Promise<string>]>([
    ['no JWS', 'TOKEN_INVALID', async () => 'hello'],
    ['nothing', 'TOKEN_INVALID', async () => ''],
    ['the compact form', 'TOKEN_INVALID', async () => `..${(await signed()).split('.')[2]}`],
    ['more than 4 KB', 'TOKEN_INVALID', () => signed({ rcd: 'x'.repeat(4_000) })],
    ['another key', 'TOKEN_INVALID', () => signPassport(HEADER, CLAIMS, other)],
    [
      'a changed claim',
      'TOKEN_INVALID',
      async () => swapPart(await signed(), await signed({ attest: 'B' }), 1),
    ],
    [
      'a changed header',
      'TOKEN_INVALID',
      async () => swapPart(await signed(), await signed({}, { kid: 'a' }), 0),
    ],
    ['alg none', 'TOKEN_INVALID', async () => unsigned('passport', CLAIMS, { ...HEADER, alg: 'none' })],
    ['alg HS256', 'TOKEN_INVALID', () => signed({}, { alg: 'HS256' })],
    ...secretsOf(row.key).map(([what, secret]): [string, string, () => Promise<string>] => [
      `the HMAC of its public key as ${what}`,
      'TOKEN_INVALID',
      () => hmac(secret, 'passport', CLAIMS, { ...HEADER, alg: 'HS256' }),
    ]),
    ['alg EdDSA', 'TOKEN_INVALID', () => signed({}, { alg: 'EdDSA' })],
    ['another typ', 'TOKEN_INVALID', () => signed({}, { typ: 'JWT' })],
    ['crit', 'TOKEN_INVALID', () => signed({}, { crit: ['x'] })],
    ['jwk', 'TOKEN_INVALID', () => signed({}, { jwk: {} })],
    ['jku', 'TOKEN_INVALID', () => signed({}, { jku: 'https://evil.example/' })],
    ['x5c', 'TOKEN_INVALID', () => signed({}, { x5c: ['MII'] })],
    ['no x5u', 'TOKEN_INVALID', () => signed({}, { x5u: undefined })],
    ['a ppt that is no text', 'TOKEN_INVALID', () => signed({}, { ppt: 1 })],
    ['another ppt and typ', 'TOKEN_INVALID', () => signed({}, { ppt: 'rph', typ: 'JWT' })],
    ['no ppt', 'TOKEN_INVALID', () => signed({}, { ppt: undefined })],
    ['no attestation', 'TOKEN_INVALID', () => signed({ attest: undefined })],
    ['another attestation', 'TOKEN_INVALID', () => signed({ attest: 'D' })],
    ['no origid', 'TOKEN_INVALID', () => signed({ origid: undefined })],
    ['no recipient', 'TOKEN_INVALID', () => signed({ dest: undefined })],
    ['a member twice', 'TOKEN_INVALID', () => signTexts(JSON.stringify(HEADER), repeatedClaims(), keys)],
    [
      'a parameter that differs',
      'TOKEN_INVALID',
      async () => `${await signed()};info=<https://evil.example/>`,
    ],
    ['a ppt that differs', 'TOKEN_INVALID', async () => `${await signed()};ppt=div`],
    ['a parameter twice', 'TOKEN_INVALID', async () => `${await signed()};ppt=shaken;ppt=shaken`],
    ['another caller', 'TOKEN_INVALID', () => signed({ orig: { tn: OTHER } })],
    [
      'a caller that is no number',
      'CERTIFICATE_MISMATCH',
      () => signed({ orig: { uri: 'sip:bob@example.kr' } }),
    ],
    [
      'a number outside the certificate',
      'CERTIFICATE_MISMATCH',
      () => signed({ orig: { tn: '8215770000' } }),
    ],
    ['another recipient', 'TOKEN_AUDIENCE', () => signed({ dest: { tn: [OTHER] } })],
    [
      'a recipient that is no number',
      'TOKEN_AUDIENCE',
      () => signed({ dest: { uri: ['sip:bob@example.kr'] } }),
    ],
    ['an old iat', 'TOKEN_EXPIRED', () => signed({ iat: NOW - 61 })],
    ['a future iat', 'TOKEN_INVALID', () => signed({ iat: NOW + 61 })],
    [
      'a certificate that is not known',
      'CERTIFICATE_INVALID',
      () => signed({}, { x5u: 'https://x.example/' }),
    ],
  ])('is refused with %s', async (_what, code, sign) => {
    expect(await resultOf([await sign()])).toMatchObject({ vouches: false, code });
  });

  it.each<[string, string, Partial<PassportRow>]>([
    ['is not valid yet', 'CERTIFICATE_NOT_YET_VALID', { notBefore: NOW + 1 }],
    ['has expired', 'CERTIFICATE_EXPIRED', { notAfter: NOW }],
  ])('is refused if its certificate %s', async (_what, code, change) => {
    const changed = new Map([[row.x5u, { ...row, ...change }]]);
    expect(await resultOf([await signed()], CALL, changed)).toMatchObject({ vouches: false, code });
  });

  it('is refused for a text, and that of a text for a call', async () => {
    expect(await resultOf([await signed()], TEXT)).toMatchObject({ code: 'TOKEN_INVALID' });
    expect(await resultOf([await message()], CALL)).toMatchObject({ code: 'TOKEN_INVALID' });
  });
});

describe('diversions', () => {
  const toOther = { ...CALL, recipients: [OTHER] };
  const toThird = { ...CALL, recipients: [THIRD] };
  const onward = { div: { tn: OTHER }, dest: { tn: [THIRD] } };

  it('continue the call to its new recipient, in any order', async () => {
    const [call, first, second] = await Promise.all([signed(), diverted(), diverted(onward)]);
    expect(await resultOf([call, first], toOther)).toMatchObject(VOUCHES);
    expect(await resultOf([second, call, first], toThird)).toMatchObject(VOUCHES);
  });

  it.each<[string, string, () => Promise<string[]>, IdentityUse]>([
    ['alone', 'TOKEN_INVALID', async () => [await diverted()], toOther],
    [
      'of another call',
      'TOKEN_INVALID',
      async () => [await signed(), await diverted({ orig: { tn: OTHER } })],
      toOther,
    ],
    ['that leave a gap', 'TOKEN_INVALID', async () => [await signed(), await diverted(onward)], toThird],
    ['to somebody else', 'TOKEN_AUDIENCE', async () => [await signed(), await diverted()], toThird],
    ['that are not there', 'TOKEN_AUDIENCE', async () => [await signed()], toOther],
    [
      'that the network of the diverting number did not sign',
      'CERTIFICATE_MISMATCH',
      async () => [
        await signed({ dest: { tn: ['8225550000'] } }),
        await diverted({ div: { tn: '8225550000' } }),
      ],
      toOther,
    ],
    [
      'in a circle',
      'TOKEN_INVALID',
      async () => [await signed(), await diverted(), await diverted()],
      toOther,
    ],
    [
      'of two calls',
      'TOKEN_INVALID',
      async () => [await signed(), await signed(), await diverted()],
      toOther,
    ],
    [
      'that are old',
      'TOKEN_EXPIRED',
      async () => [await signed(), await diverted({ iat: NOW - 61 })],
      toOther,
    ],
  ])('are refused if they are %s', async (_what, code, sign, use) => {
    expect(await resultOf(await sign(), use)).toMatchObject({ vouches: false, code });
  });

  it('of an unknown network leave the call unverified', async () => {
    const values = [
      await signed(),
      await signPassport({ ...DIV_HEADER, x5u: 'https://x.example/' }, DIV, keys),
    ];
    expect(await resultOf(values, toOther)).toMatchObject({
      code: 'CERTIFICATE_INVALID',
      isUnknown: true,
    });
  });
});

describe('a PASSporT of a text', () => {
  it('vouches for it, and names the digest of the text', async () => {
    const result = { vouches: true, ppt: 'msg', level: null, hasMessageDigest: true };
    expect(await resultOf([await message()], TEXT)).toEqual(result);
    const without = { ...result, hasMessageDigest: false };
    expect(await resultOf([await message({ msgi: undefined })], TEXT)).toEqual(without);
  });

  it('is refused with a digest of another form', async () => {
    expect(await resultOf([await message({ msgi: 'md5-AAAA' })], TEXT)).toMatchObject({
      code: 'TOKEN_INVALID',
    });
  });
});

describe('the table of certificates', () => {
  it('is read as it was written, with the right keys alone', async () => {
    const content = encodePassportTable([row]);
    expect(await openPassportTable(await seal(content, testKeys), testKeys)).toEqual(table);
    expect(await openPassportTable(content, testKeys)).toBeNull();
    const wrong = new TextEncoder().encode('{"kind":"numgate-passport","format":1,"certificates":[{}]}');
    expect(await openPassportTable(await seal(wrong, testKeys), testKeys)).toBeNull();
  });
});

/** Replaces one part of the JWS by the same part of another JWS. */
function swapPart(jws: string, other: string, index: number): string {
  return jws.split('.').with(index, other.split('.')[index]!).join('.');
}

function repeatedClaims(): string {
  return JSON.stringify(CLAIMS).replace('{', `{"orig":{"tn":"${OTHER}"},`);
}
