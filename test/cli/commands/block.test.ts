/**
 * `numgate block` and its like against a service that is told what to answer: what is asked of it.
 */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import {
  allEntries,
  allowLists,
  changeEntries,
  distinctItems,
  itemOf,
  itemsOfFile,
  itemsOfWords,
} from '../../../cli/commands/entries.ts';
import { entriesChanged } from '../../../cli/report-service.ts';
import { BULK_ENTRIES_MAX, PAGE_MAX } from '../../../shared/limits.ts';
import { start } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { fakeService, problem } from '../support/fake-service.ts';
import { write } from '../support/workspace.ts';

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
    ['P'.repeat(65), { source: 'P'.repeat(65) }],
    ['sender:trunk:1', { source: 'sender:trunk:1' }],
    ['smsc:+639170000130', { source: 'smsc:+639170000130' }],
    ['010-2000-503A', { source: '010-2000-503A' }],
    ['tel:+821020005036', { number: 'tel:+821020005036' }],
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
    [
      'number,until\n010-2000-5036,2027-01-01\n',
      'line 2: ENTRY_INVALID: only the number of a line is read here',
    ],
    ['number\n"010-2000-5036\n', 'line 2: ROW_DAMAGED: CSV: '],
  ])('that says more, or is damaged, is refused by its line: %j', async (content, words) => {
    const failure = await failureOf(() => itemsOfFile(write('bad.csv', content)));
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain('5036');
  });
});

