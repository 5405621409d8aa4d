/** Decrypts data of the feed (RFC 7516: `dir` and `ECDH-ES`, with `A256GCM`), and verifies its chain of digests. */
import type { FeedEntry, FeedPlace } from './feed-types.ts';

/** Decrypts a JWE. Returns null if it is not for this key or was altered. */
export type Decrypt = (jwe: string) => Promise<Opened | null>;

export interface Opened {
  readonly text: string;
  readonly header: { readonly snapshot?: unknown };
}

/** The data of an event. */
export interface EventData {
  readonly position: number;
  readonly epoch: number;
  readonly reference: string;
  readonly subject: string;
  readonly entry: FeedEntry | null;
  readonly at: string;
  readonly previous: string;
}

const encoder = new TextEncoder();

/** @throws {TypeError} if the JWK is neither a secret of the service nor a private key on P-256 or X25519 */
export function decryptorOf(jwk: JsonWebKey): Decrypt {
  const isSecret = jwk.kty === 'oct' && bytesOf(jwk.k ?? '')?.length === 32;
  const isPrivate = typeof jwk.d === 'string' && (jwk.crv === 'P-256' || jwk.crv === 'X25519');
  if (!isSecret && !isPrivate)
    throw new TypeError(
      '"jwk" must be the key that clients feed-key printed, or a private key on P-256 or X25519',
    );
  return async (jwe) => {
    try {
      return await open(jwe, jwk);
    } catch {
      return null;
    }
  };
}

/** @throws any error if the JWE is not for this key or was altered */
async function open(jwe: string, jwk: JsonWebKey): Promise<Opened | null> {
  const [head = '', encryptedKey, iv, text, tag, ...more] = jwe.split('.');
  const header = JSON.parse(new TextDecoder().decode(bytesOf(head)!)) as Record<string, unknown>;
  const alg = jwk.kty === 'oct' ? 'dir' : 'ECDH-ES';
  if (header.alg !== alg || header.enc !== 'A256GCM' || encryptedKey !== '' || more.length > 0) return null;
  const secret = alg === 'dir' ? bytesOf(jwk.k!)! : await agreed(jwk, header.epk as JsonWebKey);
  const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['decrypt']);
  const sealed = Uint8Array.from([...bytesOf(text!)!, ...bytesOf(tag!)!]);
  const parameters = { name: 'AES-GCM', iv: bytesOf(iv!)!, additionalData: encoder.encode(head) };
  const plain = await crypto.subtle.decrypt(parameters, key, sealed);
  return { text: new TextDecoder('utf-8', { fatal: true }).decode(plain), header };
}

/** The content key of `ECDH-ES` (RFC 7518, 4.6). */
async function agreed(jwk: JsonWebKey, { kty, crv, x, y }: JsonWebKey): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = jwk.crv === 'X25519' ? { name: 'X25519' } : { name: 'ECDH', namedCurve: 'P-256' };
  const epk = { kty, crv, x, ...(y === undefined ? {} : { y }) } as JsonWebKey;
  const peer = await crypto.subtle.importKey('jwk', epk, algorithm, false, []);
  const own = {
    kty: jwk.kty,
    crv: jwk.crv,
    x: jwk.x,
    d: jwk.d,
    ...(jwk.y === undefined ? {} : { y: jwk.y }),
  };
  const key = await crypto.subtle.importKey('jwk', own as JsonWebKey, algorithm, false, ['deriveBits']);
  const shared = await crypto.subtle.deriveBits({ name: algorithm.name, public: peer } as never, key, 256);
  const number = (value: number): number[] => [0, 0, value >> 8, value & 255];
  const name = [...encoder.encode('A256GCM')];
  const parties = [...number(0), ...number(0)];
  const input = [...number(1), ...new Uint8Array(shared), ...number(name.length), ...name, ...parties];
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from([...input, ...number(256)])));
}

/** The digest of an event, in base64url. */
export async function digestOf({
  previous,
  position,
  epoch,
  reference,
  at,
  entry,
}: EventData): Promise<string> {
  const text = encoder.encode(JSON.stringify([position, epoch, reference, at, entry && valuesOf(entry)]));
  return sha256(Uint8Array.from([...bytesOf(previous)!, ...text]));
}

function valuesOf(entry: FeedEntry): unknown[] {
  if (entry.subject === 'campaign') {
    const { fingerprint, textKeyId, authority, rule, stage, firstSeen, lastSeen, reporters, until } = entry;
    const values = [fingerprint, textKeyId, authority, rule, stage, firstSeen, lastSeen, reporters, until];
    return [entry.subject, values];
  }
  if (entry.subject === 'host')
    return [entry.subject, [entry.host, entry.list, entry.effect, entry.authority]];
  return [
    ...[entry.number, entry.source, entry.subject, entry.effect, entry.code, entry.authority],
    ...[entry.list, entry.rule, entry.stage, entry.until],
  ];
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return btoa(String.fromCharCode(...digest))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/**
 * The place after everything before an epoch. Null if the epoch's statement does not follow `place`.
 * @param note `GET /v1/feed/epochs/{epoch}` @param place null before the first event
 */
export async function placeAtEpoch(note: string, place: FeedPlace | null): Promise<FeedPlace | null> {
  const text = note.slice(0, `${note}\n\n`.indexOf('\n\n') + 1);
  const [header, feed, epoch, first, previous] = text.split('\n');
  const [ownFeed, ownEpoch, position] = place?.cursor.split('.') ?? [feed, '0', '0'];
  const isNext =
    header === 'numgate feed epoch' &&
    feed === ownFeed &&
    Number(epoch) === Number(ownEpoch) + 1 &&
    Number(first) === Number(position) + 1 &&
    previous === (place?.digest ?? '-');
  const digest = await sha256(encoder.encode(text));
  return isNext ? { cursor: `${feed}.${epoch}.${position}`, digest } : null;
}

/** Decodes base64url. Returns null if the text is not base64url. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
