/** Attacks and races that a review of the coordinator found. Each of them was once possible. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import * as v from 'valibot';
import { afterEach, expect, test, vi } from 'vitest';
import { putClientSchema } from '../../../shared/admin/access.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import { openHead } from '../../../shared/release/head.ts';
import { releaseKey, stagedKey } from '../../../shared/release/kv-keys.ts';
import worker from '../../../workers/main.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  ALL_GUARDS,
  asAdmin,
  build,
  codeOf,
  coordinator,
  copied,
  readHead,
  stage,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { publishValues, smallLists } from '../support/world.ts';

const LISTED = '+821012345678';
const change = (op: 'block' | 'unblock' | 'clear', number = LISTED) => ({
  op,
  items: [{ number }],
  code: 'SENDER_REPORTED' as const,
  subjects: ['from' as const, 'to' as const],
  until: null,
  reason: 'test',
});
const promotion = (base: string | null, more: object = {}) => ({
  base,
  share: 1,
  overrides: [...ALL_GUARDS] as never[],
  reason: 'test',
  ...more,
});
async function promoted(minute: number, base: string | null, foldedSeq = 0): Promise<string> {
  const release = await stage({ lists: smallLists([LISTED]), base, minute, foldedSeq });
  unwrap(await coordinator().promote(asAdmin(), release, promotion(base)));
  return release;
}

/** Sends a request to the Worker with the token `root`. */
async function send(path: string, body: object, headers: Record<string, string> = {}) {
  const ctx = createExecutionContext();
  const request = new Request(`https://numgate.test/v1/admin/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization: 'Bearer root.s', 'content-type': 'application/json', ...headers },
  });
  const bindings = { ...env, ROOT_TOKEN_SHA256: await sha256Hex('s') };
  const response = await worker.fetch(request, bindings as never, ctx);
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  return { status: response.status, text };
}

/** Work continues after the response to a change. It must end before the next test. */
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await copied();
});

async function headNow() {
  const opened = await openHead((await coordinator().head({ seq: 0, dataCentre: 'TST' })).sealed!, testKeys);
  if (!opened.ok) throw new Error();
  return opened.value.head;
}

test('a rollback never goes behind droppedSeq', async () => {
  const r1 = await promoted(1, null, 0); // seq 1
  unwrap(await coordinator().changeEntries(asAdmin(), change('unblock'))); // seq 2
  const r2 = await promoted(2, r1, 2); // seq 3
  const r3 = await promoted(3, r2, 2);
  await promoted(4, r3, 2);
  expect((await readHead())!.head.droppedSeq).toBe(2);
  const codes: string[] = [];
  for (let i = 0; i < 3; i++) codes.push(codeOf(await coordinator().rollback(asAdmin(), { reason: 'x' })));
  const { head } = (await readHead())!;
  const current = JSON.parse((await coordinator().manifest(head.current!.release))!.signed);
  expect(current.foldedSeq).toBeGreaterThanOrEqual(head.droppedSeq);
});

test('a verification that fails late does not remove the current release', async () => {
  const r1 = await promoted(1, null);
  const r2 = await stage({ lists: smallLists([LISTED, '+821077770000']), base: r1, minute: 2 });
  const real = env.LISTS.get.bind(env.LISTS) as (...a: unknown[]) => Promise<unknown>;
  let letGo: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let first = true;
  vi.spyOn(env.LISTS, 'get').mockImplementation((async (key: string, options: unknown) => {
    const mine = key.startsWith('shard/') && first;
    if (!mine) return real(key, options);
    first = false;
    await held;
    return new Response(new Uint8Array(16)).body; // left by an unfinished upload in one cache
  }) as never);
  const slow = coordinator().promote(asAdmin('slow'), r2, promotion(r1));
  await vi.waitFor(() => expect(first).toBe(false), HANG_MS);
  const fast = await coordinator().promote(asAdmin('fast'), r2, promotion(r1));
  expect(codeOf(fast)).toBe('ok');
  letGo!();
  expect(codeOf(await slow)).toBe('BLOB_DAMAGED');
  vi.restoreAllMocks();
  unwrap(await coordinator().changeEntries(asAdmin(), change('block', '+821000001111')));
  expect((await readHead())!.head.current?.release).toBe(r2);
  expect((await coordinator().releases(10)).map(({ release, state }) => [release, state])).toContainEqual([
    r2,
    'promoted',
  ]);
});

test('the cron does not promote a release again that an admin rolled back', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const r1 = await promoted(1, null);
  const r2 = await promoted(2, r1);
  unwrap(await coordinator().rollback(asAdmin('bad release'), { reason: 'bad' }));
  // A person who can write KV but has no signing key, because the signed manifest is unencrypted in KV.
  await env.LISTS.put(
    stagedKey(r2),
    (await env.LISTS.get(releaseKey(r2))) ?? JSON.stringify(await coordinator().manifest(r2)),
  );
  await coordinator().sweep(WRANGLER);
  expect((await readHead())!.head.current?.release).toBe(r1);
});

test('the cron does not promote a rolled-back release whose staged manifest could not be removed', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const r1 = await promoted(1, null);
  const built = await build({ lists: smallLists([LISTED]), base: r1, minute: 2, foldedSeq: 1 });
  await publishValues(built);
  await env.LISTS.put(stagedKey(built.manifest.release), JSON.stringify(built.signed));
  // KV may show a removed value for a minute.
  const shown = vi.spyOn(env.LISTS, 'delete').mockResolvedValue(undefined);
  await coordinator().sweep(WRANGLER);
  expect((await readHead())!.head.current?.release).toBe(built.manifest.release);
  unwrap(await coordinator().rollback(asAdmin('bad release'), { reason: 'bad' }));
  await coordinator().sweep(WRANGLER);
  expect(shown).toHaveBeenCalled();
  expect((await readHead())!.head.current?.release).toBe(r1);
});

test('a cursor contains no number', async () => {
  unwrap(
    await coordinator().changeEntries(asAdmin(), {
      ...change('block'),
      items: [{ number: LISTED }, { number: '+821087654321' }],
    }),
  );
  const { next } = await coordinator().entries('', null, 1);
  expect(next).not.toContain('12345678');
});

test('a promotion does not succeed without values that were removed during its verification', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const release = await stage({ lists: smallLists([LISTED]), minute: 1 });
  vi.setSystemTime(Date.UTC(2040, 0, 9)); // it waits longer than its values are kept
  await coordinator().sweep(WRANGLER);
  vi.setSystemTime(Date.UTC(2040, 0, 10, 1));
  const real = env.LISTS.get.bind(env.LISTS) as (...a: unknown[]) => Promise<unknown>;
  let reads = 0;
  let letGo: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  vi.spyOn(env.LISTS, 'get').mockImplementation((async (key: string, options: unknown) => {
    const value = await real(key, options);
    if (key.startsWith('shard/') && ++reads > 5) await held; // the plan's reads
    return value;
  }) as never);
  const promoting = coordinator().promote(asAdmin(), release, promotion(null));
  await vi.waitFor(() => expect(reads).toBeGreaterThan(5), HANG_MS);
  await coordinator().sweep(WRANGLER);
  letGo!();
  const code = codeOf(await promoting);
  vi.restoreAllMocks();
  const manifest = JSON.parse((await coordinator().manifest(release))!.signed);
  const there = await env.LISTS.get(manifest.shards[0].key, 'arrayBuffer');
  expect(code === 'ok' && there === null).toBe(false);
});

test('a promotion that began before a rollback does not promote the rolled-back canary', async () => {
  const r1 = await promoted(1, null);
  const r2 = await stage({ lists: smallLists([LISTED, '+821077770000']), base: r1, minute: 2 });
  unwrap(await coordinator().promote(asAdmin(), r2, promotion(r1, { share: 0.1 })));
  const real = env.LISTS.get.bind(env.LISTS) as (...a: unknown[]) => Promise<unknown>;
  let letGo: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let reads = 0;
  vi.spyOn(env.LISTS, 'get').mockImplementation((async (key: string, options: unknown) => {
    if (key.startsWith('shard/')) {
      reads++;
      await held;
    }
    return real(key, options);
  }) as never);
  const promoting = coordinator().promote(asAdmin(), r2, promotion(r1));
  await vi.waitFor(() => expect(reads).toBeGreaterThan(0), HANG_MS);
  unwrap(await coordinator().rollback(asAdmin('it blocks a hospital'), { release: r2, reason: 'x' }));
  letGo!();
  const _code = codeOf(await promoting);
  expect((await readHead())!.head.current?.release).toBe(r1);
});

test('a client has a bounded size', () => {
  const client = { id: 'a', secretSha256: ['0'.repeat(64)], rights: Array(90_000).fill('check') };
  expect(v.safeParse(putClientSchema, { client, reason: 'x' }).success).toBe(false);
});
test('a repeated request gets the first response, even when its until has passed', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const body = {
    op: 'unblock',
    items: [{ number: LISTED }],
    until: new Date(Date.UTC(2040, 0, 1, 0, 0, 5)).toISOString(),
    reason: 'x',
  };
  const first = await send('entries', body, { 'idempotency-key': 'k' });
  vi.setSystemTime(Date.UTC(2040, 0, 1, 0, 0, 6));
  expect(await send('entries', body, { 'idempotency-key': 'k' })).toEqual(first);
});

test('an invalid time never gets a 5xx', async () => {
  vi.spyOn(console, 'error').mockReturnValue(undefined);
  for (const until of [
    '2050-11-24T03:12:09+09',
    '2050-11-24 03:12:09 +09:00',
    '2050-02-31T00:00:00Z',
    '2050-11-24T03:12:60Z',
  ]) {
    const got = await send('entries', {
      op: 'block',
      items: [{ number: LISTED }],
      until,
      reason: 'x',
    });
    expect.soft(got.status).toBeLessThan(500);
  }
});

test('a waiting release is left staged, or its refusal is recorded', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const r1 = await promoted(1, null);
  const canary = await stage({ lists: smallLists([LISTED, '+821077770000']), base: r1, minute: 2 });
  unwrap(await coordinator().promote(asAdmin(), canary, promotion(r1, { share: 0.5 })));
  const built = await build({ lists: smallLists([LISTED, '+821077770001']), base: r1, minute: 3 });
  await publishValues(built);
  await env.LISTS.put(stagedKey(built.manifest.release), JSON.stringify(built.signed));
  await coordinator().sweep(WRANGLER);
  const info = (await coordinator().releases(10)).find(({ release }) => release === built.manifest.release);
  const gone = (await env.LISTS.get(stagedKey(built.manifest.release))) === null;
  expect(gone && info?.refusal === null).toBe(false);
});

test('a reader with a head from before sealing gets the head after it', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const items = Array.from({ length: 600 }, (_, index) => ({ number: `+8210${30_000_000 + index}` }));
  unwrap(await coordinator().changeEntries(asAdmin(), { ...change('block'), items }));
  const { seq } = await headNow();
  await vi.waitFor(async () => expect((await coordinator().status()).live.tail).toBe(0), HANG_MS);
  await coordinator().sweep(WRANGLER);
  const { seq: later, sealed } = await coordinator().head({ seq, dataCentre: 'TST' });
  expect([later, sealed === null]).toEqual([seq + 1, false]);
  expect((await coordinator().audit(0, 10_000)).at(-1)).toMatchObject({
    action: 'live.seal',
    actor: 'numgate',
  });
});
