/**
 * `seq` never goes back in an isolate, for any heads in its three sources in any order, and every response
 * matches the head that it names. In this test, a head blocks NOWHERE if its `seq` is odd.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { toBase64 } from '../../../../shared/bytes.ts';
import { numberKey } from '../../../../shared/live/entry.ts';
import { encodeSegment } from '../../../../shared/live/segment.ts';
import type { Head } from '../../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../../shared/release/kv-keys.ts';
import { writeCopy } from '../../../../workers/edge/head/head-cache.ts';
import { resetIsolate } from '../../../../workers/edge/isolate.ts';
import { liveEntry } from '../../../shared/support/live.ts';
import { holdsAsync } from '../../../shared/support/properties.ts';
import { testKeys } from '../../../shared/support/test-keys.ts';
import { publishClients } from '../../support/clients.ts';
import type { FakeCoordinator } from '../../support/fake-coordinator.ts';
import { coldIsolate, fakeCoordinator } from '../../support/isolate.ts';
import { failing, Gate, KvWatch } from '../../support/kv.ts';
import { sendAndSettle } from '../../support/send.ts';
import {
  build,
  coordinatorHead,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishManifest,
  publishSegment,
  putHead,
  smallLists,
} from '../../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const HELD = 5;
/** A release that no source has. */
const NOT_THERE = { release: 'nowhere', signature: 'none' };

let coordinator: FakeCoordinator;
let kv: KvWatch;
let warned: MockInstance<typeof console.warn>;
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(built, HELD);
  await publishManifest(built.manifest);
  await publishClients();
  coordinator = fakeCoordinator();
  kv = new KvWatch();
});

/** The head after a change. */
function change(seq: number): Partial<Head> {
  const blocked = liveEntry(numberKey(Number(NOWHERE)), { seq });
  return { seq, tail: toBase64(encodeSegment(seq % 2 === 1 ? [blocked] : [])) };
}

/** The `seq` that each source shows. For null, the coordinator or KV fails. */
interface Shown {
  readonly coordinator: number | null;
  readonly kv: number | null;
  /** Null keeps the copy that the isolates have stored. */
  readonly copy: number | null;
}

async function show({ coordinator: decided, kv: stored, copy }: Shown): Promise<void> {
  coordinator.behaviour = decided === null ? 'fail' : 'answer';
  if (decided !== null) coordinator.setHead(await coordinatorHead(change(decided)));
  if (stored === null) kv.override(HEAD_KEY, failing);
  else {
    kv.restore();
    await putHead(change(stored));
  }
  if (copy !== null) {
    const { seq, sealed } = await coordinatorHead(change(copy));
    await writeCopy({ seq, fetchedAt: Date.now(), asOf: Date.now(), sealed }, testKeys);
  }
}

/** Returns the `seq` of a response, whose verdict must match that head. */
async function seqNow(): Promise<number> {
  const { status, body } = await sendAndSettle({ body: { to: NOWHERE } });
  expect([status, body.verdict]).toEqual([200, body.seq! % 2 === 1 ? 'block' : 'allow']);
  return body.seq!;
}

describe('an older head', () => {
  const all = { coordinator: HELD, kv: HELD, copy: null };

  test.each<[string, Shown]>([
    ['the coordinator', { ...all, coordinator: HELD - 1 }],
    ['the data centre', { ...all, copy: HELD - 1 }],
    ['KV, while the coordinator fails,', { ...all, coordinator: null, kv: HELD - 1 }],
    ['everything', { coordinator: HELD - 1, kv: HELD - 1, copy: HELD - 1 }],
  ])('is not accepted from %s', async (_, shown) => {
    await show(all);
    expect(await seqNow()).toBe(HELD);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await show(shown);
    await seqNow();
    expect(await seqNow()).toBe(HELD);
  });

  test('in the data centre does not hide a newer one', async () => {
    await show(all);
    await seqNow();
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await show({ ...all, coordinator: HELD + 1, copy: HELD - 1 });
    await seqNow();
    expect(await seqNow()).toBe(HELD + 1);
  });

  test('whose values arrive late does not replace a newer one that waits for its release', async () => {
    await show(all);
    await seqNow();
    const { key, sha256 } = await publishSegment([]);
    const slow = new Gate();
    kv.override(key, slow.hold);
    coordinator.setHead(await coordinatorHead({ ...change(HELD + 1), segments: [{ key, sha256 }] }));
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    const late = sendAndSettle({ body: { to: NOWHERE } });
    await kv.waitForGet(key);
    coordinator.setHead(await coordinatorHead({ ...change(HELD + 2), current: NOT_THERE }));
    vi.setSystemTime(NOW + 2 * NEXT_POLL_MS);
    await seqNow();
    expect(await seqNow()).toBe(HELD + 2);
    slow.open();
    await late;
    expect(await seqNow()).toBe(HELD + 2);
  });

  test('from the coordinator does not confirm that data is current, and is logged', async () => {
    await show(all);
    const { body } = await sendAndSettle({ body: { to: NOWHERE } });
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await show({ ...all, coordinator: HELD - 1 });
    await seqNow();
    expect((await sendAndSettle({ body: { to: NOWHERE } })).body.asOf).toBe(body.asOf);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('HEAD_OLDER'));
  });
});

test('seq never goes back in any history of the sources', async () => {
  const seq = fc.option(fc.integer({ min: 1, max: 9 }), { freq: 3 });
  const step = fc.record({ coordinator: seq, kv: seq, copy: fc.option(fc.integer({ min: 1, max: 9 })) });
  const history = fc.array(fc.tuple(step, fc.integer({ min: 0, max: 40_000 })), {
    minLength: 1,
    maxLength: 8,
  });
  await holdsAsync(
    fc.asyncProperty(history, async (steps) => {
      resetIsolate();
      await show({ coordinator: HELD, kv: HELD, copy: HELD });
      let held = await seqNow();
      for (const [shown, ms] of steps) {
        vi.setSystemTime(Date.now() + ms);
        await show(shown);
        for (let times = 0; times < 2; times++) {
          const seen = await seqNow();
          expect(seen).toBeGreaterThanOrEqual(held);
          held = seen;
        }
      }
    }),
    { numRuns: 40 },
  );
});
