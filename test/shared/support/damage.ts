/**
 * Damaged copies of bytes, each with the position of the damage.
 */

export interface Damaged {
  readonly what: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Changes every byte by each of the masks. @param step checks only every n-th byte */
export function* flips(bytes: Uint8Array, masks: readonly number[], step = 1): Generator<Damaged> {
  for (let at = 0; at < bytes.length; at += step) {
    for (const mask of masks) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= mask;
      yield { what: `byte ${at} of ${bytes.length}, xor ${mask}`, bytes: damaged };
    }
  }
}

/** Every shorter length, and a few longer ones. */
export function* cuts(bytes: Uint8Array, step = 1): Generator<Damaged> {
  for (let length = 0; length < bytes.length; length += step) {
    yield { what: `cut to ${length} of ${bytes.length}`, bytes: Uint8Array.from(bytes.subarray(0, length)) };
  }
  for (const more of [1, 4, 8, 100]) {
    const longer = new Uint8Array(bytes.length + more);
    longer.set(bytes);
    yield { what: `${more} zeros behind ${bytes.length}`, bytes: longer };
  }
}

/** Words set to values at the limits of the arithmetic. */
export function* extremes(bytes: Uint8Array): Generator<Damaged> {
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
      const damaged = Uint8Array.from(bytes);
      new DataView(damaged.buffer).setUint32(at, value, true);
      yield { what: `word ${at / 4} set to ${value}`, bytes: damaged };
    }
  }
}
