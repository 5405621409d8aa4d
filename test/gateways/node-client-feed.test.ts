/** The Node client follows the feed: the changes that it yields, where it continues, and what it refuses. */
import { describe, expect, it } from 'vitest';
import { type FeedChange, type FeedPlace, makeFeed } from '../../examples/node/client.ts';
import type { FeedCloudEvent, FeedData } from '../../shared/feed/cloud-event.ts';
import { digestOfStatement } from '../../shared/feed/digest.ts';
import { encryptorOf } from '../../shared/feed/jwe.ts';
import { formatEpoch } from '../../shared/feed/statement.ts';
import { chainOf, FEED, FIRST_STATEMENT, pageOf, START, textAt } from '../shared/support/feed-page.ts';
import { json, problem } from './support/fake-fetch.ts';

const SECRET = new Uint8Array(32).fill(7);
const jwk = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') };
const events = chainOf(12);
const SIGNATURE = '\n— numgate.example/log AAAA\n';
const secondStatement = formatEpoch({
  ...{ feed: FEED, epoch: 2, first: 13, previous: events.at(-1)!.digest, at: '2027-02-25T00:00:00.000Z' },
});
const SECOND = { feed: FEED, epoch: 2, position: 12, digest: digestOfStatement(secondStatement) };

/** Answers requests for pages by cursor, and for statements. @param change alters a page before it is sent */
function fakeFetch(
  change: (page: FeedCloudEvent[]) => FeedCloudEvent[] = (page) => page,
  statement = secondStatement,
): typeof fetch {
  return (async (input: string) => {
    const { pathname, searchParams } = new URL(input);
    if (pathname === '/v1/feed/epochs/1') return new Response(FIRST_STATEMENT + SIGNATURE);
    if (pathname === '/v1/feed/epochs/2') return new Response(statement + SIGNATURE);
    const position = Number(searchParams.get('lastEventId')!.split('.')[2]);
    const encrypt = await encryptorOf(SECRET, 'reader#1');
    if (position < 12) {
      const after = position === 0 ? START : { ...START, position, digest: events[position - 1]!.digest };
      return json(change(await pageOf(events.slice(position), encrypt, after)));
    }
    if (position > 12) return json([]);
    return json(await pageOf(chainOf(3, SECOND), encrypt, SECOND));
  }) as unknown as typeof fetch;
}

async function read(fetched: typeof fetch, after: FeedPlace | null = null): Promise<FeedChange[]> {
  const feed = makeFeed({ url: 'https://control.example', key: 'reader.secret', jwk, fetch: fetched });
  const all: FeedChange[] = [];
  for await (const one of feed.changes(after, { follow: false })) all.push(one);
  return all;
}

describe('the typed client of the feed', () => {
  it('yields every change with the place to go on from, over the end of an epoch', async () => {
    const all = await read(fakeFetch());
    const expected = [...events, ...chainOf(3, SECOND)];
    expect(all.map(({ reference, entry, at }) => [reference, entry, at])).toEqual(
      expected.map(({ reference, entry, at }) => [reference, entry, at]),
    );
    expect(all.map(({ place }) => place.digest)).toEqual(expected.map(({ digest }) => digest));
    expect(await read(fakeFetch(), all[4]!.place)).toEqual(all.slice(5));
  });

  it('yields campaigns and hosts, too, and refuses altered ones', async () => {
    const texts = chainOf(6, START, textAt);
    const serve = (change: (page: FeedCloudEvent[]) => FeedCloudEvent[]) =>
      (async (input: string) => {
        const { pathname, searchParams } = new URL(input);
        if (pathname === '/v1/feed/epochs/1') return new Response(FIRST_STATEMENT + SIGNATURE);
        if (Number(searchParams.get('lastEventId')!.split('.')[2]) > 0) return json([]);
        return json(change(await pageOf(texts, null)));
      }) as unknown as typeof fetch;
    const readPlain = async (fetched: typeof fetch): Promise<FeedChange[]> => {
      const feed = makeFeed({
        url: 'https://control.example',
        key: 'reader.secret',
        jwk: null,
        fetch: fetched,
      });
      const all: FeedChange[] = [];
      for await (const one of feed.changes(null, { follow: false })) all.push(one);
      return all;
    };
    const all = await readPlain(serve((page) => page));
    expect(all.map(({ entry }) => entry)).toEqual(texts.map(({ entry }) => entry));
    const altered = serve((page) =>
      page.map((event) => {
        const data = event.data as FeedData;
        return {
          ...event,
          data: { ...data, entry: { ...data.entry!, authority: 'other' } as FeedData['entry'] },
        };
      }),
    );
    await expect(readPlain(altered)).rejects.toMatchObject({ code: 'FEED_ALTERED' });
  });

  it('refuses events that are altered, missing, repeated or moved, and another epoch', async () => {
    const altered = (name: string, value: unknown) => (page: FeedCloudEvent[]) =>
      page.with(4, { ...page[4]!, [name]: value } as FeedCloudEvent);
    for (const [what, change] of [
      ['missing', (page: FeedCloudEvent[]) => page.toSpliced(4, 1)],
      ['repeated', (page: FeedCloudEvent[]) => page.toSpliced(4, 0, page[3]!)],
      ['moved', (page: FeedCloudEvent[]) => page.with(3, page[4]!).with(4, page[3]!)],
      ['id', altered('id', `${FEED}.1.6`)],
      ['subject', altered('subject', 'another-reference')],
      ['time', altered('time', '2026-11-27T00:00:09.000Z')],
      ['method', altered('method', undefined)],
      ['digest', altered('digest', events[3]!.digest)],
      ['data', (page: FeedCloudEvent[]) => page.with(4, { ...page[4]!, data: page[5]!.data })],
      ['no data', altered('data', 'a.b.c.d.e')],
    ] as const)
      await expect(read(fakeFetch(change)), what).rejects.toMatchObject({ code: 'FEED_ALTERED' });
    const other = secondStatement.replace(events.at(-1)!.digest, events[0]!.digest);
    await expect(read(fakeFetch((page) => page, other))).rejects.toMatchObject({ code: 'FEED_ALTERED' });
  });

  it('rejects with the code of the service, and throws for a key that is none', async () => {
    const gone = (async () => problem(410, 'CURSOR_GONE')) as unknown as typeof fetch;
    const place = { cursor: `${FEED}.1.3`, digest: events[2]!.digest };
    await expect(read(gone, place)).rejects.toMatchObject({ code: 'CURSOR_GONE', status: 410 });
    for (const wrong of [
      { kty: 'oct', k: 'AAAA' },
      { kty: 'EC', crv: 'P-384', d: 'A' },
    ])
      expect(() => makeFeed({ url: 'https://control.example', key: 'a.b', jwk: wrong })).toThrow(TypeError);
  });
});
