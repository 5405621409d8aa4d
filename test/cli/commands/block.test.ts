/**
 * `numgate block`, `unblock` and `clear` against a service with canned responses: the requests that they send.
 */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { allowLists, changeEntries, formatChange } from '../../../cli/commands/block.ts';
import { allEntries } from '../../../cli/commands/entries.ts';
import { distinctItems, itemOf, itemsOfFile, itemsOfWords } from '../../../cli/import/items.ts';
import { BULK_ENTRIES_MAX, PAGE_MAX } from '../../../shared/limits.ts';
import { start } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { fakeService, problem } from '../support/fake-service.ts';
import { write } from '../support/workspace.ts';

const operation = { op: 'block', reason: 'a test' } as const;
const sizeOf = (body: unknown): number => (body as { items: unknown[] }).items.length;

describe('an item', () => {
  it.each([
    ['010-2000-5036', { number: '010-2000-5036' }],
    [' +63 917 123 4567 ', { number: '+63 917 123 4567' }],
    ['119', { number: '119' }],
    ['+82*', { number: '+82*' }],
    ['PARCEL-KR', { source: 'PARCEL-KR' }],
    ['KB Bank', { source: 'KB Bank' }],
    ['P'.repeat(65), { source: 'P'.repeat(65) }],
    ['sender:trunk:1', { source: 'sender:trunk:1' }],
    ['smsc:+639170000130', { source: 'smsc:+639170000130' }],
    ['010-2000-503A', { source: '010-2000-503A' }],
    ['tel:+821020005036', { number: 'tel:+821020005036' }],
  ])('%j is parsed as %j', (text, item) => {
    expect(itemOf(text)).toEqual(item);
  });
});

describe('a file', () => {
  it.each([
    ['numbers.txt', '# since Monday\n010-2000-5036\n\nPARCEL-KR\n'],
    ['numbers.csv', 'number,note\n010-2000-5036,twice\nPARCEL-KR,\n'],
    ['numbers.ndjson', '{"number":"010-2000-5036"}\n{"number":"PARCEL-KR"}\n'],
  ])('%s is read as items', async (name, content) => {
    const path = write(name, content);
    const items = await itemsOfFile(path);
    expect(items.map(({ item }) => item)).toEqual([{ number: '010-2000-5036' }, { source: 'PARCEL-KR' }]);
    const lines = content.split('\n');
    for (const { item, place } of items) {
      const line = Number(place.slice(`${path}, line `.length));
      expect(lines[line - 1]).toContain('source' in item ? item.source : item.number);
    }
  });

  it.each([
    ['number,until\n010-2000-5036,2027-01-01\n', 'line 2: ENTRY_INVALID: may only have a number'],
    ['number\n"010-2000-5036\n', 'line 2: ROW_DAMAGED: CSV: '],
  ])('with other columns or a damaged line is rejected by its line: %j', async (content, words) => {
    const failure = await failureOf(() => itemsOfFile(write('bad.csv', content)));
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain('5036');
  });
});

