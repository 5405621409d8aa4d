/**
 * a canary: some data centres answer from it and all others from the current one, and no data
 * centre is left without a release by one that is not fit to answer.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import type { NamedRelease } from '../../shared/release/head.ts';
import { releaseKey } from '../../shared/release/kv-keys.ts';
import { resetIsolate } from '../../workers/edge/isolate.ts';
import { type Answered, askAndSettle } from './support/ask.ts';
import { publishClients } from './support/clients.ts';
import './support/isolate.ts';
import { FOREIGN_PRIVATE_KEY } from './support/secrets.ts';
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
} from './support/world.ts';

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

async function ask(dataCentre: string): Promise<Answered['body']> {
  const { status, body } = await askAndSettle({ body: { to: NOWHERE }, dataCentre });
  expect(status).toBe(200);
  return body;
}

/** The release that a new isolate of each data centre answers from; every answer must be that release's own. */
async function releases(wanted: number): Promise<(string | null | undefined)[]> {
  const named: (string | null | undefined)[] = [];
  for (const dataCentre of DATA_CENTRES) {
    resetIsolate();
    const { verdict, release, seq } = await ask(dataCentre);
    expect([verdict, seq]).toEqual([release === canary.manifest.release ? 'block' : 'allow', wanted]);
    named.push(release);
  }
  return named;
}

function trying(named: readonly unknown[]): number[] {
  return named.flatMap((release, place) => (release === canary.manifest.release ? [place] : []));
}

/** The next poll goes on behind this answer. */
async function poll(dataCentre: string): Promise<void> {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await ask(dataCentre);
}

describe('a candidate', () => {
  /** Where it is used, with this share; each `seq` for one head, as the coordinator has it. */
  const usedIn = async (share: number, seq: number): Promise<number[]> => {
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    await putHead({ seq, candidate: { ...candidate, share } });
    return trying(await releases(seq));
  };

  test('of no share is used nowhere, of the whole everywhere', async () => {
    expect(await usedIn(0, 6)).toEqual([]);
    expect(await usedIn(1, 7)).toHaveLength(DATA_CENTRES.length);
  });

  test('is used in its share of the data centres, always the same ones, and they stay in a greater share', async () => {
    const some = await usedIn(0.3, 6);
    expect(await usedIn(0.3, 7)).toEqual(some);
    expect(some.length).toBeGreaterThan(0);
    expect(some.length).toBeLessThan(DATA_CENTRES.length / 2);
    const more = await usedIn(0.6, 8);
    expect(more).toEqual(expect.arrayContaining(some));
    expect(more.length).toBeGreaterThan(some.length);
  });

  test('is left again when its canary ends', async () => {
    await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
    expect((await ask('ICN')).release).toBe(canary.manifest.release);
    await publishHead(ours.manifest, 7);
    await poll('ICN');
    expect((await ask('ICN')).release).toBe(ours.manifest.release);
  });
});

describe('a candidate that is refused', () => {
  beforeEach(async () => {
    candidate = await publishManifest(canary.manifest, FOREIGN_PRIVATE_KEY);
    await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
  });

  test('leaves a cold isolate of its share the current release, fresh', async () => {
    await poll('ICN');
    const body = await ask('ICN');
    expect([body.release, body.seq, body.stale]).toEqual([ours.manifest.release, 6, false]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('"event":"valueRefused"'));
  });

  test('leaves an isolate of its share that has an older release the current one', async () => {
    await publishHead(ours.manifest, 5);
    expect((await ask('ICN')).release).toBe(ours.manifest.release);
    await publish(newer, 6);
    await putHead({ candidate: { ...candidate, share: 1 } });
    await poll('ICN');
    const body = await ask('ICN');
    expect([body.release, body.seq]).toEqual([newer.manifest.release, 6]);
  });
});

describe('a candidate whose manifest is not there', () => {
  test('is tried as soon as it is, by isolates that have the current release meanwhile', async () => {
    const there = await env.LISTS.get(releaseKey(candidate.release), 'text');
    await ask('ICN');
    await env.LISTS.delete(releaseKey(candidate.release));
    await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
    await poll('ICN');
    const { release, seq } = await ask('ICN');
    expect([release, seq]).toEqual([ours.manifest.release, 6]);
    await env.LISTS.put(releaseKey(candidate.release), there!);
    await poll('ICN');
    expect((await ask('ICN')).release).toBe(canary.manifest.release);
  });
});

test('another signed release under the name of the one that is meant is not taken for it', async () => {
  await publishValues(newer);
  const { release } = await publishManifest(newer.manifest);
  const theirs = await env.LISTS.get(releaseKey(release), 'text');
  await env.LISTS.put(releaseKey(candidate.release), theirs!);
  await putHead({ seq: 6, candidate: { ...candidate, share: 1 } });
  expect((await ask('ICN')).release).toBe(ours.manifest.release);
  expect(warned).toHaveBeenCalledWith(expect.stringContaining('VALUE_DAMAGED'));
});

describe('a head that names no release', () => {
  test('leaves the one that serves, with the rest of the head, and says so', async () => {
    const before = await ask('ICN');
    await putHead({ seq: 6, current: null });
    await poll('ICN');
    const body = await ask('ICN');
    expect([body.release, body.seq, body.asOf]).toEqual([ours.manifest.release, 6, before.asOf]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('HEAD_EMPTY'));
  });

  test('is a head all the same for a cold isolate: nothing is decided, and nothing passes', async () => {
    await putHead({ seq: 6, current: null });
    const { release, verdict, seq } = await ask('ICN');
    expect([verdict, release, seq]).toEqual(['indeterminate', null, 6]);
  });
});

describe('a release that is named again', () => {
  test('makes the answers as new as the head', async () => {
    await ask('ICN');
    await putHead({ seq: 6, current: null });
    await poll('ICN');
    await publishHead(ours.manifest, 7);
    await poll('ICN');
    const age = Math.floor(Date.now() / 1000) - Date.parse((await ask('ICN')).asOf!) / 1000;
    expect(age).toBe(Math.floor(NEXT_POLL_MS / 1000));
  });
});
