/**
 * Missing data never gives `allow`: no release, no secrets, data older than a client accepts, an edge without
 * its coordinator, and a forged head in KV.
 */
import { describe, expect, it } from 'vitest';
import { HEAD_KEY, SHARD_PREFIX } from '../../shared/release/kv-keys.ts';
import { headWithForeignKey, headWithForgedRelease } from './support/forged-heads.ts';
import { NUMBERS } from './support/input-lists.ts';
import { type Answer, check, expectRefused, send, stream, streamJson } from './support/send.ts';
import { change, checkOnceVisible } from './support/send-admin.ts';
import { world } from './support/world.ts';

describe('a service without a release', () => {
  it("the verdict is indeterminate LIST_UNAVAILABLE, with the client's action", async () => {
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

  it('batches and streams return the same', async () => {
    const base = world().withoutRelease;
    const batch = await send('/v1/check/batch', { base, body: { items: [{ to: NUMBERS.free }] } });
    expect(batch.json.summary).toMatchObject({ indeterminate: 1, allow: 0 });
    expect(await stream(NUMBERS.free, { base })).toEqual([`${NUMBERS.free},indeterminate,LIST_UNAVAILABLE`]);
    expect((await streamJson('{"to":"010-5555-0000"}', { base }))[0]!.verdict).toBe('indeterminate');
  });

  it('test numbers, emergency numbers and sender rules need no list', async () => {
    const base = world().withoutRelease;
    expect((await check({ to: '010-0000-0003' }, { base })).reasons[0]!.code).toBe('NUMBER_SUSPENDED');
    expect((await check({ from: NUMBERS.free, to: '112' }, { base })).verdict).toBe('allow');
    expect((await check({ from: '112' }, { base })).reasons[0]!.code).toBe('SENDER_FORMAT_RULE');
  });

  it('/healthz is 503 UNAVAILABLE', async () => {
    const request = { base: world().withoutRelease, client: null } as const;
    const { json } = await expectRefused(['/healthz', request], [503, 'UNAVAILABLE']);
    // Adding the clients raised `seq`.
    expect(json.seq).toBeGreaterThan(0);
  });
});

describe('a service without secrets', () => {
  it('the response is 503 NOT_CONFIGURED and names the secret', async () => {
    const request = { base: world().withoutSecrets, client: null } as const;
    for (const path of ['/healthz', '/v1/check?to=112']) {
      const { json } = await expectRefused([path, request], [503, 'NOT_CONFIGURED']);
      expect(json.message).toContain('LIST_KEY');
    }
  });

  it('/openapi.json is still served', async () => {
    expect((await send('/openapi.json', { base: world().withoutSecrets, client: null })).status).toBe(200);
  });
});

describe('data older than maxStaleSeconds', () => {
  it('the edge refreshes stale data before it returns LIST_STALE', async () => {
    await check({ to: NUMBERS.free }, { client: 'careful' });
    // Wait longer than the 10 s that this client accepts, without a request.
    await new Promise((resolve) => setTimeout(resolve, 11_500));
    const { verdict, reasons } = await check({ to: NUMBERS.free }, { client: 'careful' });
    expect([verdict, reasons.map(({ code }) => code)]).toEqual(['allow', []]);
  });
});

describe('an edge whose coordinator does not respond', () => {
  const codes = ({ reasons }: Answer): string[] => reasons.map(({ code }) => code);

  it('verdicts come from the copy of the head in KV', async () => {
    const base = world().alone;
    const answer = await check({ to: NUMBERS.suspended }, { base });
    expect(answer).toMatchObject({ verdict: 'block', release: world().release });
    expect(codes(answer)).toEqual(['NUMBER_SUSPENDED']);
    expect((await check({ to: NUMBERS.suspendedButAllowed }, { base })).verdict).toBe('allow');
    // `asOf` is that of the copy, which was written once, at the start.
    const { asOf, json } = { ...answer, ...(await send('/healthz', { base, client: null })) };
    expect([json.asOf, ['ok', 'stale'].includes(String(json.status))]).toEqual([asOf, true]);
    expect(json.status).toBe(json.stale === true ? 'stale' : 'ok');
  });

  it("data as old as the copy is LIST_STALE, with the client's action", async () => {
    // The copy is older than the 10 s that this client accepts.
    const request = { base: world().alone, client: 'careful' } as const;
    const answer = await check({ to: NUMBERS.free }, request);
    expect(answer).toMatchObject({ verdict: 'indeterminate', action: 'closed', subject: 'to' });
    expect(codes(answer)).toEqual(['LIST_STALE']);
    const line = await send('/v1/check', {
      ...request,
      body: { to: NUMBERS.free },
      headers: { accept: 'text/plain' },
    });
    expect(line.text).toBe('indeterminate LIST_STALE to closed\n');
  });

  it('data that is too old keeps every block and no allow entry', async () => {
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

describe('a forged head in KV', () => {
  /** Sends checks until the service logs that it has rejected a head with this code. */
  async function untilRefused(base: string, code: string, before: string): Promise<void> {
    while (!world().logged().slice(before.length).includes(`"code":"${code}"`)) {
      expect((await check({ to: NUMBERS.suspended }, { base })).verdict).toBe('block');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  it('a head with another LIST_KEY is rejected, and the last good head stays in use', async () => {
    const { alone: base, kv, release, logged } = world();
    await check({ to: NUMBERS.suspended }, { base });
    const before = logged();
    await kv.alone.put(HEAD_KEY, await headWithForeignKey());
    await untilRefused(base, 'HEAD_FOREIGN', before);
    const answer = await check({ to: NUMBERS.suspended }, { base });
    expect(answer).toMatchObject({ verdict: 'block', release });
    expect((await check({ to: NUMBERS.suspendedButAllowed }, { base })).verdict).toBe('allow');
  });

  it('an edge that starts with a forged head is 503', async () => {
    const { cold: base, kv } = world();
    await kv.cold.put(HEAD_KEY, await headWithForeignKey());
    await expectRefused(['/v1/check', { base, body: { to: NUMBERS.suspended } }], [503, 'UNAVAILABLE']);
    await expectRefused(['/healthz', { base, client: null }], [503, 'UNAVAILABLE']);
  });

  it('an edge that starts without shards is degraded', async () => {
    const { cold: base, kv, release, logged } = world();
    for (const key of await kv.planes.keys()) {
      if (!key.startsWith(SHARD_PREFIX)) await kv.cold.put(key, (await kv.planes.get(key))!);
    }
    const health = (query = '') => send(`/healthz${query}`, { base, client: null });
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
    // This release has an allow list, which could contain the number.
    expect((await check({ to: NUMBERS.suspended }, { base })).verdict).toBe('indeterminate');
  });

  it('a head with our LIST_KEY cannot name a release with a foreign signature', async () => {
    const { alone: base, kv, release, logged } = world();
    const before = logged();
    const good = await kv.planes.get(HEAD_KEY);
    await kv.alone.put(HEAD_KEY, await headWithForgedRelease(good!));
    await untilRefused(base, 'SIGNATURE_INVALID', before);
    const answer = await check({ to: NUMBERS.suspended }, { base });
    expect(answer).toMatchObject({ verdict: 'block', release });
    await kv.alone.put(HEAD_KEY, good!);
  });

  it('a forged head changes nothing while the coordinator responds', async () => {
    const { edge: base, control, kv, release } = world();
    await check({ to: NUMBERS.suspended }, { base });
    await kv.planes.put(HEAD_KEY, await headWithForeignKey());
    const seq = await change('block', [{ number: NUMBERS.free }], {}, { base: control });
    const blocked = await checkOnceVisible(seq, { to: NUMBERS.free }, { base });
    expect(blocked).toMatchObject({ verdict: 'block', release, stale: false });
    const cleared = await change('clear', [{ number: NUMBERS.free }], {}, { base: control });
    expect((await checkOnceVisible(cleared, { to: NUMBERS.free }, { base })).verdict).toBe('allow');
  });
});
