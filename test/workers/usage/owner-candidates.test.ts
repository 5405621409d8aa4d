/** When a counter looks for mobile numbers over the limit, and when it reads the limit: not with each new object. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { OWNER_USED_LIMIT_MS } from '../../../shared/limits/notice-sources.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { usageObjectName } from '../../../shared/usage/flush.ts';
import { UsageStore } from '../../../workers/usage/usage-store.ts';

const CLIENT = 'acme-main';
const NUMBER = 82_10_2000_1234;
/** 09:00 in Korea. */
const MORNING = Date.parse('2040-01-02T00:00:00Z');

test('a new object goes on with what waits, and looks at the limit again only after a while', async () => {
  const stub = env.USAGE!.getByName(usageObjectName(CLIENT, 0)) as unknown as DurableObjectStub;
  await runInDurableObject(stub, (_, { storage }) => {
    let flush = 0;
    /** Counts texts, each time in a new object. */
    const counted = (texts: number, now: number) => {
      const counts = { totals: {}, by: {} };
      const hour = Math.floor(now / HOUR_MS);
      const rest = { client: CLIENT, isolate: 'a', flush: ++flush, hour, counts, shard: 0, shards: 1 };
      new UsageStore(storage).commit([{ ...rest, mobile: [[NUMBER, texts]] }], now);
      return new UsageStore(storage);
    };
    const first = counted(30, MORNING);
    expect(first.texts.hasWork).toBe(true);
    first.makeFacts(500, MORNING);
    for (const after of [1, 20_000, OWNER_USED_LIMIT_MS - 1])
      expect(counted(1, MORNING + after).texts.hasWork).toBe(false);
    // The policy has meanwhile lowered the limit.
    const later = counted(1, MORNING + OWNER_USED_LIMIT_MS);
    expect(later.texts.hasWork).toBe(true);
    later.makeFacts(500, MORNING + OWNER_USED_LIMIT_MS);
    expect(later.texts.nextFacts()).toBeNull();
    const over = counted(500, MORNING + OWNER_USED_LIMIT_MS + 1);
    expect(over.texts.hasWork).toBe(true);
    over.makeFacts(20, MORNING + OWNER_USED_LIMIT_MS + 1);
    expect(over.texts.nextFacts()!.facts).toMatchObject([{ number: NUMBER, textsOver: 20 }]);
  });
});
