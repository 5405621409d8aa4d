/**
 * Text releases at the edge. Nothing is loaded for checks without a text, releases follow the head without a gap, and a canary
 * has its share of the data centres.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { HEAD_WAIT_MS, LOAD_WAIT_MS } from '../../../../shared/limits/edge.ts';
import { READING_BYTES } from '../../../../shared/text/text.ts';
import type { LoadContext } from '../../../../workers/edge/head/head-sources.ts';
import { TextReader } from '../../../../workers/edge/head/text-reader.ts';
import { resetIsolate } from '../../../../workers/edge/isolate.ts';
import { CAMPAIGN, ORDINARY, SUSPICIOUS } from '../../../shared/support/text-world.ts';
import { fakeCoordinator } from '../../support/isolate.ts';
import { hanging, KvWatch, missing } from '../../support/kv.ts';
import { type PublishedRelease, putTextRelease, TEXT_KEY } from '../../support/published-texts.ts';
import { FOREIGN_PRIVATE_KEY } from '../../support/secrets.ts';
import {
  check,
  firstRelease,
  found,
  HOSTS,
  health,
  poll,
  publishedTexts,
  publishIndex,
  publishWithoutTexts,
  refusals,
  signed,
} from '../../support/text-checks.ts';
import { NEXT_POLL_MS } from '../../support/world.ts';

publishedTexts();

describe('a check', () => {
  test('without a text reads nothing of text releases, also when they change', async () => {
    const kv = new KvWatch();
    await check();
    await publishIndex({ current: null });
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    await check();
    await check();
    expect(kv.gets.filter((key) => key.startsWith('text/'))).toEqual([]);
  });

  test('with a text waits for all layers, which are then in memory', async () => {
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    const kv = new KvWatch();
    expect(await found(CAMPAIGN)).toBe('block TEXT_CAMPAIGN kr-test');
    expect(await found('see https://www.bad.example/')).toBe('block TEXT_HOST_LISTED kr-test');
    expect(await found(ORDINARY)).toBe('allow kr-test');
    expect(kv.gets).toEqual([]);
  });

  test('is answered by a head of the time before texts', async () => {
    await publishWithoutTexts();
    resetIsolate();
    expect(await found(CAMPAIGN)).toBe('allow null');
    expect(await health()).toMatchObject({ status: 'ok' });
  });

  test('uses the values of the coordinator while KV lacks them', async () => {
    const kv = new KvWatch();
    const { key } = firstRelease().manifest.model!.value;
    fakeCoordinator().values.set(key, new Uint8Array((await env.LISTS.get(key, 'arrayBuffer'))!));
    kv.override(key, missing);
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
  });
});

test('memory for reading texts counts from the first request with a text on', async () => {
  const counted: number[] = [];
  const reader: TextReader = new TextReader(() => counted.push(reader.bytes));
  expect(reader.bytes).toBe(0);
  const nothingNamed = {} as LoadContext;
  await reader.published(nothingNamed);
  await reader.published(nothingNamed);
  expect(counted).toEqual([READING_BYTES]);
});

describe('a new text release', () => {
  test('replaces the last one behind the answers, and no check is without one', async () => {
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    const next = await putTextRelease({ suspicious: [ORDINARY], model: 'kr-next', minute: 1 });
    await publishIndex({ current: next.signed }, []);
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    expect(await found(SUSPICIOUS)).toBe('allow kr-next');
    expect(await found(ORDINARY)).toBe('allow TEXT_SUSPICIOUS kr-next');
    expect(await found(CAMPAIGN)).toBe('allow kr-next');
  });

  test('that ends leaves none', async () => {
    await check(SUSPICIOUS);
    await publishIndex({ current: null });
    await poll();
    expect(await found(SUSPICIOUS)).toBe('allow null');
    expect(await found(CAMPAIGN)).toBe('block TEXT_CAMPAIGN null');
  });

  test('that names fewer lists than its table has rows for is refused', async () => {
    const { manifest } = await putTextRelease({ hosts: { ...HOSTS, banks: ['allow', 'bank.example'] } });
    await publishIndex({ current: await signed(manifest) });
    await check(ORDINARY);
    const hosts = { ...manifest.hosts!, lists: manifest.hosts!.lists.slice(0, 1) };
    await publishIndex({ current: await signed({ ...manifest, hosts }) });
    await poll();
    expect(await found('bad.example bank.example')).toBe('block TEXT_HOST_LISTED null');
    expect(refusals()).toEqual([expect.stringContaining('VALUE_INVALID: host table')]);
  });
});

describe('a canary of a text release', () => {
  const DATA_CENTRES = Array.from({ length: 12 }, (_, index) => `DC${index}`);
  let canary: PublishedRelease;
  beforeEach(async () => {
    canary = await putTextRelease({ suspicious: [SUSPICIOUS, CAMPAIGN], model: 'kr-canary', minute: 5 });
  });

  async function usedIn(share: number): Promise<string[]> {
    await publishIndex({ current: firstRelease().signed, candidate: { manifest: canary.signed, share } });
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    const used: string[] = [];
    for (const dataCentre of DATA_CENTRES) {
      resetIsolate();
      const { text } = await check(ORDINARY, { TEXT_KEY }, dataCentre);
      if (text!.model === 'kr-canary') used.push(dataCentre);
    }
    return used;
  }

  test('is used in its share of the data centres, and a larger share keeps them', async () => {
    expect(await usedIn(0)).toEqual([]);
    expect(await usedIn(1)).toEqual(DATA_CENTRES);
    const some = await usedIn(0.4);
    expect(some.length).toBeGreaterThan(0);
    expect(some.length).toBeLessThan(DATA_CENTRES.length);
    expect(await usedIn(0.8)).toEqual(expect.arrayContaining(some));
  });

  test('that cannot be loaded leaves the release in force', async () => {
    const kv = new KvWatch();
    kv.override(canary.manifest.model!.value.key, missing);
    await publishIndex({ current: firstRelease().signed, candidate: { manifest: canary.signed, share: 1 } });
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
  });

  test('that nobody trusts leaves the release in force', async () => {
    const forged = await putTextRelease({ suspicious: [ORDINARY], signingKey: FOREIGN_PRIVATE_KEY });
    await publishIndex({ current: firstRelease().signed, candidate: { manifest: forged.signed, share: 1 } });
    expect(await found(ORDINARY)).toBe('allow kr-test');
    expect(refusals()).toHaveLength(1);
  });

  test('may be the first release', async () => {
    await publishIndex({ current: null, candidate: { manifest: canary.signed, share: 1 } });
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-canary');
  });
});

describe('TEXT_KEY', () => {
  const NO_KEY = { TEXT_KEY: '' };

  test.each([
    ['no base64', '%%'],
    ['too short', 'AAEC'],
  ])('that is %s is named by health, and only campaigns are left out', async (_, wrong) => {
    const bindings = { TEXT_KEY: wrong };
    expect(await found(CAMPAIGN, bindings)).toBe('allow kr-test');
    expect(await found(SUSPICIOUS, bindings)).toBe('allow TEXT_SUSPICIOUS kr-test');
    const problem = { key: 'TEXT_KEY', message: 'TEXT_KEY must be 32 bytes in base64' };
    expect(await health(bindings)).toMatchObject({ status: 'degraded', textProblems: [problem] });
    expect(refusals()).toEqual([expect.not.stringContaining(wrong)]);
  });

  test('may be missing as long as there are no campaigns', async () => {
    expect(await found(CAMPAIGN, NO_KEY)).toBe('allow kr-test');
    expect((await health(NO_KEY)).textProblems).toEqual([
      { key: 'TEXT_KEY', message: expect.stringContaining('is not set') },
    ]);
    await publishIndex({ current: firstRelease().signed }, []);
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    resetIsolate();
    expect(await found(CAMPAIGN, NO_KEY)).toBe('allow kr-test');
    expect(await health(NO_KEY)).toMatchObject({ status: 'ok' });
  });
});

// These tests are last, because they leave a copy of the head that is ahead of the other tests.
describe('an isolate that was idle', () => {
  test('decides its first check by what is in force now', async () => {
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    const next = await putTextRelease({ suspicious: [ORDINARY], model: 'kr-next', minute: 1 });
    await publishIndex({ current: next.signed }, []);
    vi.setSystemTime(Date.now() + HEAD_WAIT_MS + 1);
    expect(await found(CAMPAIGN)).toBe('allow kr-next');
    // The check that finds the head may have no text.
    await publishIndex({ current: null });
    vi.setSystemTime(Date.now() + HEAD_WAIT_MS + 1);
    await check();
    expect(await found(CAMPAIGN)).toBe('block TEXT_CAMPAIGN null');
  });

  test('waits once for a release that hangs', async () => {
    await check(SUSPICIOUS);
    const next = await putTextRelease({ suspicious: [ORDINARY], model: 'kr-next', minute: 1 });
    await publishIndex({ current: next.signed });
    new KvWatch().override(next.manifest.model!.value.key, hanging);
    vi.setSystemTime(Date.now() + HEAD_WAIT_MS + 1);
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    const timers = vi.spyOn(globalThis, 'setTimeout');
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    expect(timers.mock.calls.filter(([, ms]) => ms === LOAD_WAIT_MS)).toEqual([]);
  });
});
