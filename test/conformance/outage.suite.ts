/**
 * Without data nobody is told `allow`: a store without a release, a service without secrets, data that
 * is older than a client takes, an edge without its authority, and a store with a head that is not ours.
 */
import { describe, expect, it } from 'vitest';
import { HEAD_KEY, SHARD_PREFIX } from '../../shared/release/kv-keys.ts';
import { type Answer, ask, check, refused, stream, streamJson } from './support/ask.ts';
import { change, checkFrom } from './support/ask-admin.ts';
import { headOfAStranger, headWithAForgedRelease } from './support/forged-heads.ts';
import { NUMBERS } from './support/input-lists.ts';
import { world } from './support/world.ts';

describe('a service without a release', () => {
  it('answers indeterminate LIST_UNAVAILABLE, with the action of the client', async () => {
    const base = world().withoutRelease;
    for (const [client, action] of [
      ['bulk', 'open'],
      ['careful', 'closed'],
    ] as const) {
      const answer = await check({ to: NUMBERS.free }, { base, client });
      expect(answer).toMatchObject({
        verdict: 'indeterminate',
        action,
        release: null,
        stale: false,
      });
      expect(answer.reasons[0]).toMatchObject({ code: 'LIST_UNAVAILABLE', match: 'data', subject: 'to' });
    }
  });

  it('says so in batches and streams too', async () => {
    const base = world().withoutRelease;
    const batch = await ask('/v1/check/batch', { base, body: { items: [{ to: NUMBERS.free }] } });
    expect(batch.json.summary).toMatchObject({ indeterminate: 1, allow: 0 });
    expect(await stream(NUMBERS.free, { base })).toEqual([`${NUMBERS.free},indeterminate,LIST_UNAVAILABLE`]);
    expect((await streamJson('{"to":"010-5555-0000"}', { base }))[0]!.verdict).toBe('indeterminate');
  });

  it('still answers what needs no list: test numbers, emergencies, rules on senders', async () => {
    const base = world().withoutRelease;
    expect((await check({ to: '010-0000-0003' }, { base })).reasons[0]!.code).toBe('NUMBER_SUSPENDED');
    expect((await check({ from: NUMBERS.free, to: '112' }, { base })).verdict).toBe('allow');
    expect((await check({ from: '112' }, { base })).reasons[0]!.code).toBe('SENDER_FORMAT_RULE');
  });

  it('is not healthy: 503 UNAVAILABLE', async () => {
    const request = { base: world().withoutRelease, client: null } as const;
    const { json } = await refused(['/healthz', request], [503, 'UNAVAILABLE']);
    // Its clients were added: who did that sees it.
    expect(json.seq).toBeGreaterThan(0);
  });
});

describe('a service without secrets', () => {
  it('answers 503 NOT_CONFIGURED, and names the secret', async () => {
    const request = { base: world().withoutSecrets, client: null } as const;
    for (const path of ['/healthz', '/v1/check?to=112']) {
      const { json } = await refused([path, request], [503, 'NOT_CONFIGURED']);
      expect(json.message).toContain('LIST_KEY');
    }
  });

  it('still tells what the API is', async () => {
    expect((await ask('/openapi.json', { base: world().withoutSecrets, client: null })).status).toBe(200);
  });
});

describe('data older than maxStaleSeconds', () => {
  it('is loaded again before a client is told that it is stale', async () => {
    await check({ to: NUMBERS.free }, { client: 'careful' });
    // The only way to an idle service is to leave it alone, longer than the 10 s that this client takes.
    await new Promise((resolve) => setTimeout(resolve, 11_500));
    const { verdict, reasons } = await check({ to: NUMBERS.free }, { client: 'careful' });
    expect([verdict, reasons.map(({ code }) => code)]).toEqual(['allow', []]);
  });
});

