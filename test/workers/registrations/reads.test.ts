/** Rows that requests read in a store with many registrations. All requests use an index. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { ok } from '../../../shared/result.ts';
import {
  accepted,
  act,
  asSender,
  content,
  create,
  facts,
  store,
  stub,
  withRegistry,
} from '../support/registrations.ts';

const COUNT = 5_000;
/** A request reads some rows in each of about twenty statements. */
const READ_MAX = 200;

/** Copies the first registration, with new numbers and references. */
function fill(): Promise<void> {
  return runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE ids (id) AS (SELECT 2 UNION ALL SELECT id + 1 FROM ids WHERE id <= ${COUNT})
       INSERT INTO registrations SELECT ids.id, 'approved', 1, 1, NULL, basis, number_from + ids.id, number_to + ids.id,
       mock, 'r' || ids.id, content, ends_at, approved, NULL, NULL, reasons, reminded,
       CASE WHEN ids.id % 2 THEN NULL ELSE 4e12 END, CASE WHEN ids.id % 3 THEN 1 ELSE NULL END,
       CASE WHEN ids.id % 3 THEN 1 ELSE NULL END, 0,
       created_at, updated_at, submitted_at, NULL FROM registrations CROSS JOIN ids WHERE registrations.id = 1`,
    );
    storage.sql.exec(
      `INSERT INTO pairs SELECT 'acme-main', number_from, number_to, id, 1 FROM registrations WHERE id > 1`,
    );
    storage.sql.exec(
      `INSERT INTO registration_clients SELECT 'acme-main', id FROM registrations WHERE id > 1`,
    );
  });
}

/** Counts the rows that the store reads from now on. @returns the rows since the last call */
async function countReads(): Promise<() => number> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  await runInDurableObject(stub(), (_, { storage }) => {
    const { sql } = storage;
    const exec = sql.exec.bind(sql);
    Object.defineProperty(sql, 'exec', {
      value: (query: string, ...values: unknown[]) => {
        const cursor = exec(query, ...values);
        cursors.push(cursor);
        return cursor;
      },
      configurable: true,
    });
  });
  return () => {
    const rows = cursors.splice(0).reduce((sum, cursor) => sum + cursor.rowsRead, 0);
    expect(rows).toBeGreaterThan(0);
    return rows;
  };
}

test('no request and no alarm reads all registrations', async () => {
  await withRegistry(({ n }) => ok({ version: n }));
  await create({}, false);
  await fill();
  const reads = await countReads();
  const measured: Record<string, number> = {};
  const measure = async (name: string, run: () => Promise<unknown>): Promise<void> => {
    await run();
    measured[name] = reads();
  };
  const number = '02-2123-4567';
  await measure('create', () =>
    store().create(asSender('key'), facts(), content({ number, reference: 'new' }), true),
  );
  const id = String(COUNT + 2);
  for (const action of ['claim', 'approve', 'suspend', 'resume', 'close'] as const) {
    await measure(action, async () => accepted(await act(id, action)));
  }
  await measure('alarm', () => runDurableObjectAlarm(stub()));
  await measure('get', () => store().get(7));
  await measure('find', () => store().find({ from: 82_2_2123_4567, to: 82_2_2123_4567 }, 10));
  await measure('page', () => store().page({ state: 'approved', client: 'acme-main' }, 100, 10));
  await measure('events', () => store().events(0, 10));
  await measure('history', () => store().history(1, 0, 10));
  await measure('published', () => store().published('acme-main 8215881500 8215881500', 10));
  expect(Object.entries(measured).filter(([, rows]) => rows > READ_MAX)).toEqual([]);
});
