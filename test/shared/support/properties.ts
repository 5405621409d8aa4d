/**
 * Settings of property tests. fast-check draws a new seed for each run and prints `seed` and `path` when a
 * property fails. To replay that failure, pass both: `holds(property, { seed, path })`.
 */
import fc from 'fast-check';

/** The number of runs of a property without a reason for another number. */
const RUNS = 100;

export function holds<Inputs extends unknown[]>(
  property: fc.IProperty<Inputs>,
  parameters: fc.Parameters<Inputs> = {},
): void {
  fc.assert(property, { numRuns: RUNS, ...parameters });
}

export async function holdsAsync<Inputs extends unknown[]>(
  property: fc.IAsyncProperty<Inputs>,
  parameters: fc.Parameters<Inputs> = {},
): Promise<void> {
  await fc.assert(property, { numRuns: RUNS, ...parameters });
}

/**
 * Any character, without halves of surrogate pairs: the unit of a string. fast-check's unit `binary` has the
 * same characters, but takes seconds to prepare.
 */
export const anyCharacter: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: 0x10ffff - 0x800 })
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800));

/** A suffix, permuted or not. */
export const suffix: fc.Arbitrary<number> = fc.integer({ min: 0, max: 99_999_999 });
