/** Batches of the Node client: split at the limits of the service, and joined in order. */
import { describe, expect, it } from 'vitest';
import type { CheckItem } from '../../examples/node/client.ts';
import { answer, clientOf, HEAD, items, problem, type SentRequest } from './support/fake-fetch.ts';

const sizesOf = (sent: readonly SentRequest[]): number[] =>
  sent.map(({ body }) => (JSON.parse(body) as { items: CheckItem[] }).items.length);

describe('a batch of the Node client', () => {
  it('of more than 10,000 items is split, and each result has its own head', async () => {
    const { client, sent } = clientOf(answer);
    const results = await client.checkBatch(items(20_001), { defaults: { from: '1588-1234' } });
    expect(results).toEqual(items(20_001).map((item) => expect.objectContaining({ ...item, ...HEAD })));
    expect(sizesOf(sent)).toEqual([10_000, 10_000, 1]);
    expect(sent.every(({ body }) => body.startsWith('{"defaults":{"from":"1588-1234"},'))).toBe(true);
  });

  it('of more than 8 MiB is split before it is sent', async () => {
    const { client, sent } = clientOf(answer);
    const large = items(10_000).map((item) => ({
      ...item,
      from: '가'.repeat(64),
      id: item.id.padEnd(128, '나'),
      senderToken: 'e'.repeat(900),
    }));
    expect(await client.checkBatch(large)).toEqual(large.map(({ id }) => expect.objectContaining({ id })));
    expect(sent.length).toBeGreaterThan(1);
    for (const { body } of sent) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(8_388_608);
  });

  it.each([
    ['413', () => problem(413, 'BODY_TOO_LARGE')],
    ['413 of something in front of numgate', () => new Response('<html>', { status: 413 })],
    ['ITEMS_TOO_MANY', () => problem(400, 'ITEMS_TOO_MANY')],
  ])('is split after %s, down to one item', async (_what, refuse) => {
    const { client } = clientOf((request) => (sizesOf([request])[0]! > 1 ? refuse() : answer(request)));
    expect(await client.checkGatewayBatch(items(7))).toEqual(
      items(7).map((item) => expect.objectContaining(item)),
    );
  });

  it('holds back only the item that is too large alone', async () => {
    const { client } = clientOf((request) =>
      request.body.includes('"3"') ? problem(413, 'BODY_TOO_LARGE') : answer(request),
    );
    const results = await client.checkBatch(items(5));
    const held = { verdict: 'indeterminate', action: 'closed', why: 'refused' };
    const allow = { verdict: 'allow' };
    expect(results).toMatchObject([allow, allow, allow, held, allow]);
  });

  it('keeps the order around items that are not sent', async () => {
    const { client, sent } = clientOf(answer);
    const some = items(4).map((item, index) => (index % 2 === 0 ? { ...item, to: '0'.repeat(65) } : item));
    const results = await client.checkBatch(some);
    expect(results.map((result) => ('why' in result ? result.why : 'id' in result && result.id))).toEqual([
      'tooLong',
      '1',
      'tooLong',
      '3',
    ]);
    expect(sizesOf(sent)).toEqual([2]);
    expect(await client.checkBatch([])).toEqual([]);
  });

  it('fails only in the part that fails, and shares one deadline among all parts', async () => {
    const part = clientOf((request, index) => (index === 1 ? problem(500, 'INTERNAL') : answer(request)));
    const results = await part.client.checkBatch(items(30_000));
    const failed = results.flatMap((result, index) => ('source' in result ? [index] : []));
    expect([failed.length, failed[0], failed.at(-1)]).toEqual([10_000, 10_000, 19_999]);

    // The first part uses up the deadline of all parts.
    const hang = (request: SentRequest) =>
      new Promise<Response>((_, reject) => {
        request.init.signal!.addEventListener('abort', () => reject(request.init.signal!.reason));
      });
    const slow = clientOf(hang, { retries: 0 });
    const late = await slow.client.checkBatch(items(20_000), { deadlineMs: 100 });
    expect(late.every((result) => 'why' in result && result.why === 'timeout')).toBe(true);
    expect(slow.sent.length).toBeLessThanOrEqual(1);
  });
});
