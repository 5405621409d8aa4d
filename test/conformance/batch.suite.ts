/** `/v1/check/batch`: order, IDs, defaults, reports, and bad items, which fail alone. */
import { describe, expect, it } from 'vitest';
import { NUMBERS, SOURCES } from './support/input-lists.ts';
import { type Answer, check, send } from './support/send.ts';
import { world } from './support/world.ts';

async function batch(body: Record<string, unknown>): Promise<Answer> {
  const { status, json } = await send('/v1/check/batch', { body });
  expect(status).toBe(200);
  return json;
}

const ITEMS = [
  { id: 'a', to: NUMBERS.suspended },
  { to: NUMBERS.free },
  { id: 'c', from: SOURCES.listed, channel: 'sms' },
  { id: 'd', from: NUMBERS.reported, to: NUMBERS.free },
  { id: '', to: '010-0000-0022' },
];

describe('POST /v1/check/batch', () => {
  it('results follow the order of the items, each with its id or null', async () => {
    const { results, release, seq } = await batch({ items: ITEMS });
    expect(results.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['a', 'block'],
      [null, 'allow'],
      ['c', 'block'],
      ['d', 'label'],
      ['', 'indeterminate'],
    ]);
    expect([release, seq]).toEqual([world().release, world().seq]);
  });

  it('each item gets the response of a check', async () => {
    const { results } = await batch({ items: ITEMS });
    for (const [index, { id: _, ...question }] of ITEMS.entries()) {
      const { release, seq, asOf, stale, ...alone } = await check(question);
      expect(results[index]).toEqual({ ...alone, id: ITEMS[index]!.id ?? null });
    }
  });

  it('the summary counts all items', async () => {
    const items = [...ITEMS, { to: 7 }];
    const { summary } = (await send('/v1/check/batch', { body: { items }, undocumented: true })).json;
    expect(summary).toEqual({ total: 6, allow: 1, label: 1, block: 2, indeterminate: 1, error: 1 });
  });

  it('a batch with thousands of items without hits is complete', async () => {
    const free = Array.from({ length: 3_000 }, () => ({ to: NUMBERS.free }));
    for (const last of [NUMBERS.suspended, NUMBERS.free]) {
      const body = { report: 'hits', items: [...free, { id: 'last', to: last }] };
      const { json } = await send('/v1/check/batch', { body });
      expect(json.summary).toMatchObject({ total: 3_001, block: last === NUMBERS.suspended ? 1 : 0 });
      expect(json.results.map(({ index }) => index)).toEqual(last === NUMBERS.suspended ? [3_000] : []);
    }
  });

  it('`report: hits` returns only hits and errors; the summary still counts all', async () => {
    const { summary, results } = await batch({
      report: 'hits',
      items: [...ITEMS, { id: 'bad', to: 'JOHN' }],
    });
    expect(results.map(({ id, index }) => [id, index])).toEqual([
      ['a', 0],
      ['c', 2],
      ['d', 3],
      ['', 4],
      ['bad', 5],
    ]);
    expect([summary.total, summary.allow]).toEqual([6, 1]);
    const all = (await batch({ report: 'all', items: ITEMS })).results;
    expect(all.map((answer) => 'index' in answer)).toEqual(ITEMS.map(() => false));
  });

  it('defaults fill in only the fields that an item omits', async () => {
    const defaults = { from: '050-1234-5679', channel: 'voice' };
    const { results } = await batch({
      defaults,
      items: [{ to: NUMBERS.free }, { to: NUMBERS.free, channel: 'sms' }, { from: SOURCES.listed }, {}],
    });
    expect(results.map(({ verdict, from }) => [verdict, from])).toEqual([
      ['allow', '+825012345679'],
      ['block', '+825012345679'],
      ['block', SOURCES.listed],
      ['allow', '+825012345679'],
    ]);
    expect((await batch({ defaults: { channel: 'voice' }, items: [{ from: '112' }] })).summary.allow).toBe(1);
    expect((await batch({ defaults: {}, items: [{ from: '112' }] })).summary.block).toBe(1);
  });

  it('the response is streamed without a length, with the summary last', async () => {
    const items = Array.from({ length: 1_201 }, (_, index) => ({
      id: String(index),
      to: index === 1_200 ? NUMBERS.suspended : NUMBERS.free,
    }));
    for (const report of ['all', 'hits']) {
      const { headers, text, json } = await send('/v1/check/batch', { body: { report, items } });
      expect(headers.get('content-length')).toBeNull();
      expect(Object.keys(json)).toEqual(['release', 'seq', 'asOf', 'stale', 'results', 'summary']);
      expect(text).toMatch(/\],"summary":\{"total":1201,[^{}]*\}\}$/);
      expect(json.results).toHaveLength(report === 'all' ? items.length : 1);
      expect(json.summary).toMatchObject({ allow: 1_200, block: 1, error: 0 });
    }
  });

  it('a batch has 0 to 10,000 items', async () => {
    expect(await batch({ items: [] })).toMatchObject({ summary: { total: 0 }, results: [] });
    const items = Array.from({ length: 10_000 }, (_, index) => ({
      id: String(index),
      to: index % 2 === 0 ? NUMBERS.free : NUMBERS.suspended,
    }));
    const { summary, results } = await batch({ items });
    expect(summary).toMatchObject({ total: 10_000, allow: 5_000, block: 5_000 });
    expect(results.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
  });
});