describe('many items', () => {
  const many = Array.from({ length: BULK_ENTRIES_MAX * 2 + 1 }, (_, index) => ({
    item: { number: `+8210${20_000_000 + index}` },
    place: `n.csv, line ${index + 2}`,
  }));

  it('are split into operations that the service accepts', async () => {
    const { url, requests } = await fakeService(({ body }, count) => ({
      body: { seq: count + 5, changed: sizeOf(body) },
    }));
    const done = await changeEntries(new Admin({ url, token: 't' }), many, { ...operation, until: null });
    expect(done).toEqual({ seq: 8, changed: many.length });
    expect(requests.map(({ body }) => sizeOf(body))).toEqual([BULK_ENTRIES_MAX, BULK_ENTRIES_MAX, 1]);
    const items = many.map(({ item }) => item);
    expect(requests.flatMap(({ body }) => (body as { items: unknown[] }).items)).toEqual(items);
    expect(requests[2]!.body).toEqual({ ...operation, until: null, items: items.slice(-1) });
    expect(requests.map(({ path }) => path)).toEqual(Array(3).fill('/v1/admin/entries'));
  });

  it('count twice if they are sources, which may make two entries', async () => {
    const { url, requests } = await fakeService(({ body }, count) => ({
      body: { seq: count, changed: sizeOf(body) },
    }));
    const sources = Array.from({ length: BULK_ENTRIES_MAX / 2 }, (_, index) => ({
      item: { source: `KR-GOV ${index}` },
      place: `s.csv, line ${index + 2}`,
    }));
    await changeEntries(new Admin({ url, token: 't' }), [many[0]!, ...sources], operation);
    expect(requests.map(({ body }) => sizeOf(body))).toEqual([BULK_ENTRIES_MAX / 2, 1]);
  });

  it('report how many were changed when they are interrupted', async () => {
    const file = write('many.csv', `number\n${many.map(({ item }) => item.number).join('\n')}\n`);
    const running = { kill: (): void => undefined };
    const { url } = await fakeService(({ path, body }, count) => {
      if (!path.endsWith('/entries')) return { body: {} };
      if (count === 1) return { body: { seq: 6, changed: sizeOf(body) } };
      running.kill();
      return null;
    });
    process.env.NUMGATE_URL = url;
    const { child, result } = start(['block', '--file', file, '--reason', 'tests']);
    running.kill = () => child.kill('SIGINT');
    expect(await result).toEqual({
      ...{ code: 130, out: '' },
      errors:
        `\ninterrupted: the first 10,000 items were changed (seq 6), up to ${file}, line 10001; the next 10,000 ` +
        `may have been changed\nto continue, repeat the command with the items after ${file}, line 10001\n`,
    });
  });

  it('report how many were changed when one operation is refused', async () => {
    const { url } = await fakeService(({ body }, count) =>
      count === 1 ? { body: { seq: 6, changed: sizeOf(body) } } : problem(409, 'LIVE_FULL'),
    );
    const { message, exitCode } = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), many, operation),
    );
    expect(message).toBe(`${CHANGED}\nLIVE_FULL: the message of LIVE_FULL\n${GO_ON}`);
    expect(exitCode).toBe(4);
  });

  const CHANGED =
    'the first 10,000 items were changed (seq 6), up to n.csv, line 10001; the items after it were not:';
  const GO_ON = 'to continue, repeat the command with the items after n.csv, line 10001';

  const refused = (index: number) => {
    const items = [{ index, code: 'ENTRY_INVALID', message: 'is not a number' }];
    const message = `items[${index}] is not a number; nothing was changed`;
    return problem(422, 'ENTRY_INVALID', { message, items });
  };

  it('report an invalid item by its place, whichever operation it was in', async () => {
    const first = await fakeService(() => refused(6));
    const whole = await failureOf(() =>
      changeEntries(new Admin({ url: first.url, token: 't' }), many, operation),
    );
    expect(whole.message).toBe(
      'ENTRY_INVALID: 1 item is invalid; nothing was changed\n  n.csv, line 8: ENTRY_INVALID: is not a number',
    );
    const second = await fakeService(({ body }, count) =>
      count === 1 ? { body: { seq: 6, changed: sizeOf(body) } } : refused(6),
    );
    const part = await failureOf(() =>
      changeEntries(new Admin({ url: second.url, token: 't' }), many, operation),
    );
    expect(part.message).toBe(
      `${CHANGED}\nENTRY_INVALID: 1 item is invalid\n  n.csv, line 10008: ENTRY_INVALID: is not a number\n${GO_ON}`,
    );
    expect(part.details).toMatchObject({
      ...{ code: 'ENTRY_INVALID', exitCode: 1, changed: 10_000, seq: 6 },
      items: [{ place: 'n.csv, line 10008', code: 'ENTRY_INVALID' }],
    });
  });

  it('are not changed at all if any of them is invalid', async () => {
    const { url, requests } = await fakeService(() => ({ body: { seq: 6, changed: 1 } }));
    const mistyped = { item: itemOf('010-6000-000A'), place: 'n.csv, line 20003' };
    const failure = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), [...many, mistyped], operation),
    );
    expect(failure.message).toMatch(
      /at least 1 item is invalid; nothing was changed\n {2}n\.csv, line 20003: .*write the number alone$/,
    );
    expect([failure.message.includes('000A'), requests.length]).toEqual([false, 0]);
  });

  it('of one operation are all validated by the service, and its errors are shown in terms of the command line', async () => {
    const { url, requests } = await fakeService(() => {
      const letters = { code: 'ENTRY_INVALID', message: 'has letters; give a number as "number"' };
      const items = [
        { index: 0, code: 'ENTRY_PROTECTED', message: 'is an emergency number' },
        { index: 2, ...letters },
      ];
      return problem(422, 'ENTRY_PROTECTED', { items });
    });
    const items = itemsOfWords(['119', '010-2000-5036', '010-6000-000A']);
    const { message } = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), items, operation),
    );
    expect(message).toBe(
      'ENTRY_PROTECTED: 2 items are invalid; nothing was changed\n' +
        '  item 1: ENTRY_PROTECTED: is an emergency number\n' +
        '  item 3: ENTRY_INVALID: has letters in a number: write the number alone',
    );
    expect(requests).toHaveLength(1);
  });

  it('skip duplicates in any spelling', () => {
    const texts = [
      '010-2000-5036',
      '+82 10 2000 5036',
      '010-2000-5037',
      'PARCEL-KR',
      ' PARCEL-KR',
      'parcel-kr',
    ];
    const more = ['operator:515-02', 'operator:51502', '?', '?', '0063 917 123 4567', '+63 917 123 4567'];
    const distinct = distinctItems(itemsOfWords([...texts, ...more]));
    expect(distinct.map(({ place }) => Number(place.slice('item '.length)))).toEqual([
      ...[1, 3, 4, 6, 7, 9, 11, 12],
    ]);
  });

  it('must not be empty: that is invalid usage', async () => {
    const admin = new Admin({ url: 'http://127.0.0.1:1', token: 't' });
    expect((await failureOf(() => changeEntries(admin, [], operation))).exitCode).toBe(2);
  });

  it('are listed page by page, all up to the same change', async () => {
    const page = (seqs: readonly number[], next: string | null) => ({
      body: { upTo: 9, entries: seqs.map((seq) => ({ seq })), next },
    });
    const { url, requests } = await fakeService((_requests, count) =>
      count === 1 ? page([1, 2], '2.0.1.1') : page([3], null),
    );
    expect(await allEntries(new Admin({ url, token: 't' }))).toEqual({
      upTo: 9,
      entries: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
    });
    expect(requests.map(({ path }) => path)).toEqual([
      `/v1/admin/entries?limit=${PAGE_MAX}`,
      `/v1/admin/entries?after=2.0.1.1&upTo=9&limit=${PAGE_MAX}`,
    ]);
  });
});

