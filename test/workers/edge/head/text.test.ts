/**
 * Text releases at the edge: nothing is loaded without a text, they follow the head without a gap, a canary has its share
 * of the data centres, and what is altered, foreign or unsigned is refused while checks go on.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { HEALTH_RETRY_MS } from '../../../../shared/limits/edge.ts';
import type { SignedText } from '../../../../shared/release/signed.ts';
import type { TextAnswer } from '../../../../shared/screening/screened-text.ts';
import type { TextIndex } from '../../../../shared/text/text-index.ts';
import { signTextManifest, type TextManifest } from '../../../../shared/text/text-manifest.ts';
import { resetIsolate } from '../../../../workers/edge/isolate.ts';
import { otherKeys } from '../../../shared/support/other-keys.ts';
import { CAMPAIGN, campaignOf, ORDINARY, SUSPICIOUS } from '../../../shared/support/text-world.ts';
import { publishClients } from '../../support/clients.ts';
import { fakeCoordinator } from '../../support/isolate.ts';
import { changed, failing, hanging, KvWatch, missing } from '../../support/kv.ts';
import { ACME_PRIVATE_KEY, FOREIGN_PRIVATE_KEY, RELEASE_PRIVATE_KEY } from '../../support/secrets.ts';
import { sendAndSettle, sendHere, summarize, type WireBody } from '../../support/send.ts';
import { type PublishedRelease, putTextIndex, putTextRelease, TEXT_KEY } from '../../support/published-texts.ts';
import {
  build,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  privateKey,
  publish,
  putHead,
  smallLists,
} from '../../support/world.ts';

const built = await build(smallLists());
const UNTIL = NOW / 1000 + 86_400;
const CAMPAIGNS = [campaignOf(17, CAMPAIGN, UNTIL)];
const HOSTS = { phishing: ['block', 'bad.example'] } as const;

interface Answer extends WireBody {
  readonly text?: TextAnswer;
  readonly status?: string;
  readonly missing?: readonly string[];
  readonly textProblems?: readonly { readonly key: string; readonly message: string }[];
}

let release: PublishedRelease;
let warned: MockInstance<typeof console.warn>;
let seq = 1;
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  seq = 1;
  await publish(built);
  await publishClients();
  release = await putTextRelease({ suspicious: [SUSPICIOUS], hosts: HOSTS });
  await publishIndex({ current: release.signed });
});

async function publishIndex(index: Partial<TextIndex>, campaigns = CAMPAIGNS): Promise<void> {
  seq++;
  await putHead({ seq, ...(await putTextIndex({ version: seq, ...index, campaigns })) });
}

async function signed(manifest: TextManifest): Promise<SignedText> {
  return signTextManifest(manifest, await privateKey(RELEASE_PRIVATE_KEY));
}

async function check(text?: string, bindings: object = { TEXT_KEY }, dataCentre = 'ICN'): Promise<Answer> {
  const body = text === undefined ? { to: NOWHERE } : { to: NOWHERE, text };
  const { status, body: found } = await sendAndSettle({ body, dataCentre }, bindings);
  expect(status).toBe(200);
  return found;
}

/** `<verdict> <codes> <model>` */
async function found(text: string, bindings?: object, dataCentre?: string): Promise<string> {
  const answer = await check(text, bindings, dataCentre);
  return `${summarize(answer)} ${answer.text!.model}`;
}

/** Makes a poll due and runs it behind a response. */
async function poll(): Promise<void> {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await check(ORDINARY);
}

async function health(bindings: object = { TEXT_KEY }, query = ''): Promise<Answer> {
  return (await sendAndSettle({ path: `/healthz${query}` }, bindings)).body;
}

const refusals = (): string[] =>
  warned.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('"event":"textRefused"'));

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
    await putHead({ seq: ++seq });
    resetIsolate();
    expect(await found(CAMPAIGN)).toBe('allow null');
    expect(await health()).toMatchObject({ status: 'ok' });
  });

  test('uses the values of the coordinator while KV lacks them', async () => {
    const kv = new KvWatch();
    const { key } = release.manifest.model!.value;
    fakeCoordinator().values.set(key, new Uint8Array((await env.LISTS.get(key, 'arrayBuffer'))!));
    kv.override(key, missing);
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
  });
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
    await publishIndex({ current: release.signed, candidate: { manifest: canary.signed, share } });
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
    await publishIndex({ current: release.signed, candidate: { manifest: canary.signed, share: 1 } });
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
  });

  test('that nobody trusts leaves the release in force', async () => {
    const forged = await putTextRelease({ suspicious: [ORDINARY], signingKey: FOREIGN_PRIVATE_KEY });
    await publishIndex({ current: release.signed, candidate: { manifest: forged.signed, share: 1 } });
    expect(await found(ORDINARY)).toBe('allow kr-test');
    expect(refusals()).toHaveLength(1);
  });

  test('may be the first release', async () => {
    await publishIndex({ current: null, candidate: { manifest: canary.signed, share: 1 } });
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-canary');
  });
});

