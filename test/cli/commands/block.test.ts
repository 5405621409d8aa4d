/**
 * `numgate block`, `unblock` and `clear` against a service with canned responses: the requests that they send.
 */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { allowLists, formatChange } from '../../../cli/commands/block.ts';
import { allEntries } from '../../../cli/commands/entries.ts';
import { distinctItems, itemOf, itemsOfFile, itemsOfWords } from '../../../cli/import/items.ts';
import { PAGE_MAX } from '../../../shared/limits/control.ts';
import { start } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { fakeService, problem } from '../support/fake-service.ts';
import { write } from '../support/workspace.ts';

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

describe('standard input', () => {
  it.each(['block', 'unblock', 'clear'])('is read by %s --file -, and its lines are named', async (op) => {
    const { url, requests } = await fakeService(({ path }) =>
      path.endsWith('/entries')
        ? problem(422, 'ENTRY_INVALID', { items: [{ index: 1, code: 'ENTRY_INVALID', message: 'is short' }] })
        : { body: { lists: [] } },
    );
    process.env.NUMGATE_URL = url;
    const { child, result } = start([op, '--file', '-', '--reason', 'tests'], 'pipe');
    child.stdin!.end('# since Monday\n 010-2000-5036 \r\n\n010-1\nPARCEL-KR');
    const { code, errors } = await result;
    expect(requests.find(({ path }) => path.endsWith('/entries'))!.body).toMatchObject({
      items: [{ number: '010-2000-5036' }, { number: '010-1' }, { source: 'PARCEL-KR' }],
    });
    expect([code, errors]).toEqual([
      1,
      expect.stringContaining('  standard input, line 4: ENTRY_INVALID: is short'),
    ]);
  });

  it('is read by entries -', async () => {
    const { url, requests } = await fakeService(() => ({ body: { entries: [] } }));
    process.env.NUMGATE_URL = url;
    const { child, result } = start(['entries', '-'], 'pipe');
    child.stdin!.end('\n010-2000-5036\n');
    expect(await result).toEqual({ code: 0, out: 'no live entries\n', errors: '' });
    expect(requests.map(({ body }) => body)).toEqual([{ number: '010-2000-5036' }]);
    const empty = start(['entries', '-'], 'ignore');
    expect(await empty.result).toEqual({ code: 2, out: '', errors: 'error: standard input is empty\n' });
  });
});

describe('many items', () => {
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
