/**
 * Token Status List (draft-ietf-oauth-status-list): the status of each credential of an issuer, in one or two bits.
 * An issuer publishes a list deflated, in a JWS. The edge gets the deflated list in a value of its own.
 */
import { fromBase64Url, toBase64Url } from '../bytes.ts';
import { CLOCK_SKEW_S, STATUS_ENTRIES_MAX, STATUS_LIST_CHARS_MAX } from '../limits/credentials.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { validateJson } from '../validate-json.ts';
import { STATUS_LIST_TYPE, statusListClaimsSchema } from './claims.ts';
import { isSignedBy, parseJws } from './jws.ts';
import type { CredentialKey } from './keys.ts';

/** Statuses by their value in the draft (7.1). Value 3 is specific to this application. */
export const STATUSES = ['valid', 'revoked', 'suspended', 'rateReduced'] as const;
export type Status = (typeof STATUSES)[number];

/** Supported sizes of an entry, in bits. */
export const STATUS_BITS = [1, 2] as const;
export type StatusBits = (typeof STATUS_BITS)[number];

type Bytes = Uint8Array<ArrayBuffer>;

/** An inflated list. Entries begin at the least significant bit of each byte. */
export class StatusList {
  readonly bits: StatusBits;
  readonly bytes: Bytes;

  constructor(bits: StatusBits, bytes: Bytes) {
    this.bits = bits;
    this.bytes = bytes;
  }

  /** Count of entries. */
  get size(): number {
    return (this.bytes.length * 8) / this.bits;
  }

  /** Returns the status of an entry, or null if the index is out of range. */
  at(index: number): Status | null {
    if (index < 0 || index >= this.size) return null;
    const bit = index * this.bits;
    return STATUSES[(this.bytes[bit >>> 3]! >>> (bit & 7)) & (2 ** this.bits - 1)]!;
  }
}

/** Packs the statuses of a whole list, with two bits each. @param statuses by index; absent entries are valid */
export function packStatuses(statuses: ReadonlyMap<number, Status>, size: number): StatusList {
  const bytes = new Uint8Array(Math.ceil(size / 4));
  for (const [index, status] of statuses) {
    if (index >= size) throw new RangeError(`status list: index ${index} of ${size} entries`);
    bytes[index >>> 2]! |= STATUSES.indexOf(status) << ((index & 3) * 2);
  }
  return new StatusList(2, bytes);
}

/** Deflates a list to the ZLIB format (RFC 1950). In base64url, the result is the member `lst`. */
export function deflate({ bytes }: StatusList): Promise<Bytes> {
  return through(bytes, new CompressionStream('deflate'), Number.POSITIVE_INFINITY) as Promise<Bytes>;
}

/** @returns null if the bytes are damaged, empty, or longer than a list may be. It inflates no further than that. */
export async function inflate(deflated: Bytes, bits: StatusBits): Promise<StatusList | null> {
  const bytesMax = (STATUS_ENTRIES_MAX * bits) / 8;
  const bytes = await through(deflated, new DecompressionStream('deflate'), bytesMax).catch(() => null);
  return bytes === null || bytes.length === 0 ? null : new StatusList(bits, bytes);
}

/** @returns null if the output is longer than `bytesMax` */
async function through(
  bytes: Bytes,
  stream: CompressionStream | DecompressionStream,
  bytesMax: number,
): Promise<Bytes | null> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > bytesMax) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    pieces.push(value);
  }
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** A list with a verified signature. Times are in seconds since 1970. */
export interface VerifiedStatusList {
  readonly uri: string;
  readonly iat: number;
  /** From this time on, nobody may rely on the list. */
  readonly exp: number;
  /** Seconds until a new version may be available; null if the issuer does not say. */
  readonly ttl: number | null;
  readonly list: StatusList;
  /** The list in the deflated form that the issuer published. */
  readonly deflated: Bytes;
}

export type StatusListProblem = 'STATUS_LIST_INVALID' | 'STATUS_LIST_EXPIRED' | 'STATUS_LIST_TOO_LARGE';

function invalid(message: string): Failure<StatusListProblem> {
  return fail('STATUS_LIST_INVALID', message);
}

/** Returns the URI that an unverified list claims to have, to find its issuer; null if it claims none. */
export function claimedUri(text: string): string | null {
  const jws = parseJws(text, STATUS_LIST_TYPE, STATUS_LIST_CHARS_MAX);
  return jws.ok && typeof jws.value.claims.sub === 'string' ? jws.value.claims.sub : null;
}

/**
 * Verifies a list as an issuer published it. Messages continue a sentence that begins with the name of the field.
 * @param keyOf returns the key with a `kid` of the issuer of this list
 */
export async function verifyStatusList(
  text: string,
  keyOf: (kid: string) => CredentialKey | null,
  nowS: number,
): Promise<Result<VerifiedStatusList, Failure<StatusListProblem>>> {
  const jws = parseJws(text, STATUS_LIST_TYPE, STATUS_LIST_CHARS_MAX);
  if (!jws.ok) return invalid(jws.message);
  const { kid } = jws.value.header;
  const key = typeof kid === 'string' ? keyOf(kid) : null;
  if (key === null || !(await isSignedBy(jws.value, key)))
    return invalid('is not signed by a key of its issuer');
  const claims = validateJson(statusListClaimsSchema, jws.value.claims);
  if (!claims.ok)
    return invalid(`has a claim that is not valid: "${claims.path.join('.')}" ${claims.message}`);
  const { sub, iat, exp, ttl, status_list } = claims.value;
  if (iat > nowS + CLOCK_SKEW_S) return invalid('was issued in the future');
  if (exp <= nowS) return fail('STATUS_LIST_EXPIRED', 'has expired: publish a new one');
  const deflated = fromBase64Url(status_list.lst);
  if (deflated === null) return invalid('has a "lst" that is not base64url');
  const list = await inflate(deflated, status_list.bits);
  if (list === null) {
    const entries = STATUS_ENTRIES_MAX.toLocaleString('en');
    return fail('STATUS_LIST_TOO_LARGE', `must be a ZLIB stream of 1 to ${entries} entries`);
  }
  return ok({ uri: sub, iat, exp, ttl: ttl ?? null, list, deflated });
}

/** Makes the claim `status_list` of a list. */
export async function statusListClaim(list: StatusList): Promise<{ bits: StatusBits; lst: string }> {
  return { bits: list.bits, lst: toBase64Url(await deflate(list)) };
}