describe('a value that is', () => {
  const flip = changed((bytes) => bytes.map((byte, at) => (at === bytes.length - 40 ? byte ^ 1 : byte)));
  const CHANGES = {
    altered: flip,
    truncated: changed((bytes) => bytes.subarray(0, bytes.length - 1)),
    missing,
    unreadable: failing,
  };
  const keyIn = {
    model: ({ manifest }: PublishedRelease) => manifest.model!.value.key,
    hosts: ({ manifest }: PublishedRelease) => manifest.hosts!.value.key,
  };

  test.each(
    Object.keys(CHANGES).flatMap((change) => [
      [change as keyof typeof CHANGES, 'model', 'allow null', 'block TEXT_HOST_LISTED null'] as const,
      [change as keyof typeof CHANGES, 'hosts', 'allow TEXT_SUSPICIOUS kr-test', 'allow kr-test'] as const,
    ]),
  )(
    '%s, of the first release: its %s is left out, named and logged once',
    async (change, part, text, host) => {
      const kv = new KvWatch();
      kv.override(keyIn[part](release), CHANGES[change]);
      expect(await found(SUSPICIOUS)).toBe(text);
      expect(await found('bad.example')).toBe(host);
      expect(await found(CAMPAIGN)).toMatch(/^block TEXT_CAMPAIGN/);
      const key = keyIn[part](release);
      vi.setSystemTime(Date.now() + HEALTH_RETRY_MS);
      expect(await health()).toMatchObject({
        status: 'degraded',
        textProblems: [{ key, message: expect.stringMatching(/^VALUE_/) }],
      });
      expect((await sendAndSettle({ path: '/healthz?strict' }, { TEXT_KEY })).status).toBe(200);
      expect(refusals()).toEqual([expect.stringContaining(key)]);
      kv.restore();
      vi.setSystemTime(Date.now() + HEALTH_RETRY_MS);
      expect(await health()).toMatchObject({ status: 'ok' });
      expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
      expect(await found('bad.example')).toBe('block TEXT_HOST_LISTED kr-test');
    },
  );

  test.each(Object.keys(CHANGES) as (keyof typeof CHANGES)[])(
    '%s, of a later release leaves the last good one, with the new campaigns',
    async (change) => {
      await check(ORDINARY);
      const next = await putTextRelease({
        suspicious: [ORDINARY],
        hosts: HOSTS,
        model: 'kr-next',
        minute: 1,
      });
      const kv = new KvWatch();
      kv.override(keyIn.model(next), CHANGES[change]);
      await publishIndex({ current: next.signed }, []);
      await poll();
      expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
      expect(await found(CAMPAIGN)).toBe('allow kr-test');
      // It is tried again with the requests that follow.
      kv.restore();
      vi.setSystemTime(Date.now() + HEALTH_RETRY_MS);
      await check(ORDINARY);
      expect(await found(ORDINARY)).toBe('allow TEXT_SUSPICIOUS kr-next');
      expect(refusals()).toHaveLength(1);
    },
  );

  test('sealed with another key is refused', async () => {
    const foreign = await putTextRelease({ suspicious: [SUSPICIOUS], minute: 1, keys: otherKeys });
    await publishIndex({ current: foreign.signed });
    expect(await found(SUSPICIOUS)).toBe('allow null');
    expect(refusals()).toEqual([expect.stringContaining('VALUE_FOREIGN')]);
  });

  test.each([
    ['a foreign key', FOREIGN_PRIVATE_KEY],
    ['the key of an organisation', ACME_PRIVATE_KEY],
  ])('a manifest signed with %s is refused, while campaigns stay', async (_, signingKey) => {
    const forged = await putTextRelease({ suspicious: [SUSPICIOUS], minute: 1, signingKey });
    await publishIndex({ current: forged.signed });
    expect(await found(SUSPICIOUS)).toBe('allow null');
    expect(await found(CAMPAIGN)).toBe('block TEXT_CAMPAIGN null');
    expect(refusals()).toEqual([expect.stringContaining('SIGNATURE_INVALID')]);
  });

  test('of another schema is refused: an index, a manifest, a model in place of a host table', async () => {
    const { manifest } = release;
    const swapped = { ...manifest, hosts: { ...manifest.hosts!, value: manifest.model!.value } };
    await publishIndex({ current: await signed(swapped) });
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    await publishIndex({ current: await signed({ ...manifest, format: 2 } as never) });
    await poll();
    await publishIndex({ current: release.signed, format: 2 } as never);
    await poll();
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    expect(refusals()).toEqual([
      expect.stringContaining('VALUE_INVALID: host table'),
      expect.stringContaining('MANIFEST_INVALID'),
      expect.stringContaining('VALUE_INVALID'),
    ]);
  });

  test('slow delays no check beyond a bound: it is answered without the text', async () => {
    const kv = new KvWatch();
    kv.override(release.manifest.model!.value.key, hanging);
    // These do not wait for what hangs behind the answer.
    const send = async (text: string): Promise<Answer> =>
      (await sendHere({ body: { to: NOWHERE, text } }, { TEXT_KEY })).body;
    expect((await send(SUSPICIOUS)).text).toMatchObject({ model: null });
    const reads = kv.gets.length;
    expect((await send(CAMPAIGN)).text).toMatchObject({ model: null });
    expect(kv.gets).toHaveLength(reads);
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
    await publishIndex({ current: release.signed }, []);
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    resetIsolate();
    expect(await found(CAMPAIGN, NO_KEY)).toBe('allow kr-test');
    expect(await health(NO_KEY)).toMatchObject({ status: 'ok' });
  });
});
