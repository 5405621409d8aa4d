/** Anchors of audit chains: the records that they cover, and the proofs of single records. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import type { AuditRecord } from '../../../shared/audit.ts';
import { fromBase64 } from '../../../shared/bytes.ts';
import { auditLeaf } from '../../../shared/checkpoint.ts';
import { ANCHOR_RECORDS_MAX } from '../../../shared/limits/evidence-files.ts';
import { ANCHOR_INTERVAL_MS } from '../../../shared/limits/registrations.ts';
import { GrowingTree, rootOfInclusion } from '../../../shared/merkle.ts';
import { Anchoring } from '../../../workers/storage/anchoring.ts';
import { AuditChain } from '../../../workers/storage/audit-chain.ts';
import type { ChainAnchor } from '../../../workers/storage/chain-anchor.ts';
import type { AnchoredRecord } from '../../../workers/storage/evidence-port.ts';
import { SingleValues } from '../../../workers/storage/single-values.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { deskStub } from '../support/desk.ts';
import { NOON } from '../support/room.ts';

interface World {
  readonly chain: AuditChain;
  readonly anchoring: Anchoring;
  /** The anchors in the log, by the number of their record. */
  readonly log: Map<number, ChainAnchor>;
  readonly storage: DurableObjectStorage;
  add(many: number): void;
}

let logN = 100;

/** The chain of the desk, which has no other records here. @param record puts an anchor into the log */
function inChain<Value>(
  run: (world: World) => Promise<Value>,
  record: (anchor: ChainAnchor) => Promise<void> = async () => undefined,
): Promise<Value> {
  return runInDurableObject(deskStub(), async (_, { storage }) => {
    const chain = new AuditChain(storage.sql, { column: 'subject', prefix: '', subjectOf: String });
    const log = new Map<number, ChainAnchor>();
    const meta = new SingleValues<'anchoredAt'>(storage.sql);
    const anchoring = new Anchoring(
      storage.sql,
      chain,
      meta,
      async (anchor) => {
        await record(anchor);
        log.set(++logN, anchor);
        return logN;
      },
      'notAnchored',
    );
    const add = (many: number): void =>
      storage.transactionSync(() => {
        for (let each = 0; each < many; each++) {
          const content = { action: 'ruleBlocks.block', before: null, after: { each } };
          chain.append({ actor: 'numgate', reason: 'test', at: NOON }, `rule block ${each % 3}`, content);
        }
      });
    return run({ chain, anchoring, log, storage, add });
  });
}

/** Whether the anchor that a proof names covers the record. */
function isProven(
  { record, anchor, hashes }: AnchoredRecord,
  log: ReadonlyMap<number, ChainAnchor>,
): boolean {
  const anchored = log.get(anchor.logN);
  if (anchored === undefined || anchored.n !== anchor.to || anchored.from !== anchor.from) return false;
  const proof = hashes.map((hash) => fromBase64(hash)!);
  const root = rootOfInclusion(auditLeaf(record), record.n - anchor.from - 1, anchor.to - anchor.from, proof);
  return root !== null && Buffer.from(root).toString('base64') === anchored.root;
}

function naiveRoot(records: readonly AuditRecord[]): string {
  const tree = new GrowingTree();
  for (const record of records) tree.add(auditLeaf(record));
  return Buffer.from(tree.root).toString('base64');
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

test('whatever is written and anchored in between, each record is proven by the anchor that covers it', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
  await holdsAsync(
    fc.asyncProperty(sizes, async (batches) => {
      await inChain(async ({ chain, anchoring, log, add }) => {
        const before = chain.last.n;
        for (const many of batches) {
          add(many);
          vi.setSystemTime(Date.now() + ANCHOR_INTERVAL_MS);
          await anchoring.run();
        }
        const records = chain.records(before, 1_000);
        const proven = await anchoring.prove(records);
        expect(proven.map(({ record }) => record)).toEqual(records);
        for (const each of proven) expect(isProven(each, log)).toBe(true);
        for (const { from, n, hash, root } of log.values()) {
          const own = records.filter((record) => record.n > from && record.n <= n);
          expect([own.at(-1)!.hash, naiveRoot(own)]).toEqual([hash, root]);
        }
      });
    }),
    { numRuns: 10 },
  );
});

test('what is not anchored yet is anchored before it is proven, once', async () => {
  await inChain(async ({ chain, anchoring, log, add }) => {
    add(3);
    const records = chain.records(0, 10);
    const all = await Promise.all([anchoring.prove(records), anchoring.prove(records)]);
    expect(log.size).toBe(1);
    for (const each of all.flat()) expect(isProven(each, log)).toBe(true);
    expect(anchoring.dueAt).toBeNull();
  });
});

test('a long chain is anchored in pieces, also one that an older version has anchored without roots', async () => {
  await inChain(async ({ chain, anchoring, log, storage, add }) => {
    storage.sql.exec("INSERT OR REPLACE INTO meta VALUES ('anchoredN', '5000')");
    add(ANCHOR_RECORDS_MAX + 10);
    for (let runs = 0; runs < 2; runs++) {
      vi.setSystemTime(anchoring.dueAt!);
      await anchoring.run();
    }
    expect([...log.values()].map(({ from, n }) => [from, n])).toEqual([
      [0, ANCHOR_RECORDS_MAX],
      [ANCHOR_RECORDS_MAX, ANCHOR_RECORDS_MAX + 10],
    ]);
    const some = [1, ANCHOR_RECORDS_MAX, ANCHOR_RECORDS_MAX + 1].flatMap((n) => chain.records(n - 1, 1));
    for (const each of await anchoring.prove(some)) expect(isProven(each, log)).toBe(true);
    // The work of one call is bounded, so only the first records are proven.
    expect((await anchoring.prove(some, ANCHOR_RECORDS_MAX)).map(({ record }) => record.n)).toEqual([
      1,
      ANCHOR_RECORDS_MAX,
    ]);
  });
});

test('a coordinator that does not respond delays, and a stop after its answer repeats an anchor', async () => {
  await inChain(async ({ add }) => add(3));
  await inChain(
    async ({ chain, anchoring }) => {
      vi.setSystemTime(anchoring.dueAt!);
      await anchoring.run();
      expect(anchoring.dueAt).toBe(Date.now() + ANCHOR_INTERVAL_MS);
      await expect(anchoring.prove(chain.records(0, 10))).rejects.toThrow('down');
    },
    () => Promise.reject(new Error('down')),
  );
  const made: ChainAnchor[] = [];
  await inChain(
    async ({ chain, anchoring }) => {
      await expect(anchoring.prove(chain.records(0, 10))).rejects.toThrow('killed');
    },
    async (anchor) => {
      made.push(anchor);
      throw new Error('killed');
    },
  );
  await evictDurableObject(deskStub());
  await inChain(async ({ chain, anchoring, log }) => {
    for (const each of await anchoring.prove(chain.records(0, 10))) expect(isProven(each, log)).toBe(true);
    expect([...log.values()]).toEqual(made);
  });
});
