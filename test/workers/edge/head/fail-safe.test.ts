/**
 * A cold isolate with a release whose values are all gone, damaged, or longer than in its manifest. Blocks
 * that no missing value could lift still block, and `/healthz` names the missing values.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../../shared/bytes.ts';
import { HEALTH_RETRY_MS, LOAD_BACKOFF_MS, LOAD_WAIT_MS } from '../../../../shared/limits/edge.ts';
import { numberKey } from '../../../../shared/live/entry.ts';
import { blobsOf } from '../../../../shared/release/manifest.ts';
import { resetIsolate } from '../../../../workers/edge/isolate.ts';
import { readImmutable } from '../../../../workers/storage/kv-values.ts';
import { liveEntry } from '../../../shared/support/live.ts';
import { EVER, plainList } from '../../../shared/support/plain-model.ts';
import { CLIENTS, publishClients } from '../../support/clients.ts';
import { coldIsolate } from '../../support/isolate.ts';
import { changed, failing, hanging, KvWatch, missing, type ReadOverride } from '../../support/kv.ts';
import { sendAndSettle, sendHere, summarize, type WireBody, type WireResponse } from '../../support/send.ts';
import {
  build,
  filler,
  LISTED,
  largeLists,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishLive,
  shardKeyOf,
} from '../../support/world.ts';

coldIsolate();

const large = await build(largeLists());
const keys = blobsOf(large.manifest).map(({ key }) => key);
const allowing = plainList('allowed', { numbers: [{ n: 821_011_112_222, ...EVER }] });
const withAllowList = await build([
  ...largeLists(),
  { ...allowing, info: { ...allowing.info, effect: 'allow' } },
]);

const GATEWAY = {
  ...CLIENTS[0],
  id: 'gateway',
  secretSha256: [await sha256Hex('secret-of-gateway')],
  rights: ['gateway'],
};

const BLOCKED = NOWHERE;
const ABROAD = {
  path: '/v1/gateway/check',
  client: 'gateway',
  body: { channel: 'voice', from: '02-2123-4567', to: NOWHERE, ingress: { type: 'international' } },
};
const UNAVAILABLE = 'indeterminate LIST_UNAVAILABLE';

const FAULTS: readonly (readonly [string, ReadOverride])[] = [
  ['deleted', missing],
  ['damaged', changed((bytes) => bytes.with(77, bytes[77]! ^ 1))],
  ['longer than in the manifest', changed((bytes) => Uint8Array.from([...bytes, 0]))],
  ['unreadable', failing],
];

let kv: KvWatch;
let warned: string[];

beforeEach(async () => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line));
  await publish(large);
  await publishClients([...CLIENTS, GATEWAY]);
  await publishLive([liveEntry(numberKey(Number(BLOCKED)))]);
  kv = new KvWatch();
});

const events = (name: string): Record<string, unknown>[] =>
  warned.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === name);

interface Health extends WireBody {
  readonly status: unknown;
  readonly missing?: readonly string[];
}
async function health(query = ''): Promise<{ status: number; body: Health }> {
  const { status, body } = (await sendAndSettle({ path: `/healthz${query}` })) as WireResponse & {
    body: Health;
  };
  return { status, body };
}

function destroy(override: ReadOverride): void {
  for (const key of keys) kv.override(key, override);
}

test('the release of this test has several shards, and both tables', () => {
  expect(large.manifest.shards.length).toBeGreaterThanOrEqual(3);
  expect(keys).toHaveLength(large.manifest.shards.length + 2);
});

describe.each(FAULTS)('with every value %s, a cold isolate', (_, override) => {
  beforeEach(() => destroy(override));

  test('still blocks a live block', async () => {
    const { status, body } = await sendAndSettle({ body: { to: BLOCKED } });
    expect([status, summarize(body)]).toEqual([200, 'block SENDER_UNQUALIFIED LIST_UNAVAILABLE']);
  });

  test('still blocks by policy', async () => {
    const { status, body } = await sendAndSettle({ ...ABROAD, body: { ...ABROAD.body, to: LISTED } });
    expect([status, body.verdict, body.reasons![0]!.code]).toEqual([
      200,
      'block',
      'DOMESTIC_CLI_FROM_ABROAD',
    ]);
  });

  test('still blocks a rule violation', async () => {
    const { body } = await sendAndSettle({ body: { to: '+829900000000' } });
    expect(summarize(body)).toBe('block NUMBER_FORMAT_INVALID LIST_UNAVAILABLE');
  });

  test('does not guess for other numbers', async () => {
    for (const to of [LISTED, filler(3), '+821077776666']) {
      expect(summarize((await sendAndSettle({ body: { to } })).body)).toBe(UNAVAILABLE);
    }
  });

  test('is degraded, even before any check', async () => {
    const { status, body } = await health();
    expect([status, body.status, body.release]).toEqual([200, 'degraded', large.manifest.release]);
    expect(body.missing?.toSorted()).toEqual(keys.toSorted());
    expect(events('valueUnavailable').map(({ key }) => key)).toEqual(expect.arrayContaining(keys));
  });

  test('is 503 DEGRADED on ?strict', async () => {
    for (const query of ['?strict', '?strict=', '?strict=true']) {
      const { status, body } = await health(query);
      expect([query, status, body.code, body.seq]).toEqual([query, 503, 'DEGRADED', 2]);
      expect(body.missing).toHaveLength(keys.length);
    }
    expect((await health('?strict=false')).status).toBe(200);
  });

  test('is degraded, even if the platform accepts no more data points', async () => {
    vi.spyOn(env.EVENTS!, 'writeDataPoint').mockImplementation(() => {
      throw new Error('Analytics Engine write limit exceeded.');
    });
    const { status, body } = await health('?strict');
    expect([status, body.missing?.length]).toEqual([503, keys.length]);
  });

  test('logs each value once, for any number of requests', async () => {
    for (let round = 0; round < 3; round++) {
      await health();
      await sendAndSettle({ body: { to: LISTED } });
    }
    expect(
      events('valueUnavailable')
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(keys.toSorted());
  });
});

test('a release with an allow list leaves blocks undecided: an allow entry may be missing', async () => {
  await publish(withAllowList, 3);
  for (const { key } of withAllowList.manifest.shards) kv.override(key, missing);
  expect(summarize((await sendAndSettle({ body: { to: BLOCKED } })).body)).toBe(
    `${UNAVAILABLE} SENDER_UNQUALIFIED`,
  );
  expect((await sendAndSettle(ABROAD)).body.verdict).toBe('indeterminate');
});

describe('/healthz', () => {
  test('is ok when every value can be loaded, and loads them', async () => {
    expect(await health('?strict')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(kv.gets).toEqual(expect.arrayContaining(keys));
    // On a slow machine, a poll of the head may happen in between.
    const valuesRead = (): number => kv.gets.filter((key) => keys.includes(key)).length;
    const before = valuesRead();
    expect((await health()).body.status).toBe('ok');
    expect(valuesRead()).toBe(before);
    expect(warned).toEqual([]);
  });

  test('is ok when the release does not fit into memory', async () => {
    resetIsolate(Math.max(...large.manifest.shards.map(({ bytes }) => bytes)));
    for (const to of [LISTED, filler(3), filler(49)]) {
      await sendAndSettle({ body: { to } });
      expect((await health()).body.status).toBe('ok');
    }
  });

  test('finds a lost value after it was evicted from memory', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    resetIsolate(Math.max(...large.manifest.shards.map(({ bytes }) => bytes)));
    for (const to of [LISTED, filler(3), filler(49)]) await sendAndSettle({ body: { to } });
    expect((await health()).body.status).toBe('ok');
    destroy(missing);
    vi.setSystemTime(NOW + HEALTH_RETRY_MS);
    expect((await health()).body.status).toBe('degraded');
  });

  test('is ok again once the values are back', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    destroy(missing);
    expect((await health()).body.status).toBe('degraded');
    kv.restore();
    vi.setSystemTime(NOW + HEALTH_RETRY_MS);
    expect((await health()).body.status).toBe('ok');
  });

  test('is ok as soon as a check has loaded the value', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    const key = shardKeyOf(large, LISTED);
    kv.override(key, missing);
    expect((await health()).body.missing).toEqual([key]);
    kv.restore();
    vi.setSystemTime(NOW + LOAD_BACKOFF_MS);
    await sendAndSettle({ body: { to: LISTED } });
    expect((await health()).body.status).toBe('ok');
  });

  test('does not read a failed value again for a while, for any number of requests', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    destroy(missing);
    await health();
    const before = kv.gets.length;
    for (let second = 1; second < HEALTH_RETRY_MS / 1000; second++) {
      vi.setSystemTime(NOW + second * 1000);
      expect((await health()).body.status).toBe('degraded');
    }
    // The head is checked, but no value is read.
    expect(kv.gets.slice(before).filter((key) => keys.includes(key))).toEqual([]);
  });

  test('does not wait longer than LOAD_WAIT_MS for hanging values', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    destroy(hanging);
    const answer = sendHere({ path: '/healthz' });
    await kv.waitForGet(keys[0]!);
    await vi.advanceTimersByTimeAsync(LOAD_WAIT_MS);
    expect((await answer).body).toMatchObject({ status: 'degraded' });
  });

  test('reports a new release that cannot be loaded while the old one serves', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    expect((await health()).body.status).toBe('ok');
    const next = await build(largeLists([BLOCKED]), 1);
    await publish(next, 3);
    const own = next.manifest.shards.map(({ key }) => key).filter((key) => !keys.includes(key));
    for (const key of own) kv.override(key, missing);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await health();
    const { body } = await health();
    expect([body.status, body.release, body.missing]).toEqual(['degraded', large.manifest.release, own]);
    const strict = await health('?strict');
    expect(strict.body.message).toContain(`"push build/releases/${next.manifest.release} --all"`);
  });

  test('refuses a parameter "strict" that is neither true nor false', async () => {
    const { status, body } = await health('?strict=maybe');
    expect([status, body.code]).toEqual([400, 'FIELD_VALUE']);
    expect((await health('?to=112')).status).toBe(200);
  });
});

test('a read of KV stops soon after the size that the manifest states', async () => {
  const blob = large.manifest.shards[0]!;
  vi.restoreAllMocks();
  const chunk = 65_536;
  let given = 0;
  const endless = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      given += chunk;
      controller.enqueue(new Uint8Array(chunk));
    },
  });
  const get = vi.spyOn(env.LISTS, 'get').mockResolvedValue(endless as never);
  const read = await readImmutable(blob.key, blob.bytes, env.LISTS);
  expect(read).toHaveLength(blob.bytes + 1);
  expect(given).toBeLessThanOrEqual(blob.bytes + 2 * chunk);
  expect(get).toHaveBeenCalledOnce();
});

test('a read of KV returns the stored value, up to one byte more than its size', async () => {
  vi.restoreAllMocks();
  const blob = large.manifest.shards[0]!;
  const bytes = large.values.get(blob.key)!;
  expect(await readImmutable(blob.key, blob.bytes, env.LISTS)).toEqual(bytes);
  await env.LISTS.put(blob.key, Uint8Array.from([...bytes, ...bytes]));
  expect(await readImmutable(blob.key, blob.bytes, env.LISTS)).toHaveLength(blob.bytes + 1);
  await env.LISTS.put(blob.key, new Uint8Array(0));
  expect(await readImmutable(blob.key, blob.bytes, env.LISTS)).toHaveLength(0);
  await env.LISTS.delete(blob.key);
  expect(await readImmutable(blob.key, blob.bytes, env.LISTS)).toBeNull();
});
