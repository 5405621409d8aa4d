/**
 * The keys derived from LIST_KEY, computed without WebCrypto's HKDF and AES-CTR: HKDF from HMAC (RFC 5869),
 * AES-256 from its definition (FIPS 197), the counter by hand, and the Feistel network in BigInt.
 */

async function hmac(
  key: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data));
}

/** HKDF-SHA-256 with an empty salt, up to 255 blocks of 32 bytes. */
export async function naiveHkdf(
  secret: Uint8Array<ArrayBuffer>,
  label: string,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const extracted = await hmac(new Uint8Array(32), secret);
  const info = new TextEncoder().encode(label);
  const blocks: number[] = [];
  for (let block = 1; blocks.length < size; block++)
    blocks.push(...(await hmac(extracted, Uint8Array.from([...blocks.slice(-32), ...info, block]))));
  return Uint8Array.from(blocks.slice(0, size));
}

/** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((b >> bit) % 2 === 1) product ^= a;
    a = a < 128 ? a * 2 : (a * 2) ^ 0x11b;
  }
  return product;
}

const SBOX = Array.from({ length: 256 }, (_, value) => {
  let inverse = 0;
  for (let other = 1; other < 256; other++) if (times(value, other) === 1) inverse = other;
  let out = 0x63;
  for (let turn = 0; turn < 5; turn++) out ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xff;
  return out;
});
const DOUBLE = Array.from({ length: 256 }, (_, value) => times(value, 2));

/** The 15 round keys of 16 bytes, one after another. */
function expand(key: Uint8Array): number[] {
  const bytes = [...key];
  let constant = 1;
  while (bytes.length < 240) {
    let last = bytes.slice(-4);
    if (bytes.length % 32 === 0) {
      last = [...last.slice(1), last[0]!].map((byte) => SBOX[byte]!);
      last[0]! ^= constant;
      constant = times(constant, 2);
    } else if (bytes.length % 32 === 16) last = last.map((byte) => SBOX[byte]!);
    const at = bytes.length - 32;
    bytes.push(...last.map((byte, index) => byte ^ bytes[at + index]!));
  }
  return bytes;
}

/** One block of AES-256. */
export function naiveAes(key: Uint8Array, block: readonly number[]): number[] {
  return encryptBlock(expand(key), block);
}

function encryptBlock(keys: readonly number[], block: readonly number[]): number[] {
  let state = block.map((byte, at) => byte ^ keys[at]!);
  for (let round = 1; round <= 14; round++) {
    const shifted = state.map((_, at) => SBOX[state[(at + 4 * (at % 4)) % 16]!]!);
    const mixed =
      round === 14
        ? shifted
        : shifted.map((byte, at) => {
            const column = at - (at % 4);
            const next = shifted[column + ((at + 1) % 4)]!;
            const others = shifted[column + ((at + 2) % 4)]! ^ shifted[column + ((at + 3) % 4)]!;
            return DOUBLE[byte]! ^ DOUBLE[next]! ^ next ^ others;
          });
    state = mixed.map((byte, at) => byte ^ keys[round * 16 + at]!);
  }
  return state;
}

/** Ten tables of 10,000 values: 16-bit little-endian draws below 60,000, modulo 10,000, in order. */
export function naiveRoundTables(key: Uint8Array): number[][] {
  const keys = expand(key);
  const tables: number[][] = [[]];
  for (let counter = 0; ; counter++) {
    const block = Array.from({ length: 16 }, (_, at) => Math.floor(counter / 256 ** (15 - at)) % 256);
    const stream = encryptBlock(keys, block);
    for (let at = 0; at < 16; at += 2) {
      const draw = stream[at]! + 256 * stream[at + 1]!;
      if (draw >= 60_000) continue;
      if (tables.at(-1)!.length === 10_000) {
        if (tables.length === 10) return tables;
        tables.push([]);
      }
      tables.at(-1)!.push(draw % 10_000);
    }
  }
}

/** The image of a suffix after ten Feistel rounds. Even rounds change the left half, odd rounds the right half. */
export function naivePermute(tables: readonly (readonly number[])[], suffix: number): number {
  let left = BigInt(suffix) / 10_000n;
  let right = BigInt(suffix) % 10_000n;
  tables.forEach((table, round) => {
    if (round % 2 === 0) left = (left + BigInt(table[Number(right)]!)) % 10_000n;
    else right = (right + BigInt(table[Number(left)]!)) % 10_000n;
  });
  return Number(left * 10_000n + right);
}
