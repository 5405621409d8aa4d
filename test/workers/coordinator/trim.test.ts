/**
 * Trimming the audit log: which records may be removed, that the chain continues after them, and that their
 * bytes are free.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AuditVerifier } from '../../../shared/audit.ts';
import { AUDIT_KEPT_MS, AUDIT_REMOVED_AT_ONCE } from '../../../shared/limits/control.ts';
import { asAdmin, coordinator, stub, unwrap, WRANGLER } from '../support/coordinator.ts';

const START = Date.UTC(2040, 0, 1);
const COUNT = 400;
const ANY = { match: null, absent: false };

/** Fills the log with large records. */
async function fill(): Promise<void> {
  const items = Array.from({ length: COUNT }, (_, index) => ({ number: `+8210${30_000_000 + index}` }));
  const change = {
    op: 'block' as const,
    items,
    code: 'SENDER_REPORTED' as const,
    until: null,
    reason: 'test',
  };
  unwrap(await coordinator().changeEntries(asAdmin('first'), { ...change, subjects: ['from'] }));
}

const recordAt = async (n: number) => (await coordinator().audit(n - 1, 1))[0]!;
const trim = async (n: number, hash?: string) =>
  coordinator().trimAudit(asAdmin('archived'), n, hash ?? (await recordAt(n)).hash);

async function rows(table: string): Promise<number> {
  return runInDurableObject(
    stub(),
    (_, { storage }) =>
      storage.sql.exec<{ count: number }>(`SELECT COUNT(*) AS count FROM ${table}`).one().count,
  );
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  await fill();
  vi.setSystemTime(START + AUDIT_KEPT_MS + 1);
  unwrap(await coordinator().putToken(asAdmin('second'), 'kisa', tokenOf('kisa'), ANY));
});

function tokenOf(id: string) {
  return {
    id,
    secretSha256: ['0'.repeat(64)],
    role: null,
    scopes: ['read' as const],
    organisation: 'default',
  };
}

describe('trimming the audit log', () => {
  test('removes the records up to the named one, and the chain continues after it', async () => {
    const last = await recordAt(COUNT);
    const bytes = (await coordinator().status()).storageBytes!;
    expect(unwrap(await trim(COUNT))).toEqual({ trimmedTo: COUNT });
    await evictDurableObject(stub());
    const { audit, storageBytes } = await coordinator().status();
    expect(audit).toMatchObject({ n: COUNT + 2, trimmedTo: COUNT, trimmedHash: last.hash });
    expect(storageBytes).toBeLessThan(bytes);
    for (const after of [0, COUNT]) {
      const records = await coordinator().audit(after, 1_000);
      const verifier = new AuditVerifier(COUNT, last.hash);
      for (const record of records) expect(verifier.next(record)).toBeNull();
      expect(verifier.verified).toEqual({ n: audit.n, hash: audit.hash });
      expect(records.at(-1)).toMatchObject({
        ...{ action: 'audit.trim', subject: 'audit', actor: 'token:admin', reason: 'archived' },
        ...{ before: { trimmedTo: 0 }, after: { trimmedTo: COUNT, hash: last.hash } },
      });
    }
    // The author and the reason of active entries stay.
    const { entries } = await coordinator().entries('', null, 1);
    expect(entries).toMatchObject([{ by: 'token:admin', reason: 'first' }]);
    expect([await rows('audit'), await rows('operations')]).toEqual([2, 3]);
  });

  test('continues with the next change when all records were removed', async () => {
    vi.setSystemTime(START + 3 * AUDIT_KEPT_MS);
    const { audit } = await coordinator().status();
    unwrap(await trim(audit.n));
    const [first] = await coordinator().audit(0, 10);
    expect(first).toMatchObject({ n: audit.n + 1, previous: audit.hash, action: 'audit.trim' });
    unwrap(await coordinator().putToken(asAdmin('third'), 'kisa', null, ANY));
    expect((await coordinator().audit(first!.n, 10))[0]).toMatchObject({
      n: first!.n + 1,
      previous: first!.hash,
    });
  });

  test.each([
    [
      'a record that does not exist',
      COUNT + 9,
      '0'.repeat(64),
      'n',
      /^"n" must be at most 401, the last record of the log$/,
    ],
    [
      'another hash',
      COUNT,
      '0'.repeat(64),
      'hash',
      /^"hash" is not the hash of record 400: verify your export$/,
    ],
    [
      'a record of the last days',
      COUNT + 1,
      undefined,
      'n',
      /^"n" must be the number of a record that is older than 7 days$/,
    ],
  ])('refuses %s, and removes nothing', async (_what, n, hash, field, message) => {
    const refusal = await trim(n, hash);
    expect(refusal).toMatchObject({
      ok: false,
      code: 'FIELD_VALUE',
      field,
      message: expect.stringMatching(message),
    });
    expect(await rows('audit')).toBe(COUNT + 1);
  });

  test('refuses a record that was already trimmed', async () => {
    const { hash } = await recordAt(10);
    unwrap(await trim(20));
    expect(await trim(10, hash)).toMatchObject({
      field: 'n',
      message: expect.stringContaining('already trimmed'),
    });
  });

  test('removes large numbers of records in steps, with the cron', async () => {
    const MANY = 2 * AUDIT_REMOVED_AT_ONCE + 10;
    await runInDurableObject(stub(), (_, { storage }) => {
      // Trimmed records that still exist.
      storage.sql.exec('DELETE FROM audit');
      storage.sql.exec(
        `INSERT INTO audit WITH RECURSIVE place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < ?)
         SELECT n, 1, 'a', 'b', 'null', 'null', x'00' FROM place`,
        MANY,
      );
      storage.sql.exec(
        "INSERT INTO meta VALUES ('auditTrimmed', ?)",
        JSON.stringify({ n: MANY - 1, hash: 'x' }),
      );
    });
    const counts = [];
    for (let sweep = 0; sweep < 4; sweep++) {
      await coordinator().sweep(WRANGLER);
      counts.push(await rows('audit'));
    }
    expect(counts).toEqual([MANY - AUDIT_REMOVED_AT_ONCE, MANY - 2 * AUDIT_REMOVED_AT_ONCE, 1, 1]);
    expect((await coordinator().audit(0, 10)).map(({ n }) => n)).toEqual([MANY]);
  });
});
