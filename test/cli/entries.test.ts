/**
 * `lists block` and its like against a service that is told what to answer: what is asked of it.
 */
import './support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { Admin } from '../../cli/admin.ts';
import { allEntries, changeEntries, itemOf, itemsOfFile } from '../../cli/commands/entries.ts';
import { BULK_ENTRIES_MAX, PAGE_MAX } from '../../shared/limits.ts';
import { failureOf } from './support/failing.ts';
import { fakeService, problem } from './support/fake-service.ts';
import { write } from './support/workspace.ts';

const wish = { op: 'block', reason: 'a test' } as const;
const sizeOf = (body: unknown): number => (body as { items: unknown[] }).items.length;

describe('an item', () => {
  it.each([
    ['010-2000-5036', { number: '010-2000-5036' }],
    [' +63 917 123 4567 ', { number: '+63 917 123 4567' }],
    ['119', { number: '119' }],
    ['+82*', { number: '+82*' }],
    ['PARCEL-KR', { source: 'PARCEL-KR' }],
    ['KB Bank', { source: 'KB Bank' }],
  ])('%j is %j', (text, item) => {
    expect(itemOf(text)).toEqual(item);
  });
});

describe('a file', () => {
  it.each([
    ['numbers.txt', '# since Monday\n010-2000-5036\n\nPARCEL-KR\n'],
    ['numbers.csv', 'number,note\n010-2000-5036,twice\nPARCEL-KR,\n'],
    ['numbers.ndjson', '{"number":"010-2000-5036"}\n{"number":"PARCEL-KR"}\n'],
  ])('%s has items', async (name, content) => {
    expect(await itemsOfFile(write(name, content))).toEqual([
      { number: '010-2000-5036' },
      { source: 'PARCEL-KR' },
    ]);
  });

  it.each([
    ['number,until\n010-2000-5036,2027-01-01\n', 'line 2: only the number of a line is read here'],
    ['number\n"010-2000-5036\n', 'line 2: CSV: '],
  ])('that says more, or is damaged, is refused by its line: %j', async (content, words) => {
    const failure = await failureOf(() => itemsOfFile(write('bad.csv', content)));
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain('5036');
  });
});

describe('many entries', () => {
  const many = Array.from({ length: BULK_ENTRIES_MAX * 2 + 1 }, (_, index) => ({
    number: `+8210${20_000_000 + index}`,
  }));

  it('are changed in operations that the service takes', async () => {
    const { url, asked } = await fakeService(({ body }, count) => ({
      body: { seq: count + 5, changed: sizeOf(body) },
    }));
    const done = await changeEntries(new Admin({ url, token: 't' }), many, { ...wish, until: null });
    expect(done).toEqual({ seq: 8, changed: many.length });
    expect(asked.map(({ body }) => sizeOf(body))).toEqual([BULK_ENTRIES_MAX, BULK_ENTRIES_MAX, 1]);
    expect(asked.flatMap(({ body }) => (body as { items: unknown[] }).items)).toEqual(many);
    expect(asked[2]!.body).toEqual({ ...wish, until: null, items: many.slice(-1) });
    expect(asked.map(({ path }) => path)).toEqual(Array(3).fill('/v1/admin/entries'));
  });

  it('say how far they came where one operation is refused', async () => {
    const { url } = await fakeService(({ body }, count) =>
      count === 1 ? { body: { seq: 6, changed: sizeOf(body) } } : problem(409, 'LIVE_FULL'),
    );
    const { message, exitCode } = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), many, wish),
    );
    expect(message).toBe(
      'the first 10000 were changed (seq 6); those behind them were not:\nLIVE_FULL: the message of LIVE_FULL',
    );
    expect(exitCode).toBe(4);
  });

  it('are none at all: the command was asked wrongly', async () => {
    const admin = new Admin({ url: 'http://127.0.0.1:1', token: 't' });
    expect((await failureOf(() => changeEntries(admin, [], wish))).exitCode).toBe(2);
  });

  it('are read page by page, all up to the same change', async () => {
    const page = (seqs: readonly number[], next: string | null) => ({
      body: { upTo: 9, entries: seqs.map((seq) => ({ seq })), next },
    });
    const { url, asked } = await fakeService((_asked, count) =>
      count === 1 ? page([1, 2], '2.0.1.1') : page([3], null),
    );
    expect(await allEntries(new Admin({ url, token: 't' }))).toEqual({
      upTo: 9,
      entries: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
    });
    expect(asked.map(({ path }) => path)).toEqual([
      `/v1/admin/entries?limit=${PAGE_MAX}`,
      `/v1/admin/entries?after=2.0.1.1&upTo=9&limit=${PAGE_MAX}`,
    ]);
  });
});
