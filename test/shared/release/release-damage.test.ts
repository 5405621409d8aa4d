/** Damaged values of a release. Each is refused with a code and leaves the release unchanged. */
import { describe, expect, it } from 'vitest';
import { PairEntries } from '../../../shared/build/pairs.ts';
import { buildRelease } from '../../../shared/build/release.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import type { Blob } from '../../../shared/release/manifest.ts';
import { Release } from '../../../shared/release/release.ts';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { seal } from '../../../shared/set/seal.ts';
import { checksum } from '../../../shared/set/xxhash.ts';
import { randomFrom } from '../numbers/random.ts';
import { OPTIONS } from '../support/built-release.ts';
import { cuts, flips } from '../support/damage.ts';
import { EVER, listSource, plainList } from '../support/plain-model.ts';
import { testKeys } from '../support/test-keys.ts';

const below = randomFrom(5);
const numbers = Array.from({ length: 1_500 }, () => ({ n: 821_000_000_000 + below(100_000_000), ...EVER }));
const dated = numbers.slice(0, 50).map(({ n }) => ({ n: n - 100_000_000, since: 5, until: 500 }));
const entries = new PairEntries();
for (const { n } of numbers.slice(0, 300))
  entries.add({ client: `acme/client-${n % 7}`, from: n, to: n, own: n % 2 === 0 });
const registrations = { version: 3, content: entries.finish(testKeys) };
const lists = [
  plainList('one', {
    numbers,
    ranges: [{ from: 1_200_000_000, to: 1_300_000_000, ...EVER }],
    sources: [{ text: 'a', ...EVER }],
  }),
  plainList('two', { numbers: dated, ranges: [{ from: 3, to: 4, ...EVER }] }),
];
const made = await buildRelease(
  lists.map((list) => listSource(list, testKeys)),
  testKeys,
  { ...OPTIONS, registrations },
);
if (!made.ok) throw new Error(made.message);
const { manifest, values } = made.value;
const shard = manifest.shards[0]!;

/** Offers the bytes as this value. @returns the code of the refusal, or null */
async function offer(blob: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  const release = new Release(manifest, testKeys);
  const installed = await release.install(blob, bytes);
  if (installed.ok) return null;
  expect(release.has(blob)).toBe(false);
  // The name of a value contains digits of its digest.
  expect(installed.message.replace(blob.key, '')).not.toMatch(/\d{9}/);
  return installed.code;
}

/** The manifest's entry as if these bytes had been built, so that only structure and seal can refuse them. */
async function pretending(blob: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<Blob> {
  return { ...blob, bytes: bytes.length, checksum: checksum(bytes), sha256: await sha256Hex(bytes) };
}

describe.each([
  ['a shard', shard, 3],
  ['the range table', manifest.ranges!, 1],
  ['the source table', manifest.sources!, 1],
  ['a shard of pairs', manifest.registrations!.shards[0]!, 3],
  ['the table of registered clients', manifest.registrations!.table, 1],
] as const)('%s', (_, blob, step) => {
  const bytes = values.get(blob.key)!;

  it('is accepted as it was built', async () => {
    expect(await offer(blob, bytes.slice())).toBeNull();
  });

  it('is refused with any byte flipped', async () => {
    for (const damaged of flips(bytes, [1, 128], step))
      expect(await offer(blob, damaged.bytes), damaged.what).toBe('BLOB_DAMAGED');
  });

  it('is refused at any other length', async () => {
    for (const damaged of cuts(bytes, step))
      expect(await offer(blob, damaged.bytes), damaged.what).toBe('BLOB_DAMAGED');
  });

  it('is refused in place of another value', async () => {
    for (const [key, other] of values) {
      if (key !== blob.key) expect(await offer(blob, other)).toBe('BLOB_DAMAGED');
    }
  });
});

describe('a value whose size and checksum are right', () => {
  it('is refused if it is a pair shard in place of another, or the reverse', async () => {
    const pairs = manifest.registrations!.shards[0]!;
    for (const [blob, other] of [
      [shard, pairs],
      [pairs, shard],
    ] as const) {
      const bytes = values.get(other.key)!;
      expect(await offer(await pretending(blob, bytes), bytes)).toBe('BLOB_DAMAGED');
    }
  });

  it('is refused with another digest, as a forgery would have', async () => {
    const bytes = values.get(shard.key)!.slice();
    bytes[200]! ^= 1;
    expect(await offer({ ...shard, checksum: checksum(bytes) }, bytes)).toBe('BLOB_DAMAGED');
  });

  it('is refused if it is not a shard', async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(64), new Uint8Array(64).fill(255)]) {
      expect(await offer(await pretending(shard, bytes), bytes)).toBe('BLOB_DAMAGED');
    }
  });

  it('is refused if the seal is broken, or another LIST_KEY made it', async () => {
    const others = await deriveListKeys(new Uint8Array(32));
    const foreign = await seal(new Uint8Array(24), others);
    for (const bytes of [new Uint8Array(10), new Uint8Array(64), foreign]) {
      expect(await offer(await pretending(manifest.ranges!, bytes), bytes)).toBe('BLOB_DAMAGED');
    }
  });

  it('is refused if the seal holds something else', async () => {
    for (const blob of [manifest.ranges!, manifest.sources!]) {
      for (const content of [new Uint8Array(0), new Uint8Array(24), values.get(shard.key)!]) {
        const bytes = await seal(content, testKeys);
        expect(await offer(await pretending(blob, bytes), bytes)).toBe('BLOB_DAMAGED');
      }
    }
  });
});

describe('a refusal', () => {
  it('leaves the installed values in use', async () => {
    const release = new Release(manifest, testKeys);
    await release.install(shard, values.get(shard.key)!);
    const kept = release.shard(0);
    const damaged = values.get(shard.key)!.slice();
    damaged[100]! ^= 4;
    expect((await release.install(shard, damaged)).ok).toBe(false);
    expect(release.shard(0)).toBe(kept);
  });
});
