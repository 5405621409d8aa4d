/** The files for `wrangler kv bulk put`: none is too large, and no value is missing. */
import '../support/workspace.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inFiles } from '../../../cli/publish/upload.ts';
import { kvOf } from '../../../cli/publish/wrangler.ts';
import { SHARD_BYTES_MAX } from '../../../shared/limits/lists.ts';
import { holds } from '../../shared/support/properties.ts';

const MOST = kvOf({ remote: false, env: '' }).bulkBytesMax;
const sizes = (files: { bytes: number }[][]): number[][] =>
  files.map((file) => file.map(({ bytes }) => bytes));

describe('values in files', () => {
  it.each([
    [[], []],
    [[1], [[1]]],
    [[MOST], [[MOST]]],
    [
      [MOST - 1, 1, 1],
      [[MOST - 1, 1], [1]],
    ],
    [
      [MOST, 1],
      [[MOST], [1]],
    ],
    [
      [1, MOST, 1],
      [[1], [MOST], [1]],
    ],
  ])('of %j bytes are split into %j', (bytes, want) => {
    expect(
      sizes(
        inFiles(
          bytes.map((each) => ({ bytes: each })),
          MOST,
        ),
      ),
    ).toEqual(want);
  });

  it('keep their order, stay below the limit, and fill each file as far as possible', () => {
    const blob = fc.record({ bytes: fc.integer({ min: 0, max: SHARD_BYTES_MAX * 60 }), key: fc.string() });
    holds(
      fc.property(fc.array(blob, { maxLength: 60 }), (blobs) => {
        const files = inFiles(blobs, MOST);
        expect(files.flat()).toEqual(blobs);
        const totals = files.map((file) => file.reduce((sum, { bytes }) => sum + bytes, 0));
        for (const [index, total] of totals.entries()) {
          expect(total).toBeLessThanOrEqual(MOST);
          const next = files[index + 1]?.[0];
          if (next !== undefined) expect(total + next.bytes).toBeGreaterThan(MOST);
        }
      }),
    );
  });

  it('are below the 100 MB of the API in base64', () => {
    expect(Math.ceil(MOST / 3) * 4).toBeLessThan(95_000_000);
  });
});
