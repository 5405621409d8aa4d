/**
 * The Merkle tree of the audit log in SQLite, its proofs, and checkpoints: its growth, the result of a trim, and the upgrade of
 * older tables.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fromBase64 } from '../../../shared/bytes.ts';
import { auditLeaf, parseCheckpoint } from '../../../shared/checkpoint.ts';
import type { ConsistencyProof, InclusionProof } from '../../../shared/evidence.ts';
import {
  AUDIT_KEPT_MS,
  CHECKPOINT_INTERVAL_MS,
  CHECKPOINTS_HOURLY_MS,
} from '../../../shared/limits/control.ts';
import { equalHashes, GrowingTree, rootOfInclusion, verifyConsistency } from '../../../shared/merkle.ts';
import { AUDIT_CHECKPOINT_KEY } from '../../../shared/release/kv-keys.ts';
import { notesIn, openVerifier, verifyNote } from '../../../shared/signed-note.ts';
import { asAdmin, coordinator, stub, unwrap, WRANGLER } from '../support/coordinator.ts';
import { makeOlderTables } from '../support/older-tables.ts';

const START = Date.UTC(2040, 0, 1);
const HOUR = CHECKPOINT_INTERVAL_MS;
const DAY = 86_400_000;
let number = 0;

beforeEach(() => {
  number = 821_030_000_000;
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});

/** One change with this many records. */
async function block(count: number): Promise<void> {
  const items = Array.from({ length: count }, () => ({ number: `+${number++}` }));
  const change = {
    op: 'block' as const,
    items,
    code: 'SENDER_REPORTED' as const,
    until: null,
    reason: 'test',
  };
  unwrap(await coordinator().changeEntries(asAdmin('first'), { ...change, subjects: ['from'] }));
}

const sweep = () => coordinator().sweep(WRANGLER);
const newest = async () => (await coordinator().checkpoints(0, 1_000)).at(-1)!;
const bytesOf = (text: string) => fromBase64(text)!;

/** The root of the tree over the records `first` to `last`. */
async function rootOver(first: number, last: number): Promise<Uint8Array> {
  const tree = new GrowingTree();
  for (let after = first - 1; after < last; ) {
    for (const record of await coordinator().audit(after, last - after)) {
      tree.add(auditLeaf(record));
      after = record.n;
    }
  }
  return tree.root;
}

async function expectIncluded(n: number, size?: number): Promise<InclusionProof> {
  const proof = unwrap(await coordinator().inclusion(n, size));
  const [record] = await coordinator().audit(n - 1, 1);
  const hashes = proof.hashes.map(bytesOf);
  const root = rootOfInclusion(auditLeaf(record!), proof.index, proof.size, hashes);
  expect([n, equalHashes(root!, bytesOf(proof.root))]).toEqual([n, true]);
  return proof;
}

async function expectConsistent(from: number, to?: number): Promise<ConsistencyProof> {
  const proof = unwrap(await coordinator().consistency(from, to));
  const [old, now] = [bytesOf(proof.fromRoot), bytesOf(proof.root)];
  expect(verifyConsistency(from, old, proof.size, now, proof.hashes.map(bytesOf))).toBe(true);
  return proof;
}

