/**
 * Bytes written in the slow, obvious way: lists of numbers below 256 and strings of '0' and '1'. The naive
 * encoders use only this file, so that they cannot share a mistake with the product.
 */

/** A little-endian 32-bit word. */
export function word(value: number): number[] {
  return [0, 1, 2, 3].map((byte) => Math.floor(value / 256 ** byte) % 256);
}

export function words(...values: number[]): number[] {
  return values.flatMap(word);
}

/** A little-endian 16-bit half word. */
export function half(value: number): number[] {
  return [value % 256, Math.floor(value / 256)];
}

/** A little-endian IEEE 754 double. */
export function double(value: number): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...bytes];
}

/** `width` binary digits of a value, most significant first. */
export function binary(value: number, width: number): string {
  return width === 0 ? '' : value.toString(2).padStart(width, '0');
}

/** A bit string as 32-bit words. The first bit is the most significant, and the last word is padded with zeros. */
export function bitWords(bits: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < bits.length; at += 32) {
    bytes.push(...word(Number.parseInt(bits.slice(at, at + 32).padEnd(32, '0'), 2)));
  }
  return bytes;
}

/** Unary quotient (zeros and a one), then the remainder. */
export function riceCode(value: number, parameter: number): string {
  const quotient = Math.floor(value / 2 ** parameter);
  return `${'0'.repeat(quotient)}1${binary(value % 2 ** parameter, parameter)}`;
}

export function hexOf(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of a hex text. They start on a multiple of 8, like bytes from KV. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) =>
    Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16),
  );
}
