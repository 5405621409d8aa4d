/**
 * What a client chose for itself: how strictly it is answered, and what it does when nobody knows.
 */
import { describe, expect, it } from 'vitest';
import { ask, check, stream, streamJson } from './support/ask.ts';
import { NUMBERS } from './support/input-lists.ts';
import type { ClientName } from './support/world.ts';

async function softened(client: ClientName, question: Record<string, string>): Promise<unknown[]> {
  const answer = await check(question, { client });
  return [answer.verdict, answer.unenforced, answer.reasons[0]?.code];
}

describe('mode label', () => {
  it('turns block into label, and says what was not enforced', async () => {
    expect(await softened('label', { to: NUMBERS.suspended })).toEqual([
      'label',
      'block',
      'NUMBER_SUSPENDED',
    ]);
  });

  it('leaves label and allow as they are', async () => {
    expect(await softened('label', { from: NUMBERS.reported })).toEqual([
      'label',
      undefined,
      'SENDER_REPORTED',
    ]);
    expect(await softened('label', { to: NUMBERS.free })).toEqual(['allow', undefined, undefined]);
  });
});

describe('mode shadow', () => {
  it('turns block and label into allow, and says what was not enforced', async () => {
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

  it('leaves allow as it is', async () => {
    expect(await softened('shadow', { to: NUMBERS.free })).toEqual(['allow', undefined, undefined]);
  });

  it('never turns indeterminate into allow', async () => {
    for (const client of ['label', 'shadow'] as const) {
      expect(await softened(client, { to: '010-0000-0023' })).toEqual([
        'indeterminate',
        undefined,
        'LIST_UNAVAILABLE',
      ]);
    }
  });

  it('holds in batches and streams too', async () => {
    const request = { client: 'shadow' } as const;
    const batch = await ask('/v1/check/batch', { ...request, body: { items: [{ to: NUMBERS.suspended }] } });
    expect(batch.json.results[0]).toMatchObject({ verdict: 'allow', unenforced: 'block' });
    const [line] = await streamJson(`${JSON.stringify({ to: NUMBERS.suspended })}\n`, request);
    expect(line).toMatchObject({ verdict: 'allow', unenforced: 'block' });
    expect(await stream(NUMBERS.suspended, request)).toEqual([`${NUMBERS.suspended},allow,NUMBER_SUSPENDED`]);
    const text = await ask('/v1/check', {
      ...request,
      body: { to: NUMBERS.suspended },
      headers: { accept: 'text/plain' },
    });
    expect(text.text).toBe('allow NUMBER_SUSPENDED to\n');
  });

  it('shows in a report of hits what would have been blocked', async () => {
    const body = {
      report: 'hits',
      items: [
        { id: 'a', to: NUMBERS.suspended },
        { id: 'b', to: NUMBERS.free },
      ],
    };
    const { json } = await ask('/v1/check/batch', { client: 'shadow', body });
    expect(json.results.map(({ id, unenforced }) => [id, unenforced])).toEqual([['a', 'block']]);
  });
});

describe('fail policy', () => {
  it.each([
    ['bulk', 'open'],
    ['careful', 'closed'],
  ] as const)('gives client %s its own action on indeterminate: %s', async (client, action) => {
    for (const to of ['010-0000-0022', '010-0000-0023']) {
      expect(await check({ to }, { client })).toMatchObject({ verdict: 'indeterminate', action });
    }
  });
});
