/** Message tokens that must be refused, each with its code: forged, foreign, not valid now, or resting on bad credentials. */
import { TOKEN_TYPE } from '../../../shared/credentials/claims.ts';
import type { CredentialRow } from '../../../shared/credentials/credential-table.ts';
import type { Status } from '../../../shared/credentials/status-list.ts';
import {
  hmac,
  messageToken,
  NOW_S,
  newSigner,
  type Signer,
  secretsOf,
  sign,
  tokenClaims,
  unsigned,
} from '../../shared/support/credential-world.ts';
import { CHAIN, type CredentialContent, certified, holder, ROWS, relay, STATUS_SIZE } from './credentials.ts';

const stranger = await newSigner();

/** A good token of the relay. */
export const good = await messageToken(relay, CHAIN);

/** Fields of a check besides the token. By default, the check has the number of the credentials. */
export interface Checked {
  readonly senderToken?: string;
  readonly from?: string;
  readonly channel?: string;
}

/** Signs good claims with other header members. */
const withHeader = (header: object | string, signer: Signer = relay) =>
  sign(signer, TOKEN_TYPE, tokenClaims(CHAIN), header);
const withClaims = (some: object) => messageToken(relay, CHAIN, some);
const repeated = (): string => JSON.stringify(tokenClaims(CHAIN)).replace(/\}$/, ',"aud":"default"}');

export type Attack = readonly [
  what: string,
  make: () => string | Promise<string>,
  code: string,
  content?: Partial<CredentialContent> | undefined,
  body?: Checked,
];