describe('the tree of the audit log', () => {
  test('has every record, in whatever steps it grew, and survives a restart', async () => {
    for (const count of [1, 254, 1, 1, 300, 2_600]) {
      await block(count);
      if (count !== 254) await sweep();
    }
    await evictDurableObject(stub());
    const { size, root } = await expectIncluded(3_157);
    expect(size).toBe(3_157);
    expect(equalHashes(bytesOf(root), await rootOver(1, 3_157))).toBe(true);
    for (const n of [1, 256, 257, 2_000, 3_156]) await expectIncluded(n);
    for (const from of [1, 255, 256, 257, 512, 3_000, 3_157]) await expectConsistent(from);
    expect(equalHashes(bytesOf((await expectIncluded(300, 400)).root), await rootOver(1, 400))).toBe(true);
    await expectConsistent(100, 400);
  });

  test.each([
    ['n', { n: 4 }, /^"n" must be a record of this tree, from 1 to 3$/],
    ['n', { n: 0 }, /^"n" must be .*, from 1 to 3/],
    ['n', { n: 3, size: 2 }, /^"n" must be .*, from 1 to 2/],
    ['size', { n: 1, size: 9 }, /^"size" must be a size of the tree, from 1 to 3$/],
    ['size', { n: 1, size: 0 }, /^"size" must be/],
    ['from', { from: 0 }, /^"from" must be .*, from 1 to 3/],
    ['from', { from: 3, to: 2 }, /^"from" must be .*, from 1 to 2/],
    ['to', { from: 1, to: 4 }, /^"to" must be .*, from 1 to 3/],
  ])(
    'refuses a proof with a wrong "%s": %j',
    async (field, { n, size, from, to }: Record<string, number>, message) => {
      await block(3);
      const refusal =
        n === undefined ? await coordinator().consistency(from!, to) : await coordinator().inclusion(n, size);
      expect(refusal).toMatchObject({ ok: false, field, message: expect.stringMatching(message) });
    },
  );

  test('after a trim still proves what was kept, and consistency from every checkpoint', async () => {
    const sizes: number[] = [];
    for (let at = 0; at < 3; at++) {
      vi.setSystemTime(START + at * HOUR);
      await block(700);
      await sweep();
      sizes.push((await newest()).size);
    }
    // Sealing the live entries makes a record too.
    expect(sizes).toEqual([700, 1_401, 2_102]);
    vi.setSystemTime(START + AUDIT_KEPT_MS + DAY);
    const [record] = await coordinator().audit(1_999, 1);
    unwrap(await coordinator().trimAudit(asAdmin('archived'), 2_000, record!.hash));
    await sweep();
    for (const n of [2_001, 2_100, 2_101]) await expectIncluded(n);
    for (const from of [...sizes, 256, 512]) await expectConsistent(from);
    await expectConsistent(700, 1_401);
    const refusals = [
      await coordinator().inclusion(100),
      await coordinator().consistency(300),
      await coordinator().inclusion(2_050, 1_100),
    ];
    expect(refusals).toMatchObject([
      { field: 'n', message: expect.stringContaining('trimmed') },
      { field: 'from', message: expect.stringContaining('trimmed') },
      { field: 'size', message: expect.stringContaining('trimmed') },
    ]);
    const tiles = await runInDurableObject(stub(), (_, { storage }) =>
      storage.sql.exec('SELECT i FROM audit_tiles WHERE level = 0 ORDER BY i').toArray(),
    );
    expect(tiles.map(({ i }) => i)).toEqual([2, 5, 7, 8]);
  });

  test('of older tables has the records that were kept, and its checkpoints name the last one before', async () => {
    await block(10);
    await sweep();
    const [record] = await coordinator().audit(3, 1);
    await runInDurableObject(stub(), (_, { storage: { sql } }) => {
      makeOlderTables(sql);
      sql.exec("DELETE FROM meta WHERE key IN ('auditTree', 'checkpointKv')");
      sql.exec('DELETE FROM audit WHERE n <= 4');
      sql.exec("INSERT INTO meta VALUES ('auditTrimmed', ?)", JSON.stringify({ n: 4, hash: record!.hash }));
    });
    await evictDurableObject(stub());
    await sweep();
    const { size, start, root } = parseCheckpoint([...notesIn((await newest()).checkpoint)][0]!.note!.text)!;
    expect([size, start]).toEqual([6, { n: 4, hash: record!.hash }]);
    expect(equalHashes(root, await rootOver(5, 10))).toBe(true);
    expect((await expectIncluded(5)).index).toBe(0);
    expect(await coordinator().inclusion(4)).toMatchObject({ field: 'n' });
  });
});

describe('checkpoints', () => {
  test('are signed, at most hourly, only after changes, and the newest is in KV', async () => {
    await sweep();
    expect(await coordinator().checkpoints(0, 10)).toEqual([]);
    await block(3);
    await sweep();
    await block(1);
    await sweep();
    const [first, ...more] = await coordinator().checkpoints(0, 10);
    expect([first!.size, first!.at, more]).toEqual([3, new Date(START).toISOString(), []]);
    expect(await env.LISTS.get(AUDIT_CHECKPOINT_KEY)).toBe(first!.checkpoint);
    const { audit } = await coordinator().status();
    expect(audit.checkpoint).toEqual({ size: 3, at: first!.at });
    const { note } = [...notesIn(first!.checkpoint)][0]!;
    expect(await verifyNote(note!, (await openVerifier(audit.checkpointKey!))!)).toBeNull();
    expect(parseCheckpoint(note!.text)).toMatchObject({ origin: 'numgate.example/test', size: 3 });

    vi.setSystemTime(START + HOUR);
    await sweep();
    vi.setSystemTime(START + 3 * HOUR);
    await sweep();
    expect((await coordinator().checkpoints(0, 10)).map(({ size }) => size)).toEqual([3, 4]);
    expect(await env.LISTS.get(AUDIT_CHECKPOINT_KEY)).toBe((await newest()).checkpoint);
    expect(await coordinator().checkpoints(3, 1)).toHaveLength(1);
  });

  test('reach KV with the next sweep if KV refused one', async () => {
    await block(1);
    const put = vi.spyOn(env.LISTS, 'put').mockRejectedValue(new Error('KV is down'));
    await sweep();
    put.mockRestore();
    await sweep();
    expect(await env.LISTS.get(AUDIT_CHECKPOINT_KEY)).toBe((await newest()).checkpoint);
  });

  test('of earlier months are kept once a day', async () => {
    for (const at of [0, HOUR, 2 * HOUR, DAY, DAY + HOUR]) {
      vi.setSystemTime(START + at);
      await block(1);
      await sweep();
    }
    vi.setSystemTime(START + CHECKPOINTS_HOURLY_MS + DAY);
    await block(1);
    await sweep();
    expect((await coordinator().checkpoints(0, 10)).map(({ size }) => size)).toEqual([3, 4, 5, 6]);
    // Removed checkpoints can still be proven, because other parties keep them.
    await expectConsistent(1);
    await expectConsistent(2, 4);
  });
});