describe('many entries', () => {
  const many = Array.from({ length: BULK_ENTRIES_MAX * 2 + 1 }, (_, index) => ({
    item: { number: `+8210${20_000_000 + index}` },
    place: `n.csv, line ${index + 2}`,
  }));

  it('are changed in operations that the service takes', async () => {
    const { url, asked } = await fakeService(({ body }, count) => ({
      body: { seq: count + 5, changed: sizeOf(body) },
    }));
    const done = await changeEntries(new Admin({ url, token: 't' }), many, { ...wish, until: null });
    expect(done).toEqual({ seq: 8, changed: many.length });
    expect(asked.map(({ body }) => sizeOf(body))).toEqual([BULK_ENTRIES_MAX, BULK_ENTRIES_MAX, 1]);
    const items = many.map(({ item }) => item);
    expect(asked.flatMap(({ body }) => (body as { items: unknown[] }).items)).toEqual(items);
    expect(asked[2]!.body).toEqual({ ...wish, until: null, items: items.slice(-1) });
    expect(asked.map(({ path }) => path)).toEqual(Array(3).fill('/v1/admin/entries'));
  });

  it('count twice where they are sources, which may make two', async () => {
    const { url, asked } = await fakeService(({ body }, count) => ({
      body: { seq: count, changed: sizeOf(body) },
    }));
    const sources = Array.from({ length: BULK_ENTRIES_MAX / 2 }, (_, index) => ({
      item: { source: `KR-GOV ${index}` },
      place: `s.csv, line ${index + 2}`,
    }));
    await changeEntries(new Admin({ url, token: 't' }), [many[0]!, ...sources], wish);
    expect(asked.map(({ body }) => sizeOf(body))).toEqual([BULK_ENTRIES_MAX / 2, 1]);
  });

  it('say how far they came where they are interrupted', async () => {
    const file = write('many.csv', `number\n${many.map(({ item }) => item.number).join('\n')}\n`);
    const running = { kill: (): void => undefined };
    const { url } = await fakeService(({ path, body }, count) => {
      if (!path.endsWith('/entries')) return { body: {} };
      if (count === 1) return { body: { seq: 6, changed: sizeOf(body) } };
      running.kill();
      return null;
    });
    process.env.NUMGATE_URL = url;
    const { child, outcome } = start(['block', '--file', file, '--reason', 'tests']);
    running.kill = () => child.kill('SIGINT');
    expect(await outcome).toEqual({
      ...{ code: 130, out: '' },
      errors:
        `\ninterrupted: the first 10,000 were changed (seq 6), up to ${file}, line 10001; of those behind them, the ` +
        `next 10,000 may have been\nto go on, repeat the command with what is behind ${file}, line 10001\n`,
    });
  });

  it('say how far they came where one operation is refused', async () => {
    const { url } = await fakeService(({ body }, count) =>
      count === 1 ? { body: { seq: 6, changed: sizeOf(body) } } : problem(409, 'LIVE_FULL'),
    );
    const { message, exitCode } = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), many, wish),
    );
    expect(message).toBe(`${CHANGED}\nLIVE_FULL: the message of LIVE_FULL\n${GO_ON}`);
    expect(exitCode).toBe(4);
  });

  const CHANGED =
    'the first 10,000 were changed (seq 6), up to n.csv, line 10001; those behind them were not:';
  const GO_ON = 'to go on, repeat the command with what is behind n.csv, line 10001';

  const refused = (index: number) => {
    const items = [{ index, code: 'ENTRY_INVALID', message: 'is not a number' }];
    const message = `items[${index}] is not a number; nothing was changed`;
    return problem(422, 'ENTRY_INVALID', { message, items });
  };

  it('name a wrong item by where it was written, whichever operation it was in', async () => {
    const first = await fakeService(() => refused(6));
    const whole = await failureOf(() => changeEntries(new Admin({ url: first.url, token: 't' }), many, wish));
    expect(whole.message).toBe(
      'ENTRY_INVALID: 1 item is wrong; nothing was changed\n  n.csv, line 8: ENTRY_INVALID: is not a number',
    );
    const second = await fakeService(({ body }, count) =>
      count === 1 ? { body: { seq: 6, changed: sizeOf(body) } } : refused(6),
    );
    const part = await failureOf(() => changeEntries(new Admin({ url: second.url, token: 't' }), many, wish));
    expect(part.message).toBe(
      `${CHANGED}\nENTRY_INVALID: 1 item is wrong\n  n.csv, line 10008: ENTRY_INVALID: is not a number\n${GO_ON}`,
    );
    expect(part.details).toMatchObject({
      ...{ code: 'ENTRY_INVALID', exitCode: 1, changed: 10_000, seq: 6 },
      items: [{ place: 'n.csv, line 10008', code: 'ENTRY_INVALID' }],
    });
  });

  it('with a slip are not changed at all, wherever it stands', async () => {
    const { url, asked } = await fakeService(() => ({ body: { seq: 6, changed: 1 } }));
    const slip = { item: itemOf('010-6000-000A'), place: 'n.csv, line 20003' };
    const failure = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), [...many, slip], wish),
    );
    expect(failure.message).toMatch(
      /wrong so far; nothing was changed\n {2}n\.csv, line 20003: .*write the number alone$/,
    );
    expect([failure.message.includes('000A'), asked.length]).toEqual([false, 0]);
  });

  it('that one operation takes are all told wrong at once, by the service, in words of the command line', async () => {
    const { url, asked } = await fakeService(() => {
      const told = { code: 'ENTRY_INVALID', message: 'has letters; give a number as "number"' };
      const items = [
        { index: 0, code: 'ENTRY_PROTECTED', message: 'is an emergency number' },
        { index: 2, ...told },
      ];
      return problem(422, 'ENTRY_PROTECTED', { items });
    });
    const items = itemsOfWords(['119', '010-2000-5036', '010-6000-000A']);
    const { message } = await failureOf(() => changeEntries(new Admin({ url, token: 't' }), items, wish));
    expect(message).toBe(
      'ENTRY_PROTECTED: 2 items are wrong; nothing was changed\n' +
        '  item 1: ENTRY_PROTECTED: is an emergency number\n' +
        '  item 3: ENTRY_INVALID: has letters in a number: write the number alone',
    );
    expect(asked).toHaveLength(1);
  });

  it('that say the same as one before are left out, however each is written', () => {
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

describe('a change that was made', () => {
  it('is told by kind, with its end, and with the allow lists that go before a block', async () => {
    const items = ['010-2000-5036', 'PARCEL-KR', 'operator:515-02', 'trunk:A', 'trunk:B', 'smsc:+63917*'];
    const change = { op: 'block', items: items.map(itemOf), until: '2026-12-01T00:00:00.000Z' } as const;
    const done = { changed: 6, seq: 9 };
    expect(
      entriesChanged({ ...change, allowLists: ['partners', 'ours'], unheld: [], repeated: 2 }, done),
    ).toEqual([
      '1 number, 1 sender id, 1 operator, 2 trunks, 1 SMSC blocked until 2026-12-01T00:00:00.000Z (seq 9)\n' +
        '  2 more said the same as one before, and were left out\n' +
        '  what is on an allow list (partners, ours) goes through all the same: take it off\n',
      done,
    ]);
  });

  it('is told without the allow lists that unblocked entries were folded into: a block goes before those', async () => {
    const lists = [
      { name: 'partners', effect: 'allow' },
      { name: 'live-allow-kisa', effect: 'allow' },
      { name: 'suspended', effect: 'block' },
    ];
    const { url } = await fakeService(() => ({ body: { release: 'r', lists } }));
    expect(await allowLists(new Admin({ url, token: 't' }))).toEqual(['partners']);
  });
});
