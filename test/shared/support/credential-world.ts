/**
 * Signers of the tests, and their certificates, delegations and message tokens. Compact JWS is made here without the library
 * that the service verifies it with.
 */
import { toBase64Url, utf8 } from '../../../shared/bytes.ts';
import type { IssuerRights } from '../../../shared/credentials/certificate.ts';
import {
  CERTIFICATE_TYPE,
  CERTIFICATE_VCT,
  DELEGATION_TYPE,
  STATUS_LIST_TYPE,
  TOKEN_TYPE,
} from '../../../shared/credentials/claims.ts';
import type { CredentialRow } from '../../../shared/credentials/credential-table.ts';
import {
  type CredentialKey,
  digestOf,
  type KeyAlgorithm,
  keyOfJwk,
  publicJwkSchema,
  thumbprintOf,
} from '../../../shared/credentials/keys.ts';
import { packStatuses, type Status, statusListClaim } from '../../../shared/credentials/status-list.ts';
import type { Span } from '../../../shared/numbers/spans.ts';
import { validateJson } from '../../../shared/validate-json.ts';

/** 2026-11-24T03:12:09Z, in seconds. */
export const NOW_S = 1_795_489_929;
export const STATUS_URI = 'https://status.carrier.example/lists/1';
/** The number of the holder, and the numbers that its issuer may speak for. */
export const NUMBER = 8_215_881_234;
export const ISSUER_SPANS: readonly Span[] = [{ from: 8_215_880_000, to: 8_215_889_999 }];

export interface Signer {
  readonly key: CredentialKey;
  readonly privateKey: CryptoKey;
  readonly jwk: JsonWebKey;
  /** The thumbprint of the key. */
  readonly kid: string;
}

export async function newSigner(alg: KeyAlgorithm = 'ES256'): Promise<Signer> {
  const algorithm = alg === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : 'Ed25519';
  const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  const { kty, crv, x, y } = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JsonWebKey;
  const jwk = y === undefined ? { kty, crv, x } : { kty, crv, x, y };
  const valid = validateJson(publicJwkSchema, jwk);
  if (!valid.ok) throw new Error(valid.message);
  const key = keyOfJwk(valid.value)!;
  return { key, privateKey: pair.privateKey, jwk: jwk as JsonWebKey, kid: await thumbprintOf(key) };
}

const part = (value: unknown): string =>
  toBase64Url(utf8(typeof value === 'string' ? value : JSON.stringify(value)));

/** @param header replaces `alg`, `typ` and `kid`; a string is the whole header @param claims a string is used unchanged */
export async function sign(
  signer: Signer,
  typ: string,
  claims: object | string,
  header: object | string = {},
): Promise<string> {
  const { key, kid, privateKey } = signer;
  const full = typeof header === 'string' ? header : { alg: key.alg, typ, kid, ...header };
  const input = `${part(full)}.${part(claims)}`;
  const algorithm = key.alg === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : 'Ed25519';
  const signature = await crypto.subtle.sign(algorithm, privateKey, utf8(input));
  return `${input}.${toBase64Url(new Uint8Array(signature))}`;
}

/** A JWS that declares no signature and has none. @param header as in `sign` */
export function unsigned(typ: string, claims: object | string, header: object = {}): string {
  return `${part({ alg: 'none', typ, ...header })}.${part(claims)}.`;
}

/** Algorithm confusion: a real HMAC whose secret is a public key. @param header as in `sign` */
export async function hmac(
  secret: Uint8Array<ArrayBuffer>,
  typ: string,
  claims: object | string,
  header: object = {},
): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', secret, algorithm, false, ['sign']);
  const input = `${part({ alg: 'HS256', typ, ...header })}.${part(claims)}`;
  const mac = await crypto.subtle.sign('HMAC', key, utf8(input));
  return `${input}.${toBase64Url(new Uint8Array(mac))}`;
}

