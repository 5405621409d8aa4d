/**
 * The credential table. A reader gets the written rows, equal rows have equal bytes, and damaged bytes are refused or read as
 * possible rows. A sealed table is refused if any bit has changed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../../../shared/bytes.ts';
import { credentialShardCount, credentialShardOf } from '../../../shared/credentials/credential-index.ts';
import {
  type CredentialRow,
  CredentialTable,
  encodeCredentials,
} from '../../../shared/credentials/credential-table.ts';
import { KEY_ALGORITHMS } from '../../../shared/credentials/keys.ts';
import { CHANNELS } from '../../../shared/request.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { seal, unseal } from '../../../shared/set/seal.ts';
import { hexOf } from '../support/bytes.ts';
import { cuts, extremes, flips } from '../support/damage.ts';
import { holds } from '../support/properties.ts';
import { testKeys } from '../support/test-keys.ts';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBase64Url);
const spans = fc
  .uniqueArray(fc.integer({ min: 100, max: 99_999_999_998 }), { minLength: 2, maxLength: 12 })
  .map((ends) => ends.sort((a, b) => a - b))
  .map((ends) =>
    ends
      .filter((_, at) => at % 2 === 0)
      .flatMap((from, at) => {
        const to = ends[at * 2 + 1];
        return to === undefined ? [] : [{ from: from * 10, to: to * 10 }];
      }),
  );
const someRow: fc.Arbitrary<CredentialRow> = fc
  .record({
    digest,
    principal: fc.option(digest),
    organisation: fc.constantFrom('acme', 'beta', '나무'),
    nbf: fc.integer({ min: 0, max: 0xffffffff }),
    exp: fc.integer({ min: 0, max: 0xffffffff }),
    alg: fc.constantFrom(...KEY_ALGORITHMS),
    bytes: fc.uint8Array({ minLength: 64, maxLength: 64 }),
    spans,
    scope: fc.subarray([...CHANNELS]),
    statusUri: fc.constantFrom('https://a.example/1', 'https://b.example/2'),
    statusIndex: fc.integer({ min: 0, max: 999_999 }),
  })
  .map(({ alg, bytes, ...row }) => ({
    ...row,
    kind: row.principal === null ? ('certificate' as const) : ('delegation' as const),
    key: { alg, bytes: new Uint8Array(bytes.slice(0, alg === 'ES256' ? 64 : 32)) },
  }));
const someRows = fc.uniqueArray(someRow, { selector: (row) => row.digest, maxLength: 20 });

describe('the credential table', () => {
  it('finds every row, and no other, and has the same bytes for any order of rows', () => {
    holds(
      fc.property(someRows, digest, (rows, other) => {
        const bytes = encodeCredentials(rows);
        const table = new CredentialTable(bytes);
        expect(table.count).toBe(rows.length);
        for (const row of rows) expect(table.find(row.digest)).toEqual(row);
        expect(table.find(other)).toEqual(rows.find((row) => row.digest === other) ?? null);
        expect(hexOf(encodeCredentials(rows.toReversed()))).toBe(hexOf(bytes));
      }),
    );
  });

  it('finds nothing for a text that is no digest', () => {
    const table = new CredentialTable(encodeCredentials(fc.sample(someRow, 3)));
    for (const text of ['', 'A', 'A'.repeat(44), '!'.repeat(43)]) expect(table.find(text)).toBeNull();
  });

  it('refuses rows without a binary form', () => {
    const [row] = fc.sample(someRow, 1) as [CredentialRow];
    const wrong: Partial<CredentialRow>[] = [
      { spans: [] },
      { spans: [{ from: 2, to: 1 }] },
      { nbf: -1 },
      { organisation: '' },
      { kind: row.kind === 'certificate' ? 'delegation' : 'certificate' },
    ];
    for (const some of wrong) expect(() => encodeCredentials([{ ...row, ...some }])).toThrow(RangeError);
    expect(() => encodeCredentials([row, row])).toThrow(RangeError);
  });
});

describe('a damaged table', () => {
  const rows = fc.sample(someRow, { numRuns: 5, seed: 16 });
  const bytes = encodeCredentials(rows);

  it('is refused, or has possible rows', () => {
    let refused = 0;
    for (const { what, bytes: damaged } of [...flips(bytes, [1, 128]), ...cuts(bytes), ...extremes(bytes)]) {
      try {
        for (const row of new CredentialTable(damaged).rows()) {
          expect(row.key.bytes.length, what).toBe(row.key.alg === 'ES256' ? 64 : 32);
          expect(
            row.spans.every(({ from, to }) => from <= to),
            what,
          ).toBe(true);
        }
      } catch (error) {
        expect(error, what).toBeInstanceOf(LayoutError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(bytes.length);
  });

  it('is never opened once it was sealed', async () => {
    const sealed = await seal(bytes, testKeys);
    for (const { what, bytes: damaged } of flips(sealed, [4], 13))
      expect(await unseal(damaged, testKeys), what).toBeNull();
  });
});

describe('shards', () => {
  it('are as many as their rows need, and a digest has one by its leading bits', () => {
    expect([0, 1, 2_048, 2_049, 100_000, 10_000_000].map(credentialShardCount)).toEqual([
      1, 1, 1, 2, 64, 256,
    ]);
    holds(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 0, max: 8 }),
        (raw, k) => {
          const shard = credentialShardOf(toBase64Url(raw), 2 ** k);
          expect(shard).toBe(raw[0]! >>> (8 - k));
        },
      ),
    );
  });
});
