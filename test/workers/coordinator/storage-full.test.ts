/** A full coordinator: its refusals, the changes that it still makes, and its earlier warnings. */
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import {
  STORAGE_BYTES_MAX,
  STORAGE_CRITICAL_SHARE,
  STORAGE_FULL_SHARE,
  STORAGE_ROOT_SHARE,
  STORAGE_WARNING_SHARE,
  TOKEN_ENTRIES_PER_HOUR_MAX,
} from '../../../shared/limits/control.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import { stagedKey } from '../../../shared/release/kv-keys.ts';
import worker from '../../../workers/main.ts';
import {
  ADMIN,
  ALL_GUARDS,
  build,
  client,
  codeOf,
  coordinator,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import {
  ANY,
  block,
  by,
  change,
  fill,
  generationOf,
  NOON,
  ROOT,
  refusalOf,
  spend,
  TOKEN,
  unblock,
} from '../support/room.ts';
import { publishValues, smallLists } from '../support/world.ts';

describe('over HTTP', () => {
  const SECRET = 's';

  async function send(method: string, path: string, id: string, body: object) {
    const ctx = createExecutionContext();
    const headers = { authorization: `Bearer ${id}.${SECRET}`, 'content-type': 'application/json' };
    const bindings = { ...env, ROOT_TOKEN_SHA256: await sha256Hex(SECRET) };
    const request = new Request(`https://numgate.test/v1/admin/${path}`, {
      ...{ method, headers },
      body: JSON.stringify({ ...body, reason: 'test' }),
    });
    const response = await worker.fetch(request, bindings as never, ctx);
    const problem = (await response.json()) as { code?: string; budget?: object };
    await waitOnExecutionContext(ctx);
    return { status: response.status, retryAfter: response.headers.get('retry-after'), problem };
  }
  const block = (id: string) =>
    send('POST', 'entries', id, { op: 'block', items: [{ number: '+821030000001' }] });

  test('a spent budget gets 429 with Retry-After, a full coordinator 507, and root can still revoke the token', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const token = { ...TOKEN, secretSha256: [await sha256Hex(SECRET)] };
    const organisation = { ...bareOrganisation('default'), authority: 'kisa' };
    expect((await send('PUT', 'organisations/default', 'root', { organisation })).status).toBe(200);
    expect((await send('PUT', 'tokens/kisa', 'root', { token })).status).toBe(200);
    const holder = { ...ADMIN, name: 'token:kisa', generation: await generationOf('kisa') };
    await spend(holder, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    expect(await block('kisa')).toMatchObject({
      ...{ status: 429, retryAfter: '3600' },
      problem: { code: 'BUDGET_EXCEEDED', budget: { name: 'entries', resetsAt: '2040-01-01T13:00:00.000Z' } },
    });
    await fill(STORAGE_FULL_SHARE);
    expect(await block('root')).toMatchObject({
      status: 507,
      retryAfter: null,
      problem: { code: 'STORAGE_FULL' },
    });
    await fill(1);
    expect((await send('DELETE', 'tokens/kisa', 'root', {})).status).toBe(200);
    expect((await block('kisa')).status).toBe(401);
  });
});

describe('a full coordinator', () => {
  test('refuses changes that make it grow, and names the remedy', async () => {
    const release = await stage({ lists: smallLists() });
    await fill(STORAGE_FULL_SHARE);
    const { signed } = await build({ lists: smallLists(), minute: 1 });
    for (const actor of [ADMIN, ROOT]) {
      const refusal = refusalOf(await block(actor));
      expect(refusal.code).toBe('STORAGE_FULL');
      expect(refusal.message).toBe(
        'the coordinator stores 9,000 of 10,000 MB, so it accepts only unblock, clear, promote, rollback, audit ' +
          'trim, and changes of clients and tokens; export the audit log and trim it with npx numgate audit trim',
      );
      const codes = [
        await coordinator().stage(by(actor), signed),
        await coordinator().putGuards(by(actor), await coordinator().guards()),
        await coordinator().putPolicy(by(actor), STANDARD_POLICY.policy, ANY),
      ].map(codeOf);
      expect(codes).toEqual(codes.map(() => 'STORAGE_FULL'));
    }
    const promotion = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
    expect(codeOf(await coordinator().promote(by(ADMIN), release, promotion))).toBe('ok');
  });

  test('still revokes tokens, changes clients, unblocks, clears, rolls back, and answers', async () => {
    const first = await stage({ lists: smallLists() });
    const second = await stage({ lists: smallLists(), base: first, minute: 1 });
    const promotion = { share: 1, overrides: ALL_GUARDS, reason: 'test' };
    unwrap(await coordinator().promote(by(ADMIN), first, { ...promotion, base: null }));
    unwrap(await coordinator().promote(by(ADMIN), second, { ...promotion, base: first }));
    unwrap(await coordinator().putToken(by(ROOT), 'kisa', TOKEN, ANY));
    unwrap(await coordinator().putClient(by(ROOT), 'a', client('a'), ANY));
    unwrap(await block(ADMIN));
    await fill(STORAGE_FULL_SHARE);
    expect(codeOf(await block(ADMIN))).toBe('STORAGE_FULL');
    const codes = [
      await unblock(ADMIN),
      await coordinator().changeEntries(by(ADMIN), change('clear')),
      await coordinator().rollback(by(ADMIN), { reason: 'test' }),
      await coordinator().putClient(by(ADMIN), 'a', client('a', 20), ANY),
      await coordinator().putClient(by(ADMIN), 'a', null, ANY),
      await coordinator().putToken(by(ROOT), 'kisa', null, ANY),
    ].map(codeOf);
    expect(codes).toEqual(codes.map(() => 'ok'));
    expect(await coordinator().token(TOKEN.id)).toMatchObject({ ok: true, value: null });
    expect((await coordinator().status()).current?.release).toBe(first);
    expect((await coordinator().entries('', null, 10)).entries).toMatchObject([{ op: 'clear' }]);
    expect((await coordinator().audit(0, 100)).at(-1)).toMatchObject({ action: 'tokens.remove' });
  });

  test('reserves the last room for root: no other token can use it', async () => {
    unwrap(await coordinator().putToken(by(ROOT), 'kisa', TOKEN, ANY));
    await fill(STORAGE_ROOT_SHARE);
    expect(codeOf(await unblock(ADMIN))).toBe('STORAGE_FULL');
    expect(codeOf(await unblock(ROOT))).toBe('ok');
    expect(codeOf(await coordinator().putToken(by(ROOT), 'kisa', null, ANY))).toBe('ok');
  });

  test('ends entries on time', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const until = new Date(NOON + 60_000).toISOString();
    unwrap(await coordinator().changeEntries(by(ADMIN), { ...change('block'), until }));
    await fill(1);
    vi.setSystemTime(NOON + 60_000);
    await runInDurableObject(stub(), (instance) =>
      (instance as unknown as { alarm(): Promise<void> }).alarm(),
    );
    expect((await coordinator().status()).live.entries).toBe(0);
  });

  test('keeps releases that were staged with wrangler until there is room', async () => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const built = await build({ lists: smallLists() });
    await publishValues(built);
    const key = stagedKey(built.manifest.release);
    await env.LISTS.put(key, JSON.stringify(built.signed));
    await fill(STORAGE_FULL_SHARE);
    await coordinator().sweep(WRANGLER);
    expect(await env.LISTS.get(key)).not.toBeNull();
    await fill(0);
    await coordinator().sweep(WRANGLER);
    expect((await coordinator().releases(1))[0]?.release).toBe(built.manifest.release);
  });
});

describe('the storage level', () => {
  test.each([
    ['normal', STORAGE_WARNING_SHARE - 0.001],
    ['warning', STORAGE_WARNING_SHARE],
    ['critical', STORAGE_CRITICAL_SHARE],
    ['full', STORAGE_FULL_SHARE],
  ])('is %s in the status, and in the log of the cron', async (level, share) => {
    const warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
    await fill(share);
    const { storageBytes, storageBytesMax, storageLevel } = await coordinator().status();
    expect([storageBytes, storageBytesMax, storageLevel]).toEqual([
      ...[Math.ceil(share * STORAGE_BYTES_MAX), STORAGE_BYTES_MAX, level],
    ]);
    await coordinator().sweep(WRANGLER);
    await coordinator().sweep(WRANGLER);
    const events = warned.mock.calls.map(([text]) => JSON.parse(String(text)) as { event: string });
    const expected = level === 'normal' ? [] : [{ event: 'storageHigh', bytes: storageBytes, level }];
    expect(events.filter(({ event }) => event === 'storageHigh')).toEqual(expected);
  });
});
