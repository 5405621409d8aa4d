/** Streams of the Node client: in order, in constant memory, with nothing lost or doubled. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckItem, linesOf, NumgateError } from '../../examples/node/client.ts';
import { answer, clientOf, HEAD, items, problem, streamed } from './support/fake-fetch.ts';

async function all<Value>(source: AsyncIterable<Value>): Promise<Value[]> {
  const values: Value[] = [];
  for await (const value of source) values.push(value);
  return values;
}

async function* later<Value>(values: Iterable<Value>): AsyncGenerator<Value> {
  for (const value of values) yield value;
}

const idsOf = (results: readonly { readonly id: string | null }[]) => results.map(({ id }) => id);
const bytesOf = (text: string): AsyncIterable<Uint8Array> => later([new TextEncoder().encode(text)]);

describe('a stream of the Node client', () => {
  it.each([
    ['an array', (source: CheckItem[]) => source],
    ['an async iterable', (source: CheckItem[]) => later(source)],
    ['lines of NDJSON', (source: CheckItem[]) => source.map((item) => JSON.stringify(item))],
    [
      'a file',
      (source: CheckItem[]) => linesOf(bytesOf(source.map((item) => JSON.stringify(item)).join('\r\n'))),
    ],
  ])('yields one result for each item of %s, in order', async (_what, sourceOf) => {
    const { client, sent } = clientOf(answer);
    const results = await all(client.checkStream(sourceOf(items(6_000))));
    expect(results).toEqual(items(6_000).map((item) => expect.objectContaining({ ...item, ...HEAD })));
    for (const { body } of sent) expect(body.split('\n').length - 1).toBeLessThanOrEqual(5_000);
  });

  it('sends nothing for an empty source', async () => {
    const { client, sent } = clientOf(answer);
    expect(await all(client.checkStream([]))).toEqual([]);
    expect(sent).toEqual([]);
  });

  it('reads the source no faster than its results are taken', async () => {
    let read = 0;
    function* endless(): Generator<CheckItem> {
      for (;;) yield { id: String(read++), to: '010-5555-0000' };
    }
    const { client } = clientOf(answer);
    let taken = 0;
    for await (const { id } of client.checkStream(endless())) {
      expect(id).toBe(String(taken++));
      expect(read).toBeLessThanOrEqual(taken + 5_000);
      if (taken === 12_000) break;
    }
  });

  it('yields results while a slow source still waits, and ends with it', async () => {
    const { client } = clientOf(answer);
    const given = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<CheckItem> {
      yield { id: 'first', to: '010-5555-0000' };
      await given.promise;
      yield { id: 'second', to: '010-5555-0000' };
    }
    const results = client.checkStream(slow());
    expect(await results.next()).toMatchObject({ value: { id: 'first' } });
    given.resolve();
    expect(idsOf(await all(results))).toEqual(['second']);
  });

  it('sends again only what has no result after a broken response', async () => {
    const cuts = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.nat({ max: 60 }), async (lines, count) => {
        const { client } = clientOf((request, index) => answer(request, lines[index]));
        expect(idsOf(await all(client.checkStream(items(count))))).toEqual(idsOf(items(count)));
      }),
    );
  });

  it.each([
    ['429', { 'retry-after': '60' }, 60_000],
    ['503', { 'retry-after': '1' }, 1_000],
  ])('waits as long as %s requires, and goes on', async (status, headers, ms) => {
    const { client, pauses } = clientOf((request, index) =>
      index === 0 ? problem(Number(status), 'LATER', headers) : answer(request),
    );
    expect(await all(client.checkStream(items(3)))).toHaveLength(3);
    expect(pauses).toEqual([ms]);
  });

  it('throws after its results if the service rejects it in the middle', async () => {
    const { client, sent } = clientOf((request, index) =>
      index === 0 ? answer(request, 2) : problem(401, 'UNAUTHENTICATED', { 'x-correlator': 'c-1' }),
    );
    const results = client.checkStream(items(5));
    expect([(await results.next()).value, (await results.next()).value]).toMatchObject([
      { id: '0' },
      { id: '1' },
    ]);
    const error = await results.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NumgateError);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', status: 401, correlator: 'c-1' });
    expect(sent).toHaveLength(2);
  });

  it('has the default deadline if that of the call is undefined', async () => {
    const { client, sent } = clientOf((request, index) =>
      index < 3 ? problem(503, 'LATER', { 'retry-after': '600' }) : answer(request),
    );
    const results = all(client.checkStream(items(3), { deadlineMs: undefined! }));
    await expect(results).rejects.toMatchObject({ code: 'LATER' });
    expect(sent).toHaveLength(1);
  });

  it('goes on if a response does not end after its last result', async () => {
    const { client, sent } = clientOf(({ body, init }) => {
      const start = (controller: ReadableStreamDefaultController): void => {
        controller.enqueue(new TextEncoder().encode(body.replaceAll('}', ',"verdict":"allow"}')));
        init.signal!.addEventListener('abort', () => controller.error(init.signal!.reason));
      };
      return new Response(new ReadableStream({ start }));
    });
    expect(idsOf(await all(client.checkStream(items(5_001))))).toEqual(idsOf(items(5_001)));
    expect(sent).toHaveLength(2);
  });

  it('throws once no result has arrived within its deadline', async () => {
    const { client } = clientOf(() => streamed([]), { pause: undefined! });
    await expect(all(client.checkStream(items(2), { deadlineMs: 100 }))).rejects.toMatchObject({
      code: 'RESPONSE_INVALID',
    });
    const silent = clientOf(
      ({ init }) =>
        new Promise((_, reject) => {
          init.signal!.addEventListener('abort', () => reject(init.signal!.reason));
        }),
    );
    await expect(all(silent.client.checkStream(items(2), { deadlineMs: 10 }))).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
  });

  it('ends source and request if the caller stops', async () => {
    let isEnded = false;
    async function* source(): AsyncGenerator<CheckItem> {
      try {
        for (;;) yield { to: '010-5555-0000' };
      } finally {
        isEnded = true;
      }
    }
    const { client, sent } = clientOf(answer);
    for await (const _ of client.checkStream(source())) break;
    expect([isEnded, sent[0]!.init.signal!.aborted]).toEqual([true, true]);
  });

  it('throws what its source throws, after the results before that', async () => {
    async function* broken(): AsyncGenerator<CheckItem> {
      yield* items(2);
      throw new RangeError('the file ends here');
    }
    const results: unknown[] = [];
    const { client } = clientOf(answer);
    const read = async () => {
      for await (const { id } of client.checkStream(broken())) results.push(id);
    };
    await expect(read()).rejects.toThrow(RangeError);
    expect(results).toEqual(['0', '1']);
    await expect(all(client.checkStream(['{}\n{}']))).rejects.toThrow(TypeError);
  });
});

describe('lines', () => {
  it('are the same however the bytes are cut', async () => {
    const text = '한국\r\na\n\n🙂\n\rb';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.slice(index * size, (index + 1) * size),
      );
      expect(await all(linesOf(later(chunks)))).toEqual(['한국', 'a', '', '🙂', '\rb']);
    }
    expect(await all(linesOf(new Response(text).body!))).toHaveLength(5);
    expect(await all(linesOf(bytesOf('')))).toEqual([]);
  });

  it('are cut if they never end', async () => {
    const [line] = await all(
      linesOf(later(Array.from({ length: 100 }, () => new Uint8Array(10_000).fill(97)))),
    );
    expect(line).toHaveLength(65_536);
  });
});
