/**
 * Limits on the cost of message tokens: reads of credential shards, memory, and the progress of a stream. Tokens that are made
 * to be expensive do not affect other clients.
 */
import { beforeEach, expect, test, vi } from 'vitest';
import { toBase64Url } from '../../../shared/bytes.ts';
import { PublishedCredentials } from '../../../shared/credentials/published.ts';
import {
  REFUSED_TOKENS_BYTES_MAX,
  SHARD_READS_PER_SECOND_MAX,
  TOKEN_CHARS_MAX,
  TOKENS_PER_SECOND_MAX,
} from '../../../shared/limits/credentials.ts';
import { messageToken, NUMBER, rowOf } from '../../shared/support/credential-world.ts';
import { CLIENTS, client, publishClients } from '../support/clients.ts';
import {
  CERTIFICATE,
  CHAIN,
  holder,
  publishCredentials,
  publishIndex,
  ROWS,
  relay,
} from '../support/credentials.ts';
import { coldIsolate } from '../support/isolate.ts';
import { KvWatch } from '../support/kv.ts';
import { OpenStream } from '../support/open-stream.ts';
import { sendAndSettle } from '../support/send.ts';
import { untilTimer } from '../support/timer.ts';
import { build, NEXT_POLL_MS, NOW, publish, putHead, smallLists } from '../support/world.ts';

coldIsolate();

const SHARDS = 128;
/** Concurrent tokens. Two floods are fewer than the new tokens of a second. */
const FLOOD = 40;
const from = `+${NUMBER}`;
const built = await build(smallLists());
const good = await messageToken(relay, CHAIN);

const anyDigest = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
/** A valid-looking token with digests that do not exist, which could be in any shard. */
const madeUp = (): Promise<string> => messageToken(relay, Array.from({ length: 5 }, anyDigest));

const check = (senderToken: string, name: string) =>
  sendAndSettle({ body: { from, senderToken }, client: name });
const batch = (tokens: readonly string[], name: string) =>
  sendAndSettle({
    path: '/v1/check/batch',
    body: { items: tokens.map((senderToken) => ({ from, senderToken })) },
    client: name,
  });

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
  await publishClients([
    ...CLIENTS,
    await client('tokens', { quotaNumbers: 1_000_000 }),
    await client('flooder', { quotaNumbers: 1_000_000 }),
  ]);
});

test('made-up digests make an isolate read a bounded count of shards in a second, and other clients have their own', async () => {
  // Put some rows in each shard, because values with the same content share one key.
  const others = await Promise.all(
    Array.from({ length: SHARDS * 8 }, () => rowOf(relay, { digest: anyDigest() })),
  );
  const rows = [...ROWS, ...others];
  const { head, index } = await publishCredentials({ rows, shards: SHARDS });
  await putHead({ seq: 1, ...head });
  const shards = new Set(index.shards.map(({ key }) => key));
  const kv = new KvWatch();
  const reads = (): number => kv.gets.filter((key) => shards.has(key)).length;
  const flood = async () =>
    (await batch(await Promise.all(Array.from({ length: FLOOD }, madeUp)), 'flooder')).body.summary!;
  expect((await flood()).error).toBeGreaterThan(0);
  expect(reads()).toBe(SHARD_READS_PER_SECOND_MAX);
  expect((await check(good, 'tokens')).body.verdict).toBe('allow');
  expect((await check(good, 'flooder')).body.verdict).toBe('allow');
  // With another number of shards, all values are new. A token that was good needs no read from the limit.
  await putHead({ seq: 2, ...(await publishCredentials({ rows, shards: SHARDS * 2, version: 2 })).head });
  vi.setSystemTime(NOW + NEXT_POLL_MS);
  await check('test:TOKEN_INVALID', 'tokens');
  expect((await flood()).error).toBeGreaterThan(0);
  expect((await flood()).error).toBeGreaterThan(FLOOD / 2);
  expect((await check(good, 'flooder')).body.verdict).toBe('allow');
});

test('lists with the same bytes and different bits are read each with its own', async () => {
  const uri = 'https://status.other.example/lists/1';
  const rows = [{ ...CERTIFICATE, statusUri: uri, statusIndex: 3 }, ...ROWS.slice(1)];
  const senderToken = await messageToken(holder, CHAIN.slice(0, 1));
  for (const seq of [1, 2, 3]) {
    // With two bits per entry, entry 1 is suspended; with one bit, entry 3 is revoked.
    const { index } = await publishCredentials({ rows, statuses: new Map([[1, 'suspended']]), version: seq });
    const [list] = index.statusLists;
    const statusLists = [{ ...list!, uri, bits: 1 as const, size: 32 }, list!];
    await putHead({ seq, ...(await publishIndex({ ...index, statusLists })) });
    vi.setSystemTime(NOW + seq * NEXT_POLL_MS);
    await check('test:TOKEN_INVALID', 'tokens');
    const { body } = await check(senderToken, 'tokens');
    expect(body.reasons, `head ${seq}`).toMatchObject([{ code: 'CERTIFICATE_REVOKED' }]);
  }
});

test('a token in memory needs no credentials of an earlier head', async () => {
  await putHead({ seq: 1, ...(await publishCredentials({ rows: ROWS })).head });
  expect((await check(good, 'tokens')).body.verdict).toBe('allow');
  await putHead({ seq: 2, ...(await publishCredentials({ rows: ROWS, version: 2 })).head });
  vi.setSystemTime(NOW + NEXT_POLL_MS);
  await check('test:TOKEN_INVALID', 'tokens');
  const shardOf = vi.spyOn(PublishedCredentials.prototype, 'shardOf');
  expect((await check(good, 'tokens')).body.verdict).toBe('allow');
  const seen = shardOf.mock.contexts as PublishedCredentials[];
  expect(new Set(seen.map(({ index }) => index?.version))).toEqual(new Set([2]));
});

test('a stream goes on, although another client has evicted what it waited for', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
  await putHead((await publishCredentials({ rows: ROWS })).head);
  const stream = await OpenStream.start('tokens', {}, 'application/x-ndjson');
  const count = TOKENS_PER_SECOND_MAX + 1;
  stream.send(
    ...Array.from({ length: count }, (_, index) => JSON.stringify({ from, senderToken: `g${index}` })),
  );
  const answered = stream.read();
  await untilTimer();
  const flood = Array.from({ length: Math.ceil(REFUSED_TOKENS_BYTES_MAX / TOKEN_CHARS_MAX) }, (_, index) =>
    String(index).padEnd(TOKEN_CHARS_MAX, 'x'),
  );
  await batch(flood, 'flooder');
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answered).split('\n')).toHaveLength(count);
  await stream.close();
});