describe('an edge whose coordinator does not answer', () => {
  const codes = ({ reasons }: Answer): string[] => reasons.map(({ code }) => code);

  it('answers from the copy of the head in KV', async () => {
    const base = world().alone;
    const answer = await check({ to: NUMBERS.suspended }, { base });
    expect(answer).toMatchObject({ verdict: 'block', release: world().release });
    expect(codes(answer)).toEqual(['NUMBER_SUSPENDED']);
    expect((await check({ to: NUMBERS.suspendedButAllowed }, { base })).verdict).toBe('allow');
    // As old as the copy, which nobody has written since the service was made.
    const { asOf, json } = { ...answer, ...(await ask('/healthz', { base, client: null })) };
    expect([json.asOf, ['ok', 'stale'].includes(String(json.status))]).toEqual([asOf, true]);
    expect(json.status).toBe(json.stale === true ? 'stale' : 'ok');
  });

  it('says that its data is as old as the copy, with the action of the client', async () => {
    // It was written longer ago than the 10 s that this client takes.
    const request = { base: world().alone, client: 'careful' } as const;
    const answer = await check({ to: NUMBERS.free }, request);
    expect(answer).toMatchObject({ verdict: 'indeterminate', action: 'closed', subject: 'to' });
    expect(codes(answer)).toEqual(['LIST_STALE']);
    const line = await ask('/v1/check', {
      ...request,
      body: { to: NUMBERS.free },
      headers: { accept: 'text/plain' },
    });
    expect(line.text).toBe('indeterminate LIST_STALE to closed\n');
  });

  it('leaves no allow entry in force for a client whose data is too old, and every block', async () => {
    const request = { base: world().alone, client: 'careful' } as const;
    for (const question of [
      { to: NUMBERS.suspendedButAllowed },
      { to: NUMBERS.suspendedInAllowedRange },
      { from: NUMBERS.unallocatedButAllowed },
    ]) {
      const answer = await check(question, request);
      expect([answer.verdict, codes(answer)[0]]).toEqual(['indeterminate', 'LIST_STALE']);
      expect(codes(answer)).toContain('ALLOW_OVERRIDE');
    }
    expect((await check({ to: NUMBERS.suspended }, request)).verdict).toBe('block');
    expect((await check({ from: NUMBERS.suspended, to: '112' }, request)).verdict).toBe('allow');
    expect((await check({ to: '010-0000-0024' }, request)).verdict).toBe('allow');
  });
});

describe('a head that somebody else put into KV', () => {
  /** Asks until the service has said that it refused a head for this. */
  async function untilRefused(base: string, code: string, before: string): Promise<void> {
    while (!world().logged().slice(before.length).includes(`"code":"${code}"`)) {
      expect((await check({ to: NUMBERS.suspended }, { base })).verdict).toBe('block');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  it('with another LIST_KEY is refused, and the last good one serves', async () => {
    const { alone: base, kv, release, logged } = world();
    await check({ to: NUMBERS.suspended }, { base });
    const before = logged();
    await kv.alone.put(HEAD_KEY, await headOfAStranger());
    await untilRefused(base, 'HEAD_FOREIGN', before);
    const answer = await check({ to: NUMBERS.suspended }, { base });
    expect(answer).toMatchObject({ verdict: 'block', release });
    expect((await check({ to: NUMBERS.suspendedButAllowed }, { base })).verdict).toBe('allow');
  });

  it('is nothing to answer from for an edge that starts with it', async () => {
    const { cold: base, kv } = world();
    await kv.cold.put(HEAD_KEY, await headOfAStranger());
    await refused(['/v1/check', { base, body: { to: NUMBERS.suspended } }], [503, 'UNAVAILABLE']);
    await refused(['/healthz', { base, client: null }], [503, 'UNAVAILABLE']);
  });

  it('and lost values with it, leaves an edge that starts then degraded', async () => {
    const { cold: base, kv, release, logged } = world();
    for (const key of await kv.planes.keys()) {
      if (!key.startsWith(SHARD_PREFIX)) await kv.cold.put(key, (await kv.planes.get(key))!);
    }
    const health = (query = '') => ask(`/healthz${query}`, { base, client: null });
    while ((await health()).status === 503) await new Promise((resolve) => setTimeout(resolve, 250));
    const { status, json } = await health();
    expect([status, json.status, json.release]).toEqual([200, 'degraded', release]);
    const missing = json.missing!;
    expect(missing.length).toBeGreaterThan(2);
    const strict = await health('?strict');
    expect([strict.status, strict.json.code, strict.json.missing]).toEqual([503, 'DEGRADED', missing]);
    for (const key of missing) {
      expect(logged()).toMatch(new RegExp(`"event":"valueUnavailable"[^}]*"key":"${key}"`));
    }
    // This release has an allow list: nobody knows whether it is on it.
    expect((await check({ to: NUMBERS.suspended }, { base })).verdict).toBe('indeterminate');
  });

  it('with our LIST_KEY, and no key that signs releases, brings no release of its own', async () => {
    const { alone: base, kv, release, logged } = world();
    const before = logged();
    const good = await kv.planes.get(HEAD_KEY);
    await kv.alone.put(HEAD_KEY, await headWithAForgedRelease(good!));
    await untilRefused(base, 'SIGNATURE_INVALID', before);
    const answer = await check({ to: NUMBERS.suspended }, { base });
    expect(answer).toMatchObject({ verdict: 'block', release });
    await kv.alone.put(HEAD_KEY, good!);
  });

  it('does not disturb a service whose authority answers', async () => {
    const { edge: base, control, kv, release } = world();
    await check({ to: NUMBERS.suspended }, { base });
    await kv.planes.put(HEAD_KEY, await headOfAStranger());
    const seq = await change('block', [{ number: NUMBERS.free }], {}, { base: control });
    const blocked = await checkFrom(seq, { to: NUMBERS.free }, { base });
    expect(blocked).toMatchObject({ verdict: 'block', release, stale: false });
    const cleared = await change('clear', [{ number: NUMBERS.free }], {}, { base: control });
    expect((await checkFrom(cleared, { to: NUMBERS.free }, { base })).verdict).toBe('allow');
  });
});
