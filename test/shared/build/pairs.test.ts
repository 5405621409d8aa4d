/** The division of a release's registered senders into shards. */
import { describe, expect, it } from 'vitest';
import { encodePairs } from '../../../shared/build/dense-section.ts';
import { encodeRegisteredTable, PairEntries } from '../../../shared/build/pairs.ts';
import { encodeShard } from '../../../shared/build/shard.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import { NUMBER_LIMIT } from '../../../shared/numbers/number.ts';
import { ReleaseCheck } from '../../../shared/release/check.ts';
import { type Blob, blobsOf, type Manifest } from '../../../shared/release/manifest.ts';
import { RegisteredCheck } from '../../../shared/release/registered-check.ts';
import { runStart, slotsOf, spreadOf } from '../../../shared/set/pair-place.ts';
import { seal } from '../../../shared/set/seal.ts';
import { Shard } from '../../../shared/set/shard.ts';
import { checksum } from '../../../shared/set/xxhash.ts';
import { buildRegistered } from '../support/plain-registrations.ts';
import { testKeys } from '../support/test-keys.ts';

const CLIENTS = 500;
const NUMBERS = 1_600;

/** For each of many clients, numbers spread over some prefixes. */
function* pairsOf(clients: number, numbers: number) {
  for (let client = 0; client < clients; client++) {
    for (let index = 0; index < numbers; index++) {
      const n = (8_210 + (index % 5)) * 100_000_000 + ((client * 7_919 + index * 61_681) % 100_000_000);
      yield { client: `org-${client % 9}/client-${client}`, from: n, to: n, own: index % 2 === 0 };
    }
  }
}

const added = { client: 'org-3/added', from: 821_012_345_678, to: 821_012_345_678, own: false };

describe('the shards of registered senders', () => {
  it('change for a new client only where its group is', async () => {
    const before = (await buildRegistered(pairsOf(CLIENTS, NUMBERS))).manifest.registrations!;
    const { manifest } = await buildRegistered([...pairsOf(CLIENTS, NUMBERS), added]);
    const kept = new Set(before.shards.map(({ key }) => key));
    const shards = manifest.registrations!.shards;
    const changed = shards.flatMap(({ key, start }, index) =>
      kept.has(key) ? [] : [[start, shards[index + 1]?.start ?? NUMBER_LIMIT]],
    );
    const { group } = spreadOf(added.client, testKeys.sourceSeed);
    const [first, end] = [runStart(group, 0), runStart(group + 1, 0)];
    expect(before.shards.length).toBeGreaterThan(6);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThan(3);
    for (const [from, to] of changed) {
      expect(from).toBeLessThan(end);
      expect(to).toBeGreaterThan(first);
    }
  });

  it('of one group have the same room, or are refused', async () => {
    const { manifest } = await buildRegistered([]);
    const registrations = {
      ...manifest.registrations!,
      pairs: 4,
      shards: [{ ...manifest.registrations!.table, start: 0 }],
    };
    const first = runStart(6, 8_210);
    const codeOf = (rooms: readonly [number, number]): string => {
      const section = (room: number) => encodePairs(Float64Array.of(0, 2), 1_000, slotsOf(room));
      const parts = [
        { start: 0, plain: [null], dated: [null], room: 0 },
        ...rooms.map((room, index) => ({
          ...{ start: first + index * 1_000, plain: [section(room)], dated: [null], room },
        })),
        { start: first + 2_000, plain: [null], dated: [null], room: 0 },
      ];
      const shard = new Shard(encodeShard(parts, NUMBER_LIMIT, 1, true) as Uint8Array<ArrayBuffer>);
      const checked = new RegisteredCheck({ ...manifest, registrations }).addShard(0, shard);
      return checked.ok ? 'ok' : checked.code;
    };
    expect([codeOf([3, 3]), codeOf([3, 4]), codeOf([4, 3])]).toEqual(['ok', 'SLICE_WRONG', 'SLICE_WRONG']);
  });

  it('are refused with the table of more clients, and so is a table with clients in another group', async () => {
    const pairs = [...pairsOf(3, 100)];
    const built = await buildRegistered(pairs);
    const problemOf = async (table: Uint8Array<ArrayBuffer>, clients: number): Promise<string | null> => {
      const sealed = await seal(table, testKeys);
      const { registrations } = built.manifest;
      const sha256 = await sha256Hex(sealed);
      const blob: Blob = {
        ...registrations!.table,
        bytes: sealed.length,
        checksum: checksum(sealed),
        sha256,
      };
      const changed: Manifest = {
        ...built.manifest,
        registrations: { ...registrations!, clients, table: blob },
      };
      const checking = new ReleaseCheck(changed, testKeys);
      for (const each of blobsOf(changed)) {
        const checked = await checking.add(each, each === blob ? sealed : built.values.get(each.key)!);
        if (!checked.ok) return checked.code;
      }
      const finished = checking.finish();
      return finished.ok ? null : finished.code;
    };
    const contentOf = (all: Iterable<(typeof pairs)[number]>) => {
      const entries = new PairEntries();
      for (const pair of all) entries.add(pair);
      return entries.finish(testKeys);
    };
    const own = contentOf(pairs);
    expect(await problemOf(encodeRegisteredTable(own), 3)).toBeNull();
    // Add another client to the group of an existing one.
    const { group } = spreadOf(pairs[0]!.client, testKeys.sourceSeed);
    const alike = Array.from({ length: 200 }, (_, index) => `org-9/alike-${index}`).find(
      (name) => spreadOf(name, testKeys.sourceSeed).group === group,
    )!;
    const more = contentOf([...pairs, { ...added, client: alike }]);
    expect(await problemOf(encodeRegisteredTable(more), 4)).toBe('COUNT_WRONG');
    const moved = own.groups.map((_, index) => own.groups[(index + 1) % own.groups.length]!);
    expect(await problemOf(encodeRegisteredTable({ ...own, groups: moved }), 3)).toBe('ORDER_WRONG');
  });
});
