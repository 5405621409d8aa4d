/**
 * Values of text releases that are altered, truncated, missing, foreign or unsigned. Each one is refused, logged once and named
 * by health, while checks continue with the last good release, or without the layer.
 */
import { describe, expect, test, vi } from 'vitest';
import { HEALTH_RETRY_MS } from '../../../../shared/limits/edge.ts';
import { otherKeys } from '../../../shared/support/other-keys.ts';
import { CAMPAIGN, ORDINARY, SUSPICIOUS } from '../../../shared/support/text-world.ts';
import { changed, failing, hanging, KvWatch, missing } from '../../support/kv.ts';
import { type PublishedRelease, putTextRelease, TEXT_KEY } from '../../support/published-texts.ts';
import { ACME_PRIVATE_KEY, FOREIGN_PRIVATE_KEY } from '../../support/secrets.ts';
import { sendAndSettle, sendHere } from '../../support/send.ts';
import {
  type Answer,
  check,
  firstRelease,
  found,
  HOSTS,
  health,
  poll,
  publishedTexts,
  publishIndex,
  refusals,
  signed,
} from '../../support/text-checks.ts';
import { NOWHERE } from '../../support/world.ts';

publishedTexts();

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
      kv.override(keyIn[part](firstRelease()), CHANGES[change]);
      expect(await found(SUSPICIOUS)).toBe(text);
      expect(await found('bad.example')).toBe(host);
      // Without the host lists, the allowed hosts are unknown, and a campaign never blocks a text that has only allowed hosts.
      const campaign = await found(CAMPAIGN);
      if (part === 'hosts') expect(campaign).toMatch(/^allow/);
      else expect(campaign).toMatch(/^block TEXT_CAMPAIGN/);
      const key = keyIn[part](firstRelease());
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
      // Later requests try the value again.
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
  ])(
    'a manifest signed with %s is refused, and campaigns wait for the allow lists',
    async (_, signingKey) => {
      const forged = await putTextRelease({ suspicious: [SUSPICIOUS], minute: 1, signingKey });
      await publishIndex({ current: forged.signed });
      expect(await found(SUSPICIOUS)).toBe('allow null');
      expect(await found(CAMPAIGN)).toBe('allow null');
      expect(refusals()).toEqual([expect.stringContaining('SIGNATURE_INVALID')]);
    },
  );

  test('of another schema is refused: an index, a manifest, a model in place of a host table', async () => {
    const { manifest } = firstRelease();
    const swapped = { ...manifest, hosts: { ...manifest.hosts!, value: manifest.model!.value } };
    await publishIndex({ current: await signed(swapped) });
    expect(await found(SUSPICIOUS)).toBe('allow TEXT_SUSPICIOUS kr-test');
    await publishIndex({ current: await signed({ ...manifest, format: 2 } as never) });
    await poll();
    await publishIndex({ current: firstRelease().signed, format: 2 } as never);
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
    kv.override(firstRelease().manifest.model!.value.key, hanging);
    // These requests do not wait for the background work that hangs.
    const send = async (text: string): Promise<Answer> =>
      (await sendHere({ body: { to: NOWHERE, text } }, { TEXT_KEY })).body;
    expect((await send(SUSPICIOUS)).text).toMatchObject({ model: null });
    const reads = kv.gets.length;
    expect((await send(CAMPAIGN)).text).toMatchObject({ model: null });
    expect(kv.gets).toHaveLength(reads);
  });
});
