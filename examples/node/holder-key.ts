/**
 * Signs as the holder of a sender certificate: message tokens, proofs of possession and delegations, as compact JWS (RFC 7515).
 * The private key never leaves the process. Only WebCrypto is used, so the code runs everywhere.
 */
import { localError, type NumgateError } from './errors.ts';

/** A key as JSON (RFC 7517): P-256 for ES256, or Ed25519 for EdDSA. */
export interface HolderJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y?: string;
  /** Only in a private key. */
  readonly d?: string;
}

/** The key of a holder or agent. */
export interface HolderKey {
  /** RFC 7638 thumbprint. It is the `jkt` in a certificate or delegation, and the `kid` of signatures by this key. */
  readonly thumbprint: string;
  readonly publicKey: HolderJwk;
  /** @returns a compact JWS with this `typ` */
  sign(typ: string, claims: Readonly<Record<string, unknown>>): Promise<string>;
}

/** What a message token permits: texts from one number through one client. */
export interface SenderTokenClaims {
  /** The organisation that checks the texts, or `<organisation>/<client>` for one of its clients. */
  readonly audience: string;
  /** The number in E.164, with or without `+`. */
  readonly from: string;
  /** The certificate, then the delegations up to the one of the key. Each as issued, or as its {@link digestOf}. */
  readonly chain: readonly string[];
  /** Sender code of an organisation in the chain, if it has one. */
  readonly senderCode?: string;
  /** At most 900, which is the default. */
  readonly lifeSeconds?: number;
  /** ID of the token, for your own records. */
  readonly id?: string;
}

interface Algorithm {
  readonly alg: 'ES256' | 'EdDSA';
  readonly importing: { readonly name: string; readonly namedCurve?: string };
  readonly signing: { readonly name: string; readonly hash?: string };
  /** Members of the key in the order of RFC 7638. */
  readonly members: readonly ('crv' | 'kty' | 'x' | 'y')[];
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  'P-256': {
    ...{ alg: 'ES256', importing: { name: 'ECDSA', namedCurve: 'P-256' } },
    ...{ signing: { name: 'ECDSA', hash: 'SHA-256' }, members: ['crv', 'kty', 'x', 'y'] },
  },
  Ed25519: {
    ...{ alg: 'EdDSA', importing: { name: 'Ed25519' }, signing: { name: 'Ed25519' } },
    members: ['crv', 'kty', 'x'],
  },
};

/** Same as in the service. */
const LIFE_S = 900;
const DIGEST = /^[\w-]{43}$/;
const JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const AUDIENCE = /^[a-z0-9][a-z0-9-]{0,62}(?:\/[a-z0-9][a-z0-9-]{0,62})?$/;
const E164 = /^\+?[1-9]\d{2,14}$/;
const LINKS_MAX = 5;
const TEXT_CHARS_MAX = 64;

const encoder = new TextEncoder();

/**
 * Opens a private key. Rejects with a {@link NumgateError} `SIGNING_INVALID` if the JWK is not a private key for ES256 or
 * EdDSA. The message does not contain the key.
 */
export async function openHolderKey(jwk: HolderJwk): Promise<HolderKey> {
  // A JWK from a file can be anything.
  const { crv = '', d } = (jwk ?? {}) as Partial<HolderJwk>;
  const algorithm = Object.hasOwn(ALGORITHMS, crv) ? ALGORITHMS[crv] : undefined;
  if (algorithm === undefined || d === undefined)
    throw invalid('jwk', 'must be a private key of the curve P-256 or Ed25519');
  const { alg, importing, signing, members } = algorithm;
  const publicKey = Object.fromEntries(members.map((name) => [name, jwk[name]])) as unknown as HolderJwk;
  const key = await crypto.subtle
    .importKey('jwk', { ...publicKey, d }, importing, false, ['sign'])
    .catch(() => {
      throw invalid('jwk', 'is not a valid private key');
    });
  const thumbprint = await digestOf(JSON.stringify(publicKey));
  return {
    thumbprint,
    publicKey,
    sign: async (typ, claims) => {
      const parts = [{ alg, typ, kid: thumbprint }, claims].map((part) =>
        encoded(encoder.encode(JSON.stringify(part))),
      );
      const signed = parts.join('.');
      const signature = await crypto.subtle.sign(signing, key, encoder.encode(signed));
      return `${signed}.${encoded(new Uint8Array(signature))}`;
    },
  };
}

/**
 * Signs a token for the texts of the next minutes from one number. One token is enough for all of them. The service verifies it
 * once, and reads its status for every text. Rejects with a {@link NumgateError} `SIGNING_INVALID` that names the claim that
 * the service would refuse.
 */
export async function signSenderToken(key: HolderKey, claims: SenderTokenClaims): Promise<string> {
  const { audience, from, chain, senderCode, lifeSeconds = LIFE_S, id } = claims;
  const isText = (value: unknown): boolean =>
    value === undefined || (typeof value === 'string' && value !== '' && value.length <= TEXT_CHARS_MAX);
  if (!matches(AUDIENCE, audience))
    throw invalid('audience', 'must be <organisation> or <organisation>/<client>');
  if (!matches(E164, from)) throw invalid('from', 'must be a number in E.164, such as +8215881234');
  if (!Array.isArray(chain) || chain.length < 1 || chain.length > LINKS_MAX)
    throw invalid('chain', `must have 1 to ${LINKS_MAX} links, the certificate first`);
  if (!chain.every((link) => matches(DIGEST, link) || matches(JWS, link)))
    throw invalid('chain', 'must have certificates and delegations as issued, or their digests');
  if (!Number.isInteger(lifeSeconds) || lifeSeconds < 1 || lifeSeconds > LIFE_S)
    throw invalid('lifeSeconds', `must be a whole number from 1 to ${LIFE_S}`);
  if (!isText(senderCode)) throw invalid('senderCode', `must have 1 to ${TEXT_CHARS_MAX} characters`);
  const iat = seconds();
  return key.sign('sender-token+jwt', {
    ...{ aud: audience, iat, exp: iat + lifeSeconds, orig: { tn: from.replace(/^\+/, '') } },
    ...(senderCode === undefined ? {} : { osc: senderCode }),
    ...(id === undefined ? {} : { jti: id }),
    chain: await Promise.all(chain.map((link) => (DIGEST.test(link) ? link : digestOf(link)))),
  });
}

/** Proves to the service that you hold the key of a certificate. Valid for ten minutes. */
export async function signProof(
  key: HolderKey,
  { organisation, certificate }: { readonly organisation: string; readonly certificate: string },
): Promise<string> {
  return key.sign('sender-proof+jwt', {
    aud: organisation,
    iat: seconds(),
    crt: await digestOf(certificate),
  });
}

/** The name of a certificate or delegation in a chain: SHA-256 of its characters, in base64url. */
export async function digestOf(jws: string): Promise<string> {
  return encoded(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(jws))));
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

/** An error whose message names the field and never contains its value. */
function invalid(field: string, message: string): NumgateError {
  return localError('SIGNING_INVALID', `"${field}" ${message}`, { field });
}

function encoded(bytes: Uint8Array): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function seconds(): number {
  return Math.floor(Date.now() / 1_000);
}
