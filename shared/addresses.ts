/**
 * IP addresses and address ranges (CIDR). An address is one integer of 128 bits. IPv4 addresses are mapped into IPv6
 * (`::ffff:0:0/96`, RFC 4291, 2.5.5.2), so that both spellings of an address are equal.
 */
import { IPV4_PREFIX_MIN, IPV6_PREFIX_MIN } from './limits/control.ts';
import { type Failure, fail, ok, type Result } from './result.ts';

/** Bits of an IPv6 address. */
const BITS = 128;
/** Bits before an IPv4 address. */
const MAPPED_BITS = 96;
const MAPPED = 0xffffn;

export interface AddressRange {
  /** The first `prefix` bits of each address in the range. */
  readonly network: bigint;
  /** 0 to 128. */
  readonly prefix: number;
}

/** Parses an address. Returns null if the text is not one. Rejects leading zeros in IPv4, and zones (`%eth0`). */
export function parseAddress(text: string): bigint | null {
  if (!text.includes(':')) {
    const low = ipv4(text);
    return low === null ? null : (MAPPED << 32n) | low;
  }
  const [front = '', back, ...rest] = text.split('::');
  if (rest.length > 0) return null;
  const before = groupsOf(front, back === undefined);
  const after = groupsOf(back ?? '', true);
  if (before === null || after === null) return null;
  const zeros = 8 - before.length - after.length;
  // `::` stands for at least one group.
  if (back === undefined ? zeros !== 0 : zeros < 1) return null;
  const groups = [...before, ...Array<bigint>(zeros).fill(0n), ...after];
  return groups.reduce((address, group) => (address << 16n) | group, 0n);
}

function ipv4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.reduce((address, part) => (address << 8n) | BigInt(part), 0n);
}

/** Parses groups of 16 bits. @param isEnd whether the last group may be an IPv4 address */
function groupsOf(text: string, isEnd: boolean): bigint[] | null {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/i.test(part)) {
      groups.push(BigInt(`0x${part}`));
      continue;
    }
    const low = isEnd && index === parts.length - 1 ? ipv4(part) : null;
    if (low === null) return null;
    groups.push(low >> 16n, low & 0xffffn);
  }
  return groups;
}

/** Formats IPv6 as RFC 5952 prescribes, and IPv4 with dots. */
function formatAddress(address: bigint): string {
  if (address >> 32n === MAPPED) {
    return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  const text = groups.join(':');
  // The first of the longest runs of at least two zeros.
  const runs = text.match(/(?<![\da-f])0(?::0)+(?![\da-f])/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const at = text.search(new RegExp(`(?<![\\da-f])${longest}(?![\\da-f])`));
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

/** A range, or a failure whose message continues a sentence that begins with the name of the field. */
export type RangeResult = Result<AddressRange, Failure<'RANGE_INVALID' | 'RANGE_TOO_WIDE'>>;

/** Parses a range such as 203.0.113.0/24 or 2001:db8::/32, or a single address. */
export function parseRange(text: string): RangeResult {
  const [written = '', length, ...rest] = text.split('/');
  const address = parseAddress(written);
  const isShort = !written.includes(':');
  const most = isShort ? BITS - MAPPED_BITS : BITS;
  const isLength = length === undefined || (/^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= most);
  if (address === null || !isLength || rest.length > 0)
    return fail('RANGE_INVALID', 'must be a range such as 203.0.113.0/24 or 2001:db8::/32');
  const prefix = (isShort ? MAPPED_BITS : 0) + Number(length ?? most);
  const free = BigInt(BITS - prefix);
  const network = address >> free;
  const range = { network, prefix };
  // A wide IPv6 range can contain all of IPv4.
  const hasIpv4 = prefix < MAPPED_BITS ? isInRange(MAPPED << 32n, range) : address >> 32n === MAPPED;
  const shortest = hasIpv4 ? MAPPED_BITS + IPV4_PREFIX_MIN : IPV6_PREFIX_MIN;
  if (prefix < shortest) {
    const limits = `/${IPV4_PREFIX_MIN} for IPv4 and /${IPV6_PREFIX_MIN} for IPv6`;
    return fail('RANGE_TOO_WIDE', `must not cover more than ${limits}: leave it out to accept every address`);
  }
  if (network << free !== address)
    return fail('RANGE_INVALID', `must be ${formatRange(range)}: the address has bits after the prefix`);
  return ok(range);
}

/** Returns the canonical form, with the prefix length even for a range of one address. */
export function formatRange({ network, prefix }: AddressRange): string {
  const address = network << BigInt(BITS - prefix);
  const isIpv4 = prefix >= MAPPED_BITS && address >> 32n === MAPPED;
  return `${formatAddress(address)}/${isIpv4 ? prefix - MAPPED_BITS : prefix}`;
}

export function isInRange(address: bigint, { network, prefix }: AddressRange): boolean {
  return address >> BigInt(BITS - prefix) === network;
}