describe('the report of a change', () => {
  it('counts items by kind, and shows the expiry and the allow lists that override a block', async () => {
    const items = ['010-2000-5036', 'PARCEL-KR', 'operator:515-02', 'trunk:A', 'trunk:B', 'smsc:+63917*'];
    const change = { op: 'block', items: items.map(itemOf), until: '2026-12-01T00:00:00.000Z' } as const;
    const done = { changed: 6, seq: 9 };
    expect(
      formatChange({ ...change, allowLists: ['partners', 'ours'], unlisted: [], duplicates: 2 }, done),
    ).toEqual([
      '1 number, 1 sender ID, 1 operator, 2 trunks, 1 SMSC blocked until 2026-12-01T00:00:00.000Z (seq 9)\n' +
        '  skipped 2 duplicates\n' +
        '  entries of an allow list (partners, ours) are still allowed: remove them from the list\n',
      done,
    ]);
  });

  it('omits the allow lists of folded entries, which a block overrides', async () => {
    const lists = [
      { name: 'partners', effect: 'allow' },
      { name: 'live-allow-kisa', effect: 'allow' },
      { name: 'suspended', effect: 'block' },
    ];
    const { url } = await fakeService(() => ({ body: { release: 'r', lists } }));
    expect(await allowLists(new Admin({ url, token: 't' }))).toEqual(['partners']);
  });
});
