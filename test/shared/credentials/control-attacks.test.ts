/**
 * Forged credentials at control. Whatever a header says about algorithm, key or kind, only the key that is known in advance
 * verifies a credential, and only as the kind that the key signed.
 */
import { describe, expect, it } from 'vitest';
import { verifyCertificate, verifyProof } from '../../../shared/credentials/certificate.ts';
import {
  CERTIFICATE_TYPE,
  DELEGATION_TYPE,
  PROOF_TYPE,
  STATUS_LIST_TYPE,
  TOKEN_TYPE,
} from '../../../shared/credentials/claims.ts';
import { verifyDelegation } from '../../../shared/credentials/delegation.ts';
import { packStatuses, statusListClaim, verifyStatusList } from '../../../shared/credentials/status-list.ts';
import {
  certificate,
  certificateClaims,
  delegationClaims,
  hmac,
  issuerRights,
  NOW_S,
  newSigner,
  rowOf,
  type Signer,
  STATUS_URI,
  secretsOf,
  sign,
  unsigned,
} from '../support/credential-world.ts';

const issuer = await newSigner();
const holder = await newSigner();
const agent = await newSigner('EdDSA');
const stranger = await newSigner();
const rights = [issuerRights(issuer)];
const principal = await rowOf(holder);
const certified = await verifyCertificate(await certificate(issuer, holder), rights, NOW_S);
if (!certified.ok) throw new Error(certified.message);

/** A kind of credential: its good values, and how control verifies it. */
interface Kind {
  readonly typ: string;
  readonly signer: Signer;
  readonly claims: object;
  /** The key ID of a good header; null if the key comes with the request. */
  readonly kid: string | null;
  readonly code: string;
  readonly verify: (text: string) => Promise<object>;
}

const KINDS: readonly Kind[] = [
  {
    ...{ typ: CERTIFICATE_TYPE, signer: issuer, claims: certificateClaims(holder), kid: 'k1' },
    code: 'CERTIFICATE_INVALID',
    verify: (text) => verifyCertificate(text, rights, NOW_S),
  },
  {
    ...{ typ: DELEGATION_TYPE, signer: holder, claims: delegationClaims(agent, principal.digest) },
    ...{ kid: holder.kid, code: 'DELEGATION_INVALID' },
    verify: (text) => verifyDelegation(text, principal, NOW_S),
  },
  {
    ...{ typ: PROOF_TYPE, signer: holder, kid: null, code: 'PROOF_INVALID' },
    claims: { aud: 'acme', iat: NOW_S, crt: certified.value.digest },
    verify: (text) => verifyProof(text, holder.key, certified.value, 'acme', NOW_S),
  },
  {
    ...{ typ: STATUS_LIST_TYPE, signer: issuer, kid: 'k1', code: 'STATUS_LIST_INVALID' },
    claims: {
      ...{ sub: STATUS_URI, iat: NOW_S - 5, exp: NOW_S + 3_600 },
      status_list: await statusListClaim(packStatuses(new Map(), 16)),
    },
    verify: (text) => verifyStatusList(text, (kid) => (kid === 'k1' ? issuer.key : null), NOW_S),
  },
];

type Attack = readonly [what: string, make: (kind: Kind) => string | Promise<string>];

/** Signs the good claims with other header members. */
const withHeader = ({ typ, signer, claims, kid }: Kind, header: object, by = signer): Promise<string> =>
  sign(by, typ, claims, { kid: kid ?? undefined, ...header });

const ATTACKS: readonly Attack[] = [
  ['signed by somebody else', (kind) => withHeader(kind, {}, stranger)],
  ['with "alg": "none"', ({ typ, claims, kid }) => unsigned(typ, claims, { kid: kid ?? undefined })],
  ['with "alg": "none" and a signature', (kind) => withHeader(kind, { alg: 'none' })],
  ['with the algorithm of another key', (kind) => withHeader(kind, { alg: 'EdDSA' })],
  ['without an algorithm', (kind) => withHeader(kind, { alg: undefined })],
  ...[0, 1, 2].map((place): Attack => {
    const [what] = secretsOf(issuer.key)[place]!;
    return [
      `as an HMAC with the public key as ${what}`,
      ({ typ, claims, signer, kid }) =>
        hmac(secretsOf(signer.key)[place]![1], typ, claims, { kid: kid ?? undefined }),
    ];
  }),
  ['with another "typ"', (kind) => withHeader(kind, { typ: 'JWT' })],
  ['without a "typ"', (kind) => withHeader(kind, { typ: undefined })],
  ['signed as a message token', (kind) => withHeader(kind, { typ: TOKEN_TYPE })],
  ['with "crit" in its header', (kind) => withHeader(kind, { crit: ['exp'] })],
  ['with "jku" in its header', (kind) => withHeader(kind, { jku: 'https://evil.example/jwks' })],
  ['with "x5u" in its header', (kind) => withHeader(kind, { x5u: 'https://evil.example/x5u' })],
  ['with "x5c" in its header', (kind) => withHeader(kind, { x5c: ['AA'] })],
  ['with its own key as "jwk"', (kind) => withHeader(kind, { jwk: kind.signer.jwk })],
  ['with the key of somebody else as "jwk"', (kind) => withHeader(kind, { jwk: stranger.jwk }, stranger)],
];

/** For kinds whose key is selected by ID. */
const KEY_ID_ATTACKS: readonly Attack[] = [
  ['with another key ID', (kind) => withHeader(kind, { kid: stranger.kid })],
  ['without a key ID', (kind) => withHeader(kind, { kid: undefined })],
  ['with a key ID that is no text', (kind) => withHeader(kind, { kid: 1 })],
];

describe.each(KINDS)('a JWS of the type $typ', (kind) => {
  it('is accepted if it is good', async () => {
    expect(await kind.verify(await withHeader(kind, {}))).toMatchObject({ ok: true });
  });

  it.each([...ATTACKS, ...(kind.kid === null ? [] : KEY_ID_ATTACKS)])(
    'is refused %s',
    async (_what, make) => {
      expect(await kind.verify(await make(kind))).toMatchObject({ ok: false, code: kind.code });
    },
  );
});
