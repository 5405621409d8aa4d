/**
 * Conditions for the key of a client or an admin, besides its secret: a time before its end, an address, a client
 * certificate. A key has a condition only if somebody set it, so that services that predate a condition can read
 * all keys without it. Cloudflare observes the address and the certificate. A service without Cloudflare in front
 * refuses keys with these two conditions.
 */
import * as v from 'valibot';
import { type AddressRange, formatRange, isInRange, parseAddress, parseRange } from './addresses.ts';
import { ADDRESS_RANGES_MAX, EXPIRY_WARNED_MS, KEY_CERTIFICATES_MAX } from './limits/control.ts';
import { sha256Schema, timeSchema } from './schemas.ts';

const rangeSchema = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const parsed = parseRange(dataset.value);
    if (parsed.ok) return formatRange(parsed.value);
    addIssue({ message: parsed.message });
    return NEVER;
  }),
);

const SOME = 'must not be empty: leave it out for no condition';

export const keyConditionEntries = {
  /** When the key expires. */
  expires: v.optional(
    v.pipe(
      timeSchema,
      v.transform((text) => new Date(text).toISOString()),
    ),
  ),
  /** Ranges that requests must come from, in canonical form: 203.0.113.0/24, 2001:db8::/32. */
  addresses: v.optional(v.pipe(v.array(rangeSchema), v.minLength(1, SOME), v.maxLength(ADDRESS_RANGES_MAX))),
  /** SHA-256 of client certificates (DER, in hex). Requests must use one of them. Two allow a rotation. */
  certificateSha256: v.optional(
    v.pipe(v.array(sha256Schema), v.minLength(1, SOME), v.maxLength(KEY_CERTIFICATES_MAX)),
  ),
};
const keyConditionsSchema = v.object(keyConditionEntries);
export type KeyConditions = v.InferOutput<typeof keyConditionsSchema>;

/** What Cloudflare observed about a request. */
export interface Observed {
  readonly address: string | null;
  /** Digest of the verified client certificate, in hex. */
  readonly certificateSha256: string | null;
}

/** The condition that a request does not meet. `unobserved`: nobody vouches for the address or certificate. */
export type Unmet = 'expired' | 'address' | 'certificate' | 'unobserved';

/** Whether the key has a condition. Almost all keys have none, and callers can then skip `unmetCondition`. */
export function isConditional({ expires, addresses, certificateSha256 }: KeyConditions): boolean {
  return expires !== undefined || addresses !== undefined || certificateSha256 !== undefined;
}

/**
 * @param now ms since 1970
 * @param observed null if nobody vouches for the observation
 */
export function unmetCondition(
  { expires, addresses, certificateSha256 }: KeyConditions,
  now: number,
  observed: Observed | null,
): Unmet | null {
  // `hasEnded` does not use `<=`, so that an invalid time counts as ended.
  if (hasEnded({ expires }, now)) return 'expired';
  if (addresses === undefined && certificateSha256 === undefined) return null;
  if (observed === null) return 'unobserved';
  if (addresses !== undefined && !isAmong(observed.address, addresses)) return 'address';
  if (certificateSha256 === undefined) return null;
  return certificateSha256.some((digest) => digest === observed.certificateSha256) ? null : 'certificate';
}

/** Parsed ranges of keys that were used. */
const parsed = new WeakMap<readonly string[], AddressRange[]>();

function isAmong(text: string | null, ranges: readonly string[]): boolean {
  const address = text === null ? null : parseAddress(text);
  if (address === null) return false;
  let known = parsed.get(ranges);
  if (known === undefined) {
    known = ranges.map(parseRange).flatMap((range) => (range.ok ? [range.value] : []));
    parsed.set(ranges, known);
  }
  return known.some((range) => isInRange(address, range));
}

/** @param now ms since 1970 */
export function hasEnded({ expires }: Pick<KeyConditions, 'expires'>, now: number): boolean {
  return expires !== undefined && !(now < Date.parse(expires));
}

/** Whether the key ends soon, or ended recently. @param now ms since 1970 */
export function isExpiring({ expires }: KeyConditions, now: number): boolean {
  return expires !== undefined && Math.abs(Date.parse(expires) - now) <= EXPIRY_WARNED_MS;
}