export const ATTACKS: readonly Attack[] = [
  ['signed by somebody else', () => messageToken(stranger, CHAIN, {}, { kid: relay.kid }), 'TOKEN_INVALID'],
  [
    'signed by the owner instead of the last link',
    () => messageToken(holder, CHAIN, {}, { kid: relay.kid }),
    'TOKEN_INVALID',
  ],
  ['with other claims than were signed', () => spliced(), 'TOKEN_INVALID'],
  ['without a signature', () => good.replace(/\.[^.]*$/, '.'), 'TOKEN_INVALID'],
  ['with "alg": "none"', () => unsigned(TOKEN_TYPE, tokenClaims(CHAIN), { kid: relay.kid }), 'TOKEN_INVALID'],
  ['with "alg": "none" and a signature', () => withHeader({ alg: 'none' }), 'TOKEN_INVALID'],
  ['with the algorithm of another key', () => withHeader({ alg: 'EdDSA' }), 'TOKEN_INVALID'],
  ['with the algorithm of an HMAC', () => withHeader({ alg: 'HS256' }), 'TOKEN_INVALID'],
  ...secretsOf(relay.key).map(
    ([what, secret]): Attack => [
      `as an HMAC with the public key as ${what}`,
      () => hmac(secret, TOKEN_TYPE, tokenClaims(CHAIN), { kid: relay.kid }),
      'TOKEN_INVALID',
    ],
  ),
  ['with another key ID', () => withHeader({ kid: stranger.kid }), 'TOKEN_INVALID'],
  ['without a key ID', () => withHeader({ kid: undefined }), 'TOKEN_INVALID'],
  ['with another "typ"', () => withHeader({ typ: 'JWT' }), 'TOKEN_INVALID'],
  ['with "crit" in its header', () => withHeader({ crit: ['exp'] }), 'TOKEN_INVALID'],
  ['with "jku" in its header', () => withHeader({ jku: 'https://evil.example/jwks' }), 'TOKEN_INVALID'],
  ['with "x5u" in its header', () => withHeader({ x5u: 'https://evil.example/x5u' }), 'TOKEN_INVALID'],
  [
    'with "jwk" in its header',
    () => withHeader({ jwk: stranger.jwk, kid: relay.kid }, stranger),
    'TOKEN_INVALID',
  ],
  ['with "jwk" and its key ID', () => withHeader({ jwk: stranger.jwk }, stranger), 'TOKEN_INVALID'],
  ['with the same claim twice', () => sign(relay, TOKEN_TYPE, repeated()), 'TOKEN_INVALID'],
  ['that is garbage', () => 'x'.repeat(4_096), 'TOKEN_INVALID'],
  ['that is longer than any token', () => `${good}${'x'.repeat(4_096)}`, 'TOKEN_INVALID'],
  ['that is a certificate', () => certified, 'TOKEN_INVALID'],
  ['for another organisation', () => withClaims({ aud: 'beta' }), 'TOKEN_AUDIENCE'],
  ['for another client', () => withClaims({ aud: 'default/registered' }), 'TOKEN_AUDIENCE'],
  ['that has expired', () => withClaims({ iat: NOW_S - 400, exp: NOW_S - 60 }), 'TOKEN_EXPIRED'],
  ['that lives over 15 minutes', () => withClaims({ iat: NOW_S, exp: NOW_S + 901 }), 'TOKEN_INVALID'],
  ['from the future', () => withClaims({ iat: NOW_S + 61, exp: NOW_S + 300 }), 'TOKEN_INVALID'],
  ['that is not valid yet', () => withClaims({ nbf: NOW_S + 61 }), 'TOKEN_INVALID'],
  ['for another number', () => good, 'CERTIFICATE_MISMATCH', undefined, { from: '02-2123-4567' }],
  ['for a sender ID', () => good, 'CERTIFICATE_MISMATCH', undefined, { from: 'PARCEL-KR' }],
  [
    'for a channel that no delegation permits',
    () => good,
    'DELEGATION_MISSING',
    undefined,
    { channel: 'voice' },
  ],
  [
    'with an unknown certificate',
    () => messageToken(relay, ['A'.repeat(43), ...CHAIN.slice(1)]),
    'CERTIFICATE_INVALID',
  ],
  ['that begins with a delegation', () => messageToken(relay, CHAIN.slice(1)), 'CERTIFICATE_INVALID'],
  [
    'with an unknown delegation',
    () => messageToken(relay, [CHAIN[0]!, 'A'.repeat(43), CHAIN[2]!]),
    'DELEGATION_MISSING',
  ],
  ['with a link left out', () => messageToken(relay, [CHAIN[0]!, CHAIN[2]!]), 'DELEGATION_MISSING'],
  ['with a link twice', () => messageToken(relay, [CHAIN[0]!, CHAIN[1]!, CHAIN[1]!]), 'DELEGATION_MISSING'],
  ['with six links', () => messageToken(relay, [...CHAIN, ...CHAIN]), 'TOKEN_INVALID'],
  ['with no links', () => messageToken(relay, []), 'TOKEN_INVALID'],
  [
    'of a certificate that is not valid yet',
    () => good,
    'CERTIFICATE_NOT_YET_VALID',
    changed(0, { nbf: NOW_S + 3_600 }),
  ],
  ['of a certificate that has expired', () => good, 'CERTIFICATE_EXPIRED', changed(0, { exp: NOW_S - 60 })],
  [
    'of a certificate for other numbers',
    () => good,
    'CERTIFICATE_MISMATCH',
    changed(0, { spans: [{ from: 1, to: 2 }] }),
  ],
  ['of a delegation that has expired', () => good, 'DELEGATION_EXPIRED', changed(2, { exp: NOW_S - 60 })],
  [
    'of a delegation for other numbers',
    () => good,
    'CERTIFICATE_MISMATCH',
    changed(1, { spans: [{ from: 1, to: 2 }] }),
  ],
  [
    'of a chain with one organisation twice',
    () => good,
    'DELEGATION_MISSING',
    changed(2, { organisation: 'acme' }),
  ],
  ['of a revoked certificate', () => good, 'CERTIFICATE_REVOKED', status(1, 'revoked')],
  ['of a suspended certificate', () => good, 'CERTIFICATE_SUSPENDED', status(1, 'suspended')],
  ['of a chain with a revoked link', () => good, 'DELEGATION_REVOKED', status(2, 'revoked')],
  ['of a chain with a suspended link', () => good, 'DELEGATION_SUSPENDED', status(3, 'suspended')],
  ['of a certificate with a reduced rate', () => good, 'SENDER_RATE_REDUCED', status(1, 'rateReduced')],
  ['with a stale status list', () => good, 'LIST_STALE', { exp: NOW_S }],
  ['without its status list', () => good, 'LIST_UNAVAILABLE', { statuses: null }],
  [
    'with an index beyond the status list',
    () => good,
    'LIST_UNAVAILABLE',
    changed(1, { statusIndex: STATUS_SIZE }),
  ],
];

function changed(place: number, some: Partial<CredentialRow>): Partial<CredentialContent> {
  return { rows: ROWS.map((row, at) => (at === place ? { ...row, ...some } : row)) };
}

/** The published content in which this entry of the status list has this status. */
export function status(index: number, value: Status): Partial<CredentialContent> {
  return { statuses: new Map([[index, value]]) };
}

/** The good token with other claims and the old signature. */
async function spliced(): Promise<string> {
  const [header, , signature] = good.split('.');
  return `${header}.${(await withClaims({ exp: NOW_S + 301 })).split('.')[1]}.${signature}`;
}