describe('a bad item of a batch', () => {
  const bad: [string, unknown, string, string][] = [
    ['no object', 7, 'FIELD_TYPE', 'item'],
    ['null', null, 'FIELD_TYPE', 'item'],
    ['a list', [], 'FIELD_TYPE', 'item'],
    ['empty', { id: 'x' }, 'FIELD_MISSING', 'to'],
    ['a number as JSON number', { id: 'x', to: 112 }, 'FIELD_TYPE', 'to'],
    ['null as number', { id: 'x', from: null, to: '112' }, 'FIELD_TYPE', 'from'],
    ['letters in to', { id: 'x', to: 'JOHN' }, 'SOURCE_AS_RECIPIENT', 'to'],
    ['no digits', { id: 'x', to: '--' }, 'NUMBER_MISSING', 'to'],
    ['too many digits', { id: 'x', from: '+1234567890123456' }, 'NUMBER_TOO_LONG', 'from'],
    ['a character of no number', { id: 'x', to: '010-1234-5678#' }, 'NUMBER_CHARACTER', 'to'],
    ['an unknown channel', { id: 'x', to: '112', channel: 'fax' }, 'FIELD_VALUE', 'channel'],
    ['an unknown field', { id: 'x', to: '112', colour: 'red' }, 'FIELD_UNKNOWN', 'colour'],
  ];

  it.each(bad)('a bad item fails alone: %s', async (_name, item, code, field) => {
    const { json, status } = await send('/v1/check/batch', {
      body: { items: [{ id: 'before', to: NUMBERS.suspended }, item, { to: NUMBERS.free }] },
      undocumented: true,
    });
    expect(status).toBe(200);
    expect(json.summary).toMatchObject({ total: 3, block: 1, allow: 1, error: 1 });
    expect(json.results[1]!.error).toMatchObject({ code, field });
    expect(json.results[1]!.id).toBe((item as { id?: string } | null)?.id ?? null);
    expect(JSON.stringify(json.results[1])).not.toMatch(/\d{7}/);
  });

  it('an invalid id fails the item: not a string, or too long', async () => {
    const items = [
      { id: 7, to: '112' },
      { id: 'x'.repeat(129), to: '112' },
      { id: 'x'.repeat(128), to: '112' },
    ];
    const { json } = await send('/v1/check/batch', { body: { items }, undocumented: true });
    expect(json.results.map(({ id, error }) => [id?.length, error?.code, error?.field])).toEqual([
      [undefined, 'FIELD_TYPE', 'id'],
      [undefined, 'FIELD_VALUE', 'id'],
      [128, undefined, undefined],
    ]);
  });
});
