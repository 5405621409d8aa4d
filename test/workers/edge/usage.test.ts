/**
 * How an isolate sends its counts: after the answers, one flush at a time, repeating a flush until it is answered. No failure
 * reaches a request.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  JITTER_SHARE,
  USAGE_BACKOFF_MAX_MS,
  USAGE_CLIENTS_MAX,
  USAGE_FLUSH_MS,
  USAGE_WAIT_MS,
} from '../../../shared/limits/edge.ts';
import { sumCounts } from '../../../shared/usage/counts.ts';
import type { FlushAnswer, UsageFlush } from '../../../shared/usage/flush.ts';
import { UsageMeters } from '../../../workers/edge/usage.ts';
import type { UsageObject, UsageObjects } from '../../../workers/storage/usage-port.ts';
import { publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { OpenStream } from '../support/open-stream.ts';
import { sendHere, summarize } from '../support/send.ts';
import { build, LISTED, NOW, NOWHERE, publish, SOURCE, smallLists } from '../support/world.ts';

coldIsolate();

const INTERVAL_MS = USAGE_FLUSH_MS * (1 + JITTER_SHARE);

/** The objects of all clients in one. They can fail. */
class FakeObjects implements UsageObjects {
  readonly names: string[] = [];
  readonly sent: UsageFlush[] = [];
  readonly counted = new Map<string, UsageFlush>();
  /** 'lost': the flush is counted, but its answer does not arrive. */
  state: 'ok' | 'down' | 'lost' | 'hangs' = 'ok';

  getByName(name: string): UsageObject {
    this.names.push(name);
    const never = { history: null as never, divide: null as never, addTexts: null as never };
    return { apply: (flush) => this.#apply(flush), ...never };
  }

  async #apply(flush: UsageFlush): Promise<FlushAnswer> {
    this.sent.push(flush);
    if (this.state === 'hangs') return new Promise(() => undefined);
    if (this.state !== 'down') this.counted.set(`${flush.isolate} ${flush.flush}`, flush);
    if (this.state !== 'ok') throw new Error('no answer');
    return { shards: 1, recordsFull: false };
  }

  numbers(): number {
    return (
      sumCounts(
        [...this.counted.values()].map(({ counts }) => counts),
        10,
      ).totals.numbers ?? 0
    );
  }
}

const built = await build(smallLists());
let objects: FakeObjects;

/** A check of one number. */
async function check(to = NOWHERE): Promise<string> {
  const { body } = await sendHere({ body: { to } }, { USAGE: objects });
  return summarize(body);
}

beforeEach(async () => {
  await publish(built);
  await publishClients();
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
  objects = new FakeObjects();
});

