/**
 * Client settings: the mode, and the action on `indeterminate`.
 */
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { check, send, stream, streamJson } from './support/send.ts';
import type { ClientName } from './support/world.ts';

async function softened(client: ClientName, question: Record<string, string>): Promise<unknown[]> {
  const answer = await check(question, { client });
  return [answer.verdict, answer.unenforced, answer.reasons[0]?.code];
}

describe('mode label', () => {
  it('block becomes label, and `unenforced` names the original verdict', async () => {
    expect(await softened('label', { to: NUMBERS.suspended })).toEqual([
      'label',
      'block',
      'NUMBER_SUSPENDED',
    ]);
  });

  it('label and allow stay the same', async () => {
    expect(await softened('label', { from: NUMBERS.reported })).toEqual([
      'label',
      undefined,
      'SENDER_REPORTED',
    ]);
    expect(await softened('label', { to: NUMBERS.free })).toEqual(['allow', undefined, undefined]);
  });
});

describe('mode shadow', () => {
  it('block and label become allow, and `unenforced` names the original verdict', async () => {
    expect(await softened('shadow', { to: NUMBERS.suspended })).toEqual([
      'allow',
      'block',
      'NUMBER_SUSPENDED',
    ]);
    expect(await softened('shadow', { from: NUMBERS.reported })).toEqual([
      'allow',
      'label',
      'SENDER_REPORTED',
    ]);
  });

  it('allow stays the same', async () => {
    expect(await softened('shadow', { to: NUMBERS.free })).toEqual(['allow', undefined, undefined]);
  });

  it('indeterminate never becomes allow', async () => {
    for (const client of ['label', 'shadow'] as const) {
      expect(await softened(client, { to: '010-0000-0023' })).toEqual([
        'indeterminate',
        undefined,
        'LIST_UNAVAILABLE',
      ]);
    }
  });

  it('the mode applies to batches and streams', async () => {
    const request = { client: 'shadow' } as const;
    const batch = await send('/v1/check/batch', { ...request, body: { items: [{ to: NUMBERS.suspended }] } });
    expect(batch.json.results[0]).toMatchObject({ verdict: 'allow', unenforced: 'block' });
    const [line] = await streamJson(`${JSON.stringify({ to: NUMBERS.suspended })}\n`, request);
    expect(line).toMatchObject({ verdict: 'allow', unenforced: 'block' });
    expect(await stream(NUMBERS.suspended, request)).toEqual([`${NUMBERS.suspended},allow,NUMBER_SUSPENDED`]);
    const text = await send('/v1/check', {
      ...request,
      body: { to: NUMBERS.suspended },
      headers: { accept: 'text/plain' },
    });
    expect(text.text).toBe('allow NUMBER_SUSPENDED to\n');
  });

  it('a report of hits includes what would have been blocked', async () => {
    const body = {
      report: 'hits',
      items: [
        { id: 'a', to: NUMBERS.suspended },
        { id: 'b', to: NUMBERS.free },
      ],
    };
    const { json } = await send('/v1/check/batch', { client: 'shadow', body });
    expect(json.results.map(({ id, unenforced }) => [id, unenforced])).toEqual([['a', 'block']]);
  });
});

describe('fail policy', () => {
  it.each([
    ['bulk', 'open'],
    ['careful', 'closed'],
  ] as const)('client %s gets its own action on indeterminate: %s', async (client, action) => {
    for (const to of ['010-0000-0022', '010-0000-0023']) {
      expect(await check({ to }, { client })).toMatchObject({ verdict: 'indeterminate', action });
    }
  });
});
