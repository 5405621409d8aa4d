/** Values of text risk as docs/format.md describes them, assembled from lists of bytes, with hashes in big integers. */
import { words } from './bytes.ts';

const characters = (text: string): number[] => [...new TextEncoder().encode(text)];
const padded = (bytes: readonly number[]): number[] => [
  ...bytes,
  ...Array<number>((4 - (bytes.length % 4)) % 4).fill(0),
];
const byCodes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function naiveHostTable(rows: readonly { readonly host: string; readonly list: number }[]): number[] {
  const sorted = rows.toSorted((a, b) => byCodes(a.host, b.host) || a.list - b.list);
  const text = sorted.map(({ host }) => `${host}\n`);
  const offsets = sorted.map(({ list }, row) => text.slice(0, row).join('').length + list * 2 ** 27);
  const names = characters(text.join(''));
  return [...characters('NGH1'), ...words(2, rows.length, names.length, ...offsets), ...padded(names)];
}

export interface NaiveCampaign {
  readonly id: number;
  readonly until: number;
  readonly authority: string;
  readonly rule?: string;
  readonly stage?: string;
  readonly values: readonly number[];
}

export function naiveCampaignTable(campaigns: readonly NaiveCampaign[]): number[] {
  const markOf = ({ authority, rule, stage }: NaiveCampaign): string =>
    [authority, rule, stage].filter((word) => word !== undefined).join(' ');
  const marks = [...new Set(campaigns.map(markOf))].sort(byCodes);
  const text = characters(marks.map((mark) => `${mark}\n`).join(''));
  const rows = campaigns
    .toSorted((a, b) => a.id - b.id)
    .flatMap((campaign) => [
      ...words(campaign.id, campaign.until, marks.indexOf(markOf(campaign))),
      ...campaign.values.flatMap((value) => [value % 256, Math.floor(value / 256)]),
    ]);
  return [...characters('NGT1'), ...words(2, campaigns.length, text.length), ...rows, ...padded(text)];
}

export function naiveModel(bits: number, bias: number, scale: number, weights: readonly number[]): number[] {
  const parameters = characters(JSON.stringify({ bias, scale }).padEnd(128));
  return [
    ...characters('NGM1'),
    ...words(2, bits, parameters.length),
    ...parameters,
    ...weights.map((weight) => (weight + 256) % 256),
  ];
}

const WORD = 2n ** 32n;
const low = (value: bigint): bigint => ((value % WORD) + WORD) % WORD;
const MULTIPLIERS = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn, 0x27d4eb2fn, 0x165667b1n, 0xcc9e2d51n];

/** Buckets of the n-grams of letters, in order of their first letter, then of their length. */
export function naiveGramBuckets(letters: string, bits: number): number[] {
  const found: number[] = [];
  for (let at = 0; at < letters.length; at++) {
    for (let size = 3; size <= 6 && at + size <= letters.length; size++) {
      const gram = letters.slice(at, at + size);
      const hash = [...gram].reduce(
        (sum, letter, place) => sum + BigInt(letter.charCodeAt(0)) * MULTIPLIERS[place]!,
        0n,
      );
      found.push(Number(low(hash) >> BigInt(32 - bits)));
    }
  }
  return found;
}

/** The bucket of a trait. @param family its index @param value a number, or the ending of a host */
export function naiveTraitBucket(family: number, value: number | string, bits: number): number {
  let number = 0x811c9dc5n;
  if (typeof value === 'number') number = BigInt(value);
  else for (const letter of value) number = low((number ^ BigInt(letter.charCodeAt(0))) * 0x01000193n);
  const hash = low((low(BigInt(family + 1) * MULTIPLIERS[0]!) ^ number) * MULTIPLIERS[1]!);
  return Number(low((hash ^ (hash >> 15n)) * MULTIPLIERS[2]!) >> BigInt(32 - bits));
}

export interface NaiveKey {
  readonly multiplier: bigint;
  readonly mask: bigint;
  readonly mixMultiplier: bigint;
  readonly mixMask: bigint;
  readonly letterValues: readonly bigint[];
}

/** Splits the 1,040 bytes that HKDF derives. */
export function naiveKey(bytes: Uint8Array): NaiveKey {
  const word = (index: number): bigint =>
    [...bytes.slice(index * 4, index * 4 + 4)].reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  const letterValues = Array.from({ length: 256 }, (_, at) => word(4 + at));
  return {
    multiplier: word(0) | 1n,
    mask: word(1),
    mixMultiplier: word(2) | 1n,
    mixMask: word(3),
    letterValues,
  };
}

/** The fingerprint of letters, or null. @param least bins that must be filled */
export function naiveFingerprint(letters: string, key: NaiveKey, least: number): number[] | null {
  const bins = Array<bigint | null>(64).fill(null);
  for (let at = 0; at + 6 <= letters.length; at++) {
    let hash = 0n;
    for (const letter of letters.slice(at, at + 6)) {
      const code = letter.charCodeAt(0);
      hash = low(hash * key.multiplier + key.letterValues[Math.floor(code / 256) ^ (code % 256)]!);
    }
    hash ^= key.mask;
    hash = low((hash ^ (hash >> 16n)) * 0x85ebca6bn);
    hash = low((hash ^ (hash >> 13n)) * key.mixMultiplier) ^ key.mixMask;
    hash = low((hash ^ (hash >> 15n)) * 0xc2b2ae35n);
    hash ^= hash >> 16n;
    const bin = Number(hash >> 26n);
    const value = low(hash << 6n);
    if (bins[bin] === null || value < bins[bin]!) bins[bin] = value;
  }
  if (bins.filter((value) => value !== null).length < least) return null;
  return bins.map((own, bin) => {
    let value = own;
    for (let attempt = 1n; value === null; attempt++) {
      const mixed = low(BigInt(bin + 1) * 0x9e3779b1n) ^ low(attempt * 0x85ebca6bn);
      value = bins[Number(low(mixed * 0xc2b2ae35n) >> 26n)]!;
    }
    return Number(value >> 16n);
  });
}