/** A public key on P-256, in the forms that a verifier could mistake for an HMAC secret. */
export function secretsOf({
  bytes,
}: CredentialKey): readonly (readonly [what: string, Uint8Array<ArrayBuffer>])[] {
  const [x, y] = [toBase64Url(bytes.subarray(0, 32)), toBase64Url(bytes.subarray(32))];
  return [
    ['a raw key', bytes],
    ['a point', Uint8Array.from([4, ...bytes])],
    ['a JWK', utf8(JSON.stringify({ kty: 'EC', crv: 'P-256', x, y }))],
  ];
}

/** Claims of a certificate of the holder, for an hour and a day. */
export function certificateClaims(holder: Signer, some: object = {}): Record<string, unknown> {
  return {
    ...{ vct: CERTIFICATE_VCT, iss: 'https://carrier.example', sub: 'holder-1', jti: 'c-1' },
    ...{ iat: NOW_S - 60, nbf: NOW_S - 3_600, exp: NOW_S + 86_400 },
    ...{ nums: [`+${NUMBER}`], line: 'representative', cnf: { jkt: holder.kid } },
    status: { status_list: { idx: 0, uri: STATUS_URI } },
    ...some,
  };
}

export function certificate(issuer: Signer, holder: Signer, some: object = {}, header: object | string = {}) {
  return sign(issuer, CERTIFICATE_TYPE, certificateClaims(holder, some), { kid: 'k1', ...Object(header) });
}

export function issuerRights(issuer: Signer, some: Partial<IssuerRights> = {}): IssuerRights {
  return {
    iss: 'https://carrier.example',
    keys: new Map([['k1', issuer.key]]),
    spans: ISSUER_SPANS,
    statusHosts: ['status.carrier.example'],
    ...some,
  };
}

export function delegationClaims(
  agent: Signer,
  principal: string,
  some: object = {},
): Record<string, unknown> {
  return {
    ...{ iss: 'acme', sub: 'reseller', iat: NOW_S - 60, nbf: NOW_S - 3_600, exp: NOW_S + 86_400, jti: 'd-1' },
    ...{ nums: [`+${NUMBER}`], scope: ['sms'], prn: principal, cnf: { jkt: agent.kid } },
    status: { status_list: { idx: 0, uri: STATUS_URI } },
    ...some,
  };
}

export function delegation(principal: Signer, agent: Signer, digest: string, some: object = {}) {
  return sign(principal, DELEGATION_TYPE, delegationClaims(agent, digest, some));
}

export function tokenClaims(chain: readonly string[], some: object = {}): Record<string, unknown> {
  return {
    ...{ aud: 'default', iat: NOW_S - 10, exp: NOW_S + 300, orig: { tn: String(NUMBER) }, chain },
    ...some,
  };
}

export function messageToken(
  signer: Signer,
  chain: readonly string[],
  some: object = {},
  header: object | string = {},
): Promise<string> {
  return sign(signer, TOKEN_TYPE, tokenClaims(chain, some), header);
}

/** The row of a signer's key, as the service publishes it. */
export async function rowOf(signer: Signer, some: Partial<CredentialRow> = {}): Promise<CredentialRow> {
  const principal = some.principal ?? null;
  return {
    digest: await digestOf(`${signer.kid} ${principal}`),
    kind: principal === null ? 'certificate' : 'delegation',
    organisation: 'acme',
    ...{ nbf: NOW_S - 3_600, exp: NOW_S + 86_400, key: signer.key, principal },
    spans: [{ from: NUMBER, to: NUMBER }],
    scope: principal === null ? [] : ['sms'],
    ...{ statusUri: STATUS_URI, statusIndex: 0 },
    ...some,
  };
}

/** A status list as its issuer publishes it. */
export async function statusListToken(
  issuer: Signer,
  statuses: ReadonlyMap<number, Status>,
  some: object = {},
  size = 16,
): Promise<string> {
  const status_list = await statusListClaim(packStatuses(statuses, size));
  const claims = { sub: STATUS_URI, iat: NOW_S - 5, exp: NOW_S + 3_600, ttl: 60, status_list, ...some };
  return sign(issuer, STATUS_LIST_TYPE, claims, { kid: 'k1' });
}
