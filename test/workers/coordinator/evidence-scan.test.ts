/** Records of the audit log for evidence files: those of a period, in bounded steps, and single ones by their time. */
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import { fromBase64 } from '../../../shared/bytes.ts';
import { auditLeaf, parseCheckpoint } from '../../../shared/checkpoint.ts';
import { EVIDENCE_SCANNED_AT_ONCE } from '../../../shared/limits/evidence-files.ts';
import { rootOfInclusion } from '../../../shared/merkle.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { notesIn } from '../../../shared/signed-note.ts';
import type { NamedRecords } from '../../../workers/coordinator/evidence-calls.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { ALL_LIVE_GUARDS, asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { ANY, NOON } from '../support/room.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
});

const put = async (id: string, contact: string) =>
  unwrap(await coordinator().putOrganisation(asAdmin(), id, { ...bareOrganisation(id), contact }, ANY));

/** Reads all pages of a scan. @returns the records and the number of pages */
async function scanned(
  wanted: readonly NamedRecords[],
  period: { from: number; to: number },
  upTo = 1_000_000,
) {
  const found: number[] = [];
  let [after, pages]: [number | null, number] = [null, 0];
  for (;;) {
    const page = await coordinator().evidenceScan(wanted, period, after, upTo);
    found.push(...page.found.map(({ n }) => n));
    pages++;
    if (page.next === null) return { found, pages, share: page.share };
    after = page.next;
  }
}

test('a scan finds what a plain filter does, also if the clock went back a little', async () => {
  const changes = fc.array(
    fc.record({ id: fc.constantFrom('a', 'b', 'c'), later: fc.integer({ min: -20_000, max: 90_000 }) }),
    { minLength: 1, maxLength: 12 },
  );
  let [round, changed] = [0, 0];
  await holdsAsync(
    fc.asyncProperty(changes, fc.nat(600_000), fc.nat(600_000), async (all, begin, length) => {
      const start = NOON + ++round * 86_400_000;
      vi.setSystemTime(start);
      for (const { id, later } of all) {
        vi.setSystemTime(Date.now() + later);
        await put(id, `change ${++changed}`);
      }
      const period = { from: start + begin, to: start + begin + length };
      const records = await coordinator().audit(0, 1_000);
      const isWanted = (at: string): boolean => Date.parse(at) >= period.from && Date.parse(at) < period.to;
      const { found } = await scanned(
        [
          { subject: 'a', actions: 'organisations.' },
          { subject: 'b', actions: 'qualifications.' },
          { subject: 'c', actions: null },
        ],
        period,
      );
      const expected = records.filter(({ at, subject }) => isWanted(at) && ['a', 'c'].includes(subject));
      expect(found).toEqual(expected.map(({ n }) => n));
    }),
    { numRuns: 12 },
  );
});

test('a long log is scanned in bounded steps, and no further than the tree', async () => {
  const block = (many: number) => ({
    ...{ op: 'block' as const, subjects: ['from' as const], code: 'SENDER_REPORTED' as const, until: null },
    items: Array.from({ length: many }, (_, index) => ({
      number: `+82103${String(index).padStart(7, '0')}`,
    })),
    ...{ reason: 'test', overrides: ALL_LIVE_GUARDS },
  });
  await put('a', 'first');
  unwrap(await coordinator().changeEntries(asAdmin(), block(10_000)));
  await put('a', 'last');
  const wanted = [{ subject: 'a', actions: null }];
  const { found, pages, share } = await scanned(wanted, { from: NOON, to: NOON + 1 });
  const { n } = (await coordinator().status()).audit;
  expect(n).toBeGreaterThan(EVIDENCE_SCANNED_AT_ONCE);
  expect([found.length, found.at(-1), pages, share]).toEqual([
    2,
    n,
    Math.ceil(n / EVIDENCE_SCANNED_AT_ONCE),
    1,
  ]);
  expect((await scanned(wanted, { from: NOON, to: NOON + 1 }, n - 1)).found).toHaveLength(1);
});

test('a record is found by its time, and what was never there is not', async () => {
  await put('a', 'first');
  vi.setSystemTime(NOON + 10_000);
  await put('a', 'second');
  const records = await coordinator().audit(0, 100);
  const at = (ms: number) => ({ subject: 'a', actions: 'organisations.', at: NOON + ms });
  const found = await coordinator().evidenceRecordsAt(
    [at(10_000), at(0), at(5_000), { ...at(0), subject: 'b' }],
    100,
  );
  const own = records.filter(({ subject }) => subject === 'a').map(({ n }) => n);
  expect(found.map((each) => each?.n ?? null)).toEqual([own[1], own[0], null, null]);
});

test('the tree of a file has a checkpoint that is kept, and an earlier size has none of its own', async () => {
  await put('a', 'first');
  const first = unwrap(await coordinator().evidenceTree(null))!;
  const kept = await coordinator().checkpoints(0, 10);
  expect(kept.map(({ checkpoint }) => checkpoint)).toEqual([first.checkpoint]);
  await put('a', 'second');
  const second = unwrap(await coordinator().evidenceTree(null))!;
  expect(second.checkpoints.map(({ size }) => size)).toEqual([first.size]);
  const again = unwrap(await coordinator().evidenceTree(first.size))!;
  expect(again).toEqual({ ...first, checkpoints: [] });
  expect(await coordinator().checkpoints(0, 10)).toHaveLength(2);
  const { note } = [...notesIn(second.checkpoint)][0]!;
  const { root, size, start } = parseCheckpoint(note!.text)!;
  const records = await coordinator().evidenceRecords([1, size], size);
  for (const { record, hashes } of records) {
    const proof = hashes.map((hash) => fromBase64(hash)!);
    expect(rootOfInclusion(auditLeaf(record), record.n - start.n - 1, size, proof)).toEqual(root);
  }
  expect(await coordinator().evidenceTree(size + 100)).toMatchObject({ ok: false, field: 'size' });
});