describe('the counts of an isolate', () => {
  test('are one flush for many requests, after the interval, to the object of the client', async () => {
    for (let each = 0; each < 5; each++) await check();
    await check(LISTED);
    expect(objects.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(objects.names).toEqual(['open']);
    expect(objects.sent).toHaveLength(1);
    expect(objects.sent[0]).toMatchObject({
      ...{ client: 'open', flush: 1, hour: Math.floor(NOW / 3_600_000), shard: 0 },
      counts: {
        totals: { requests: 6, numbers: 6 },
        by: { channel: [['sms', 5, 0, 0, 1]], code: [['NUMBER_SUSPENDED', 0, 0, 0, 1]] },
      },
    });
    await vi.advanceTimersByTimeAsync(10 * INTERVAL_MS);
    expect(objects.sent).toHaveLength(1);
  });

  test('include errors and items that fail alone, and nothing of a request without a valid key', async () => {
    const USAGE = objects;
    await sendHere({ body: { to: LISTED, from: SOURCE } }, { USAGE });
    await sendHere({ body: { too: LISTED } }, { USAGE });
    await sendHere({ body: 'no JSON' }, { USAGE });
    await sendHere(
      { path: '/v1/check/batch', body: { items: [{ to: LISTED }, { to: 'x' }, {}] } },
      { USAGE },
    );
    const text = { 'content-type': 'text/plain' };
    await sendHere({ path: '/v1/check/stream', body: `${NOWHERE}\nx\n`, headers: text }, { USAGE });
    await sendHere({ body: { to: LISTED }, headers: { authorization: 'Bearer open.wrong' } }, { USAGE });
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(objects.sent.map(({ counts }) => counts.totals)).toEqual([
      { requests: 5, errors: 2, numbers: 4, invalidItems: 3 },
    ]);
  });

  test('are sent again unchanged until an answer arrives, and counted once', async () => {
    objects.state = 'lost';
    await check();
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(objects.sent).toHaveLength(2);
    await check();
    objects.state = 'ok';
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    await check();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(
      new Set(objects.sent.filter(({ flush }) => flush === 1).map((flush) => JSON.stringify(flush))).size,
    ).toBe(1);
    expect(objects.numbers()).toBe(3);
  });

  test('wait longer with each failure, and never for a request', async () => {
    objects.state = 'down';
    for (let minute = 0; minute < 60; minute++) {
      expect(await check(LISTED)).toBe('block NUMBER_SUSPENDED');
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(objects.sent.length).toBeLessThan(2 * 10 + (2 * 3_600_000) / USAGE_BACKOFF_MAX_MS);
    objects.state = 'ok';
    for (let minute = 0; minute < 10; minute++) {
      await check();
      await vi.advanceTimersByTimeAsync(60_000);
    }
    const totals = sumCounts(
      [...objects.counted.values()].map(({ counts }) => counts),
      10,
    ).totals;
    expect((totals.numbers ?? 0) + (totals.lostNumbers ?? 0)).toBe(70);
  });

  test('of a flush that hangs are sent again, one at a time', async () => {
    // Use the longest wait, because otherwise an earlier flush would be sent again within the interval.
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    onTestFinished(() => random.mockRestore());
    objects.state = 'hangs';
    await check();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(objects.sent).toHaveLength(1);
    await check();
    expect(objects.sent).toHaveLength(1);
    objects.state = 'ok';
    await vi.advanceTimersByTimeAsync(2 * USAGE_WAIT_MS);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(objects.numbers()).toBe(2);
  });

  test('of a long stream are sent again while it goes on, without another request', async () => {
    objects.state = 'down';
    const stream = await OpenStream.start('open', { USAGE: objects });
    await stream.check(NOWHERE);
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(objects.sent).toHaveLength(2);
    objects.state = 'ok';
    await stream.check(NOWHERE);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(objects.numbers()).toBe(2);
    await stream.close();
  });

  test('stay in the isolate without the binding, and checks are answered', async () => {
    expect(summarize((await sendHere({ body: { to: LISTED } })).body)).toBe('block NUMBER_SUSPENDED');
    await check();
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    await check();
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(objects.numbers()).toBe(3);
  });
});

describe('many clients', () => {
  test('are counted up to the bound; those whose counts were delivered make room', async () => {
    const meters = new UsageMeters();
    const all = Array.from({ length: USAGE_CLIENTS_MAX }, (_, index) => meters.of(`client-${index}`, NOW));
    for (const { usage } of all) usage.add('requests', 1, NOW);
    const [over, also] = [meters.of('over', NOW), meters.of('also', NOW)];
    expect(also).toBe(over);
    const { usage } = all[7]!;
    usage.delivered(usage.nextFlush(NOW)!, { shards: 1, recordsFull: false }, NOW);
    expect(meters.of('room', NOW)).not.toBe(over);
    expect(meters.of('client-0', NOW)).toBe(all[0]);
  });

  test('beyond the bound are never sent, so that no client gets the counts of another', async () => {
    const meters = new UsageMeters();
    for (let index = 0; index < USAGE_CLIENTS_MAX; index++)
      meters.of(`client-${index}`, NOW).usage.add('requests', 1, NOW);
    const context = { env: { USAGE: objects }, ctx: { waitUntil: () => undefined } };
    for (const client of ['over', 'also', 'over']) {
      meters.of(client, Date.now()).usage.add('requests', 1, Date.now());
      meters.of(client, Date.now()).begin(Date.now(), context);
      await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    }
    expect(objects.sent).toEqual([]);
  });
});

test('the binding of the tests is an object of the class', () => {
  expect(env.USAGE).toBeDefined();
});
