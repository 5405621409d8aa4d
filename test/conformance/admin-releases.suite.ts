/**
 * Releases: stage, plan, promote, share, roll back, and every refusal. The suite starts on a service without a
 * release and leaves it with one.
 */

import { describe, expect, it } from 'vitest';
import type { ListsInfo, ReleaseInfo } from '../../shared/admin/releases.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import { DEFAULT_GUARDS } from '../../shared/release/guard-settings.ts';
import { stagedKey } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import type { Plan } from '../../shared/release/plan.ts';
import { current, makeRelease, promote, putValues, stage } from './support/releases.ts';
import { adminValue, change, checkOnceVisible, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

/** Consecutive numbers. None of them is a test number or unallocated. */
function numbers(count: number, first = 821_070_000_000): string[] {
  return Array.from({ length: count }, (_, index) => `+${first + index}`);
}
const FEW = numbers(3);

async function stateOf(release: string): Promise<ReleaseInfo | undefined> {
  const { releases } = await adminValue<{ releases: ReleaseInfo[] }>('releases');
  return releases.find((info) => info.release === release);
}

const promotion = (base: string | null, rest: object = {}) => ({ body: { base, reason: 'a test', ...rest } });

describe('before there is a release', () => {
  it('a rollback is impossible', async () => {
    await expectAdminRefused(['rollback', { body: { reason: 'a test' } }], [409, 'ROLLBACK_IMPOSSIBLE']);
  });

  it('the service has no lists', async () => {
    expect(await adminValue<ListsInfo>('lists')).toEqual({ release: null, lists: [] });
  });

  it('a release cannot go to a share of the data centres', async () => {
    const { release } = await stage({ blocked: FEW });
    await expectAdminRefused(
      [`releases/${release}/promote`, promotion(null, { share: 0.5 })],
      [409, 'RELEASE_STATE'],
    );
  });
});

describe('staging', () => {
  it('a signed manifest is staged; staging it again changes nothing', async () => {
    const made = await makeRelease({ blocked: FEW });
    const { status, json } = await sendAdmin('releases', { body: { ...made.signed, reason: 'daily' } });
    expect(status).toBe(201);
    expect(json).toMatchObject({ release: made.release, state: 'staged', numbers: 3, by: 'token:root' });
    const { audit } = await adminValue<{ audit: object }>('status');
    expect((await sendAdmin('releases', { body: made.signed })).status).toBe(201);
    expect((await adminValue('status')).audit).toEqual(audit);
  });

  it.each([
    ['signature', 'SIGNATURE_INVALID'],
    ['listKey', 'KEY_FOREIGN'],
  ] as const)('a manifest with a foreign %s is rejected: %s', async (foreign, refusal) => {
    const { signed, release } = await makeRelease({ blocked: FEW, foreign });
    const { json } = await expectAdminRefused(['releases', { body: signed }], [422, 'RELEASE_REFUSED']);
    expect(json).toMatchObject({ refusal });
    expect(await stateOf(release)).toBeUndefined();
  });

  it('a manifest that was altered after signing is rejected', async () => {
    const { signed } = await makeRelease({ blocked: FEW });
    const body = { ...signed, signed: signed.signed.replace('suspended', 'terminated') };
    await expectAdminRefused(['releases', { body }], [422, 'RELEASE_REFUSED']);
  });
});

describe('promoting', () => {
  it('a release without its values is incomplete, and the response names them', async () => {
    const made = await makeRelease({ blocked: FEW });
    await adminValue('releases', { body: made.signed });
    const missing = blobsOf(made.manifest).map(({ key }) => key);
    for (const key of missing) await world().kv.admin.delete(key);
    const path = `releases/${made.release}`;
    const reply = await expectAdminRefused([`${path}/promote`, promotion(null)], [503, 'RELEASE_INCOMPLETE']);
    expect(reply.headers.get('retry-after')).toBe('5');
    expect(reply.json).toMatchObject({ missing });
    await expectAdminRefused([`${path}/plan`, {}], [503, 'RELEASE_INCOMPLETE']);
    expect(await current()).toBeNull();
    await putValues(made);
    const seq = await promote(made.release, null);
    const answer = await checkOnceVisible(seq, { to: FEW[0]! });
    expect(answer).toMatchObject({ verdict: 'block', release: made.release });
  });

  it('a release with a damaged value is rejected for good', async () => {
    const base = await current();
    const made = await stage({ blocked: numbers(50, 821_071_000_000), base });
    const { key } = blobsOf(made.manifest)[0]!;
    const bytes = made.values.get(key)!.slice();
    bytes[bytes.length - 1]! ^= 1;
    await world().kv.admin.put(key, bytes);
    const path = `releases/${made.release}/promote`;
    const { json } = await expectAdminRefused([path, promotion(base)], [422, 'RELEASE_REFUSED']);
    await putValues(made);
    await expectAdminRefused([path, promotion(base)], [422, 'RELEASE_REFUSED']);
    const { refusal } = json as unknown as { refusal: string };
    expect(await stateOf(made.release)).toMatchObject({ state: 'refused', refusal: { code: refusal } });
    expect(await current()).toBe(base);
  });

  it('a release that was not staged is unknown', async () => {
    const unknown = 'releases/20261124T0312Z-00000000';
    await expectAdminRefused([`${unknown}/promote`, promotion(await current())], [404, 'RELEASE_UNKNOWN']);
    await expectAdminRefused([`${unknown}/plan`, {}], [404, 'RELEASE_UNKNOWN']);
    await expectAdminRefused([`${unknown}/manifest`, {}], [404, 'RELEASE_UNKNOWN']);
    await expectAdminRefused([`${unknown.slice(0, -8)}x/manifest`, {}], [404, 'RELEASE_UNKNOWN']);
  });

  it('the later of two pushes on one base gets the release that became current', async () => {
    const base = await current();
    const [one, two] = [await stage({ blocked: FEW, base }), await stage({ blocked: FEW, base })];
    await promote(one.release, base);
    const { json } = await expectAdminRefused(
      [`releases/${two.release}/promote`, promotion(base)],
      [409, 'BASE_MOVED'],
    );
    expect(json).toMatchObject({
      base,
      current: one.release,
      since: [{ release: one.release, by: 'token:root' }],
    });
    expect(await current()).toBe(one.release);
  });

  it('If-Match is compared with the base', async () => {
    const base = (await current())!;
    const { release } = await stage({ blocked: FEW, base });
    const headers = { 'if-match': '"20261124T0312Z-00000000"' };
    await expectAdminRefused(
      [`releases/${release}/promote`, { ...promotion(base), headers }],
      [412, 'PRECONDITION_FAILED'],
    );
    await adminValue(`releases/${release}/promote`, {
      ...promotion(base),
      headers: { 'if-match': `"${base}"` },
    });
  });

  it('the current release cannot be promoted again', async () => {
    const base = (await current())!;
    await expectAdminRefused([`releases/${base}/promote`, promotion(base)], [409, 'RELEASE_STATE']);
  });

  it('a release that folds in unknown live changes is rejected', async () => {
    const base = await current();
    const { release } = await stage({ blocked: FEW, base, foldedSeq: 1_000_000 });
    const { json } = await expectAdminRefused(
      [`releases/${release}/promote`, promotion(base)],
      [422, 'RELEASE_REFUSED'],
    );
    expect(json).toMatchObject({ refusal: 'FOLD_AHEAD' });
  });
});

describe('a plan', () => {
  it('a plan is exact, and its hash binds the promotion', async () => {
    const base = await current();
    const blocked = [...FEW.slice(1), ...numbers(4, 821_072_000_000)];
    const { release } = await stage({ blocked, base });
    const plan = await adminValue<Plan>(`releases/${release}/plan`);
    expect(plan).toMatchObject({ base, release, guards: [] });
    expect(plan.lists).toMatchObject([{ name: 'suspended', numbers: { added: 4, removed: 1 } }]);
    const path = `releases/${release}/promote`;
    const { json } = await expectAdminRefused(
      [path, promotion(base, { plan: '0123456789abcdef' })],
      [409, 'PLAN_MOVED'],
    );
    expect(json).toMatchObject({ plan: plan.hash });
    expect(await adminValue(path, promotion(base, { plan: plan.hash }))).toMatchObject({
      release,
      state: 'promoted',
    });
  });

  it('a guard stops the promotion, with figures, until it is overridden by name', async () => {
    const base = await current();
    const { release } = await stage({ blocked: numbers(2_000, 821_073_000_000), base });
    const path = `releases/${release}/promote`;
    const { json } = await expectAdminRefused([path, promotion(base)], [422, 'GUARD_HIT']);
    const figures = { added: 2_000, share: 0.2 };
    expect(json).toMatchObject({ guards: [{ guard: 'adds', list: 'suspended', override: 'adds', figures }] });
    await expectAdminRefused([path, promotion(base, { overrides: ['removes'] })], [422, 'GUARD_HIT']);
    expect(await current()).toBe(base);
    expect((await stateOf(release))!.refusal!.code).toBe('GUARD_HIT');
    expect(await adminValue(path, promotion(base, { overrides: ['adds'] }))).toMatchObject({
      state: 'promoted',
    });
    expect((await stateOf(release))!.refusal).toBeNull();
  });

  it('a plan follows the settings of the guards, with protected numbers', async () => {
    const base = await current();
    const guards = { addShare: 1, removeShare: 1, protectedNumbers: [821_072_000_009] };
    await adminValue('guards', { method: 'PUT', body: { guards, reason: 'a test' } });
    expect(await adminValue('guards')).toEqual({ ...DEFAULT_GUARDS, ...guards });
    const { release } = await stage({ blocked: ['+821072000009'], base });
    const { guards: hits } = await adminValue<Plan>(`releases/${release}/plan`);
    expect(hits.map(({ guard }) => guard)).toEqual(['protected-number']);
    await adminValue('guards', { method: 'PUT', body: { guards: {}, reason: 'a test' } });
    expect(await adminValue('guards')).toEqual(DEFAULT_GUARDS);
  });
});

describe('a share of the data centres', () => {
  it('a canary gets a release first, then all data centres do', async () => {
    const base = (await current())!;
    const { release } = await stage({ blocked: FEW, base });
    const body = { base, share: 0.999999, overrides: ['adds', 'removes'], reason: 'a test' };
    const done = await adminValue<{ seq: number }>(`releases/${release}/promote`, { body });
    expect(done).toMatchObject({ state: 'candidate', share: 0.999999 });
    expect(await adminValue('status')).toMatchObject({
      current: { release: base },
      candidate: { release, share: 0.999999 },
    });
    await checkOnceVisible(done.seq, { to: FEW[0]! }, {}, release);
    const other = await stage({ blocked: FEW, base });
    await expectAdminRefused([`releases/${other.release}/promote`, promotion(base)], [409, 'RELEASE_STATE']);
    const seq = await promote(release, base);
    await checkOnceVisible(seq, { to: FEW[0]! }, {}, release);
    expect(await adminValue('status')).toMatchObject({ current: { release }, candidate: null });
  });
});

describe('rolling back', () => {
  it('a rollback withdraws the last release at once and keeps live entries', async () => {
    const base = (await current())!;
    const { release } = await stage({ blocked: ['+821074000001'], base });
    await promote(release, base);
    const blocked = await change('block', [{ number: '+821074000002' }]);
    await checkOnceVisible(blocked, { to: '+821074000001' });
    const other = { release: base, reason: 'a test' };
    const { json } = await expectAdminRefused(['rollback', { body: other }], [409, 'BASE_MOVED']);
    expect(json).toMatchObject({ base, current: release });
    const request = { body: { release, reason: 'a test' }, headers: { 'idempotency-key': 'back-1' } };
    const done = await adminValue<{ seq: number }>('rollback', request);
    expect(done).toEqual({ withdrawn: release, current: base, seq: blocked + 1 });
    expect(await adminValue('rollback', request)).toEqual(done);
    expect(await current()).toBe(base);
    expect(await stateOf(release)).toMatchObject({ state: 'withdrawn', readable: false });
    const answer = await checkOnceVisible(done.seq, { to: '+821074000001' });
    expect(answer).toMatchObject({ verdict: 'allow', release: base });
    expect((await checkOnceVisible(done.seq, { to: '+821074000002' })).verdict).toBe('block');
  });
});

describe('publishing with wrangler alone', () => {
  it('the cron promotes a manifest under staged/ and rejects a foreign one', async () => {
    const { kv, runCron } = world();
    const base = await current();
    const made = await makeRelease({ blocked: FEW, base });
    await putValues(made);
    const bad = await makeRelease({ blocked: FEW, base, foreign: 'signature' });
    for (const { release, signed } of [made, bad])
      await kv.admin.put(stagedKey(release), JSON.stringify(signed));
    await runCron();
    expect(await current()).toBe(made.release);
    expect(await stateOf(made.release)).toMatchObject({ state: 'promoted', by: 'wrangler' });
    expect(await kv.admin.keys(stagedKey(''))).toEqual([]);
  });
});

describe('a published release', () => {
  it('manifest, lists and values are readable', async () => {
    const release = (await current())!;
    const { lists } = await adminValue<ListsInfo>('lists');
    expect(lists).toMatchObject([{ name: 'suspended', reason: 'NUMBER_SUSPENDED', numbers: 3 }]);
    const { signed } = await adminValue<{ signed: string }>(`releases/${release}/manifest`);
    for (const { key, sha256 } of blobsOf(JSON.parse(signed))) {
      const { status, headers } = await sendAdmin(`values/${key}`);
      expect([status, headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
      const bytes = await fetch(`${world().admin}/v1/admin/values/${key}`, {
        headers: { authorization: `Bearer ${world().tokens.read}` },
      });
      expect(await sha256Hex(new Uint8Array(await bytes.arrayBuffer()))).toBe(sha256);
    }
    await expectAdminRefused([`values/shard/${'0'.repeat(32)}`, {}], [404, 'NOT_FOUND']);
  });
});
