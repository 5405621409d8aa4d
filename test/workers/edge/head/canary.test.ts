/**
 * A canary. Some data centres answer from it, all others from the current release, and an unusable candidate
 * leaves no data centre without a release.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import type { NamedRelease } from '../../../../shared/release/head.ts';
import { releaseKey } from '../../../../shared/release/kv-keys.ts';
import { resetIsolate } from '../../../../workers/edge/isolate.ts';
import { publishClients } from '../../support/clients.ts';
import { coldIsolate } from '../../support/isolate.ts';
import { FOREIGN_PRIVATE_KEY } from '../../support/secrets.ts';
import { sendAndSettle, type WireResponse } from '../../support/send.ts';
import {
  build,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishHead,
  publishManifest,
  publishValues,
  putHead,
  smallLists,
} from '../../support/world.ts';

coldIsolate();

const ours = await build(smallLists(), 1);
const canary = await build(smallLists([NOWHERE]), 2);
const newer = await build(smallLists([LISTED, NOWHERE]), 3);
const DATA_CENTRES = Array.from({ length: 40 }, (_, index) => `DC${index}`);

let candidate: NamedRelease;
let warned: MockInstance<typeof console.warn>;
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(ours, 5);
  await publishValues(canary);
  await publishClients();
  candidate = await publishManifest(canary.manifest);
});

async function answerFrom(dataCentre: string): Promise<WireResponse['body']> {
  const { status, body } = await sendAndSettle({ body: { to: NOWHERE }, dataCentre });
  expect(status).toBe(200);
  return body;
}

/**
 * The release that a new isolate of each data centre answers from. Every verdict must come from that release.
 */
async function releases(wanted: number): Promise<(string | null | undefined)[]> {
  const named: (string | null | undefined)[] = [];
  for (const dataCentre of DATA_CENTRES) {
    resetIsolate();
    const { verdict, release, seq } = await answerFrom(dataCentre);
    expect([verdict, seq]).toEqual([release === canary.manifest.release ? 'block' : 'allow', wanted]);
    named.push(release);
  }
  return named;
}

function placesOf(named: readonly unknown[]): number[] {
  return named.flatMap((release, place) => (release === canary.manifest.release ? [place] : []));
}

/** Makes a poll due, and runs the poll after a response. */
async function poll(dataCentre: string): Promise<void> {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await answerFrom(dataCentre);
}

describe('a candidate', () => {
  /** The data centres that use the candidate with this share. Each `seq` names one head, as in the coordinator. */
  const usedIn = async (share: number, seq: number): Promise<number[]> => {
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    await putHead({ seq, candidate: { ...candidate, share } });
    return placesOf(await releases(seq));
  };

  test('is used nowhere at share 0 and everywhere at share 1', async () => {
    expect(await usedIn(0, 6)).toEqual([]);
    expect(await usedIn(1, 7)).toHaveLength(DATA_CENTRES.length);
  });

  test('is used in its share of the data centres, and a larger share keeps them', async () => {
    const some = await usedIn(0.3, 6);
    expect(await usedIn(0.3, 7)).toEqual(some);
    expect(some.length).toBeGreaterThan(0);
    expect(some.length).toBeLessThan(DATA_CENTRES.length / 2);
    const more = await usedIn(0.6, 8);
    expect(more).toEqual(expect.arrayContaining(some));
    expect(more.length).toBeGreaterThan(some.length);
  });

  test('is no longer used when its canary ends', async () => {
    await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
    expect((await answerFrom('ICN')).release).toBe(canary.manifest.release);
    await publishHead(ours.manifest, 7);
    await poll('ICN');
    expect((await answerFrom('ICN')).release).toBe(ours.manifest.release);
  });
});

describe('a candidate that is refused', () => {
  beforeEach(async () => {
    candidate = await publishManifest(canary.manifest, FOREIGN_PRIVATE_KEY);
    await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
  });

  test('leaves the current release to a cold isolate of its share, fresh', async () => {
    await poll('ICN');
    const body = await answerFrom('ICN');
    expect([body.release, body.seq, body.stale]).toEqual([ours.manifest.release, 6, false]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('"event":"valueRefused"'));
  });

  test('leaves the current release to an isolate of its share that has an older one', async () => {
    await publishHead(ours.manifest, 5);
    expect((await answerFrom('ICN')).release).toBe(ours.manifest.release);
    await publish(newer, 6);
    await putHead({ candidate: { ...candidate, share: 1 } });
    await poll('ICN');
    const body = await answerFrom('ICN');
    expect([body.release, body.seq]).toEqual([newer.manifest.release, 6]);
  });
});

describe('a candidate without a manifest', () => {
  test('is used as soon as the manifest exists; until then isolates use the current release', async () => {
    const there = await env.LISTS.get(releaseKey(candidate.release), 'text');
    await answerFrom('ICN');
    await env.LISTS.delete(releaseKey(candidate.release));
    await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
    await poll('ICN');
    const { release, seq } = await answerFrom('ICN');
    expect([release, seq]).toEqual([ours.manifest.release, 6]);
    await env.LISTS.put(releaseKey(candidate.release), there!);
    await poll('ICN');
    expect((await answerFrom('ICN')).release).toBe(canary.manifest.release);
  });
});

test('another signed release under the name of the candidate is not used', async () => {
  await publishValues(newer);
  const { release } = await publishManifest(newer.manifest);
  const theirs = await env.LISTS.get(releaseKey(release), 'text');
  await env.LISTS.put(releaseKey(candidate.release), theirs!);
  await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
  expect((await answerFrom('ICN')).release).toBe(ours.manifest.release);
  expect(warned).toHaveBeenCalledWith(expect.stringContaining('VALUE_DAMAGED'));
});

describe('a head that names no release', () => {
  test('keeps the release that serves, applies the rest of the head, and logs it', async () => {
    const before = await answerFrom('ICN');
    await putHead({ seq: 6, current: null });
    await poll('ICN');
    const body = await answerFrom('ICN');
    expect([body.release, body.seq, body.asOf]).toEqual([ours.manifest.release, 6, before.asOf]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('HEAD_EMPTY'));
  });

  test('is valid for a cold isolate: nothing is decided, and nothing passes', async () => {
    await putHead({ seq: 6, current: null });
    const { release, verdict, seq } = await answerFrom('ICN');
    expect([verdict, release, seq]).toEqual(['indeterminate', null, 6]);
  });
});

describe('a release that a newer head names again', () => {
  test('makes its answers as new as that head', async () => {
    await answerFrom('ICN');
    await putHead({ seq: 6, current: null });
    await poll('ICN');
    await publishHead(ours.manifest, 7);
    await poll('ICN');
    const age = Math.floor(Date.now() / 1000) - Date.parse((await answerFrom('ICN')).asOf!) / 1000;
    expect(age).toBe(Math.floor(NEXT_POLL_MS / 1000));
  });
});
