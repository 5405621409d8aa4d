/**
 * What is published: stage, plan, promote, share, roll back; and every reason to refuse. The suite begins
 * on a service without a release, and leaves it with one.
 */
import { describe, expect, it } from 'vitest';
import type { ListsInfo, ReleaseInfo } from '../../shared/admin.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import { stagedKey } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import type { Plan } from '../../shared/release/plan.ts';
import { askAdmin, change, checkFrom, refusedAdmin, told } from './support/ask-admin.ts';
import { current, makeRelease, promote, putValues, stage } from './support/releases.ts';
import { world } from './support/world.ts';

/** Numbers in a row, none of which is a test number or unallocated. */
function numbers(count: number, first = 821_070_000_000): string[] {
  return Array.from({ length: count }, (_, index) => `+${first + index}`);
}
const FEW = numbers(3);

async function stateOf(release: string): Promise<ReleaseInfo | undefined> {
  const { releases } = await told<{ releases: ReleaseInfo[] }>('releases');
  return releases.find((info) => info.release === release);
}

const wish = (base: string | null, rest: object = {}) => ({ body: { base, reason: 'a test', ...rest } });

describe('before there is a release', () => {
  it('there is nothing to roll back to', async () => {
    await refusedAdmin(['rollback', { body: { reason: 'a test' } }], [409, 'ROLLBACK_IMPOSSIBLE']);
  });

  it('there are no lists', async () => {
    expect(await told<ListsInfo>('lists')).toEqual({ release: null, lists: [] });
  });

  it('a release cannot go to a share: there is none for the others', async () => {
    const { release } = await stage({ blocked: FEW });
    await refusedAdmin([`releases/${release}/promote`, wish(null, { share: 0.5 })], [409, 'RELEASE_STATE']);
  });
});

describe('staging', () => {
  it('takes a signed manifest in, and says what it is; once more changes nothing', async () => {
    const made = await makeRelease({ blocked: FEW });
    const { status, json } = await askAdmin('releases', { body: { ...made.signed, reason: 'daily' } });
    expect(status).toBe(201);
    expect(json).toMatchObject({ release: made.release, state: 'staged', numbers: 3, by: 'token:root' });
    const { audit } = await told<{ audit: object }>('status');
    expect((await askAdmin('releases', { body: made.signed })).status).toBe(201);
    expect((await told('status')).audit).toEqual(audit);
  });

  it.each([
    ['signature', 'SIGNATURE_INVALID'],
    ['listKey', 'KEY_FOREIGN'],
  ] as const)('refuses a manifest with the %s of a stranger: %s', async (stranger, refusal) => {
    const { signed, release } = await makeRelease({ blocked: FEW, stranger });
    const { json } = await refusedAdmin(['releases', { body: signed }], [422, 'RELEASE_REFUSED']);
    expect(json).toMatchObject({ refusal });
    expect(await stateOf(release)).toBeUndefined();
  });

  it('refuses a manifest that was altered after it was signed', async () => {
    const { signed } = await makeRelease({ blocked: FEW });
    const body = { ...signed, signed: signed.signed.replace('suspended', 'terminated') };
    await refusedAdmin(['releases', { body }], [422, 'RELEASE_REFUSED']);
  });
});

describe('promoting', () => {
  it('waits for values that are not in KV, and names them', async () => {
    const made = await makeRelease({ blocked: FEW });
    await told('releases', { body: made.signed });
    const missing = blobsOf(made.manifest).map(({ key }) => key);
    for (const key of missing) await world().kv.admin.delete(key);
    const path = `releases/${made.release}`;
    const reply = await refusedAdmin([`${path}/promote`, wish(null)], [503, 'RELEASE_INCOMPLETE']);
    expect(reply.headers.get('retry-after')).toBe('5');
    expect(reply.json).toMatchObject({ missing });
    await refusedAdmin([`${path}/plan`, {}], [503, 'RELEASE_INCOMPLETE']);
    expect(await current()).toBeNull();
    await putValues(made);
    const seq = await promote(made.release, null);
    const answer = await checkFrom(seq, { to: FEW[0]! });
    expect(answer).toMatchObject({ verdict: 'block', release: made.release });
  });

  it('refuses a release with a damaged value for ever', async () => {
    const base = await current();
    const made = await stage({ blocked: numbers(50, 821_071_000_000), base });
    const { key } = blobsOf(made.manifest)[0]!;
    const bytes = made.values.get(key)!.slice();
    bytes[bytes.length - 1]! ^= 1;
    await world().kv.admin.put(key, bytes);
    const path = `releases/${made.release}/promote`;
    const { json } = await refusedAdmin([path, wish(base)], [422, 'RELEASE_REFUSED']);
    await putValues(made);
    await refusedAdmin([path, wish(base)], [422, 'RELEASE_REFUSED']);
    const { refusal } = json as unknown as { refusal: string };
    expect(await stateOf(made.release)).toMatchObject({ state: 'refused', refusal: { code: refusal } });
    expect(await current()).toBe(base);
  });

  it('knows no release that was not staged', async () => {
    const unknown = 'releases/20261124T0312Z-00000000';
    await refusedAdmin([`${unknown}/promote`, wish(await current())], [404, 'RELEASE_UNKNOWN']);
    await refusedAdmin([`${unknown}/plan`, {}], [404, 'RELEASE_UNKNOWN']);
    await refusedAdmin([`${unknown}/manifest`, {}], [404, 'RELEASE_UNKNOWN']);
    await refusedAdmin([`${unknown.slice(0, -8)}x/manifest`, {}], [404, 'RELEASE_UNKNOWN']);
  });

  it('tells of two pushes on one base the later one what has become current', async () => {
    const base = await current();
    const [one, two] = [await stage({ blocked: FEW, base }), await stage({ blocked: FEW, base })];
    await promote(one.release, base);
    const { json } = await refusedAdmin([`releases/${two.release}/promote`, wish(base)], [409, 'BASE_MOVED']);
    expect(json).toMatchObject({
      base,
      current: one.release,
      since: [{ release: one.release, by: 'token:root' }],
    });
    expect(await current()).toBe(one.release);
  });

  it('holds an If-Match against the base', async () => {
    const base = (await current())!;
    const { release } = await stage({ blocked: FEW, base });
    const headers = { 'if-match': '"20261124T0312Z-00000000"' };
    await refusedAdmin(
      [`releases/${release}/promote`, { ...wish(base), headers }],
      [412, 'PRECONDITION_FAILED'],
    );
    await told(`releases/${release}/promote`, { ...wish(base), headers: { 'if-match': `"${base}"` } });
  });

  it('does not promote what is current already', async () => {
    const base = (await current())!;
    await refusedAdmin([`releases/${base}/promote`, wish(base)], [409, 'RELEASE_STATE']);
  });

  it('refuses a release that folds in live changes that there are not', async () => {
    const base = await current();
    const { release } = await stage({ blocked: FEW, base, foldedSeq: 1_000_000 });
    const { json } = await refusedAdmin(
      [`releases/${release}/promote`, wish(base)],
      [422, 'RELEASE_REFUSED'],
    );
    expect(json).toMatchObject({ refusal: 'FOLD_AHEAD' });
  });
});

describe('a plan', () => {
  it('says what would change, exactly, and binds the promotion to it', async () => {
    const base = await current();
    const blocked = [...FEW.slice(1), ...numbers(4, 821_072_000_000)];
    const { release } = await stage({ blocked, base });
    const plan = await told<Plan>(`releases/${release}/plan`);
    expect(plan).toMatchObject({ base, release, guards: [] });
    expect(plan.lists).toMatchObject([{ name: 'suspended', numbers: { added: 4, removed: 1 } }]);
    const path = `releases/${release}/promote`;
    const { json } = await refusedAdmin(
      [path, wish(base, { plan: '0123456789abcdef' })],
      [409, 'PLAN_MOVED'],
    );
    expect(json).toMatchObject({ plan: plan.hash });
    expect(await told(path, wish(base, { plan: plan.hash }))).toMatchObject({ release, state: 'promoted' });
  });

  it('stops at a guard, with figures, until the guard is overridden by its name', async () => {
    const base = await current();
    const { release } = await stage({ blocked: numbers(2_000, 821_073_000_000), base });
    const path = `releases/${release}/promote`;
    const { json } = await refusedAdmin([path, wish(base)], [422, 'GUARD_HIT']);
    const figures = { added: 2_000, share: 0.2 };
    expect(json).toMatchObject({ guards: [{ guard: 'adds', list: 'suspended', override: 'adds', figures }] });
    await refusedAdmin([path, wish(base, { overrides: ['removes'] })], [422, 'GUARD_HIT']);
    expect(await current()).toBe(base);
    expect((await stateOf(release))!.refusal!.code).toBe('GUARD_HIT');
    expect(await told(path, wish(base, { overrides: ['adds'] }))).toMatchObject({ state: 'promoted' });
    expect((await stateOf(release))!.refusal).toBeNull();
  });

  it('obeys the settings of the guards, also for a protected number', async () => {
    const base = await current();
    const guards = { addShare: 1, removeShare: 1, protectedNumbers: [821_072_000_009] };
    await told('guards', { method: 'PUT', body: { guards, reason: 'a test' } });
    expect(await told('guards')).toEqual(guards);
    const { release } = await stage({ blocked: ['+821072000009'], base });
    const { guards: hits } = await told<Plan>(`releases/${release}/plan`);
    expect(hits.map(({ guard }) => guard)).toEqual(['protected-number']);
    await told('guards', { method: 'PUT', body: { guards: {}, reason: 'a test' } });
    expect(await told('guards')).toEqual({ addShare: 0.2, removeShare: 0.2, protectedNumbers: [] });
  });
});

describe('a share of the data centres', () => {
  it('gets a release first, then all do', async () => {
    const base = (await current())!;
    const { release } = await stage({ blocked: FEW, base });
    const body = { base, share: 0.999999, overrides: ['adds', 'removes'], reason: 'a test' };
    const done = await told<{ seq: number }>(`releases/${release}/promote`, { body });
    expect(done).toMatchObject({ state: 'candidate', share: 0.999999 });
    expect(await told('status')).toMatchObject({
      current: { release: base },
      candidate: { release, share: 0.999999 },
    });
    expect((await checkFrom(done.seq, { to: FEW[0]! })).release).toBe(release);
    const other = await stage({ blocked: FEW, base });
    await refusedAdmin([`releases/${other.release}/promote`, wish(base)], [409, 'RELEASE_STATE']);
    const seq = await promote(release, base);
    expect((await checkFrom(seq, { to: FEW[0]! })).release).toBe(release);
    expect(await told('status')).toMatchObject({ current: { release }, candidate: null });
  });
});

describe('rolling back', () => {
  it('takes the last step back, at once, for everybody, and keeps live entries', async () => {
    const base = (await current())!;
    const { release } = await stage({ blocked: ['+821074000001'], base });
    await promote(release, base);
    const blocked = await change('block', [{ number: '+821074000002' }]);
    await checkFrom(blocked, { to: '+821074000001' });
    const other = { release: base, reason: 'a test' };
    const { json } = await refusedAdmin(['rollback', { body: other }], [409, 'BASE_MOVED']);
    expect(json).toMatchObject({ base, current: release });
    const request = { body: { release, reason: 'a test' }, headers: { 'idempotency-key': 'back-1' } };
    const done = await told<{ seq: number }>('rollback', request);
    expect(done).toEqual({ withdrawn: release, current: base, seq: blocked + 1 });
    expect(await told('rollback', request)).toEqual(done);
    expect(await current()).toBe(base);
    expect(await stateOf(release)).toMatchObject({ state: 'withdrawn', readable: false });
    const answer = await checkFrom(done.seq, { to: '+821074000001' });
    expect(answer).toMatchObject({ verdict: 'allow', release: base });
    expect((await checkFrom(done.seq, { to: '+821074000002' })).verdict).toBe('block');
  });
});

describe('with nothing but wrangler', () => {
  it('a manifest under staged/ is promoted by the cron; one that is not ours is refused', async () => {
    const { kv, runCron } = world();
    const base = await current();
    const made = await makeRelease({ blocked: FEW, base });
    await putValues(made);
    const bad = await makeRelease({ blocked: FEW, base, stranger: 'signature' });
    for (const { release, signed } of [made, bad])
      await kv.admin.put(stagedKey(release), JSON.stringify(signed));
    await runCron();
    expect(await current()).toBe(made.release);
    expect(await stateOf(made.release)).toMatchObject({ state: 'promoted', by: 'wrangler' });
    expect(await kv.admin.keys(stagedKey(''))).toEqual([]);
  });
});

describe('what is published', () => {
  it('can be read as it is: manifest, lists, values', async () => {
    const release = (await current())!;
    const { lists } = await told<ListsInfo>('lists');
    expect(lists).toMatchObject([{ name: 'suspended', reason: 'NUMBER_SUSPENDED', numbers: 3 }]);
    const { signed } = await told<{ signed: string }>(`releases/${release}/manifest`);
    for (const { key, sha256 } of blobsOf(JSON.parse(signed))) {
      const { status, headers } = await askAdmin(`values/${key}`);
      expect([status, headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
      const bytes = await fetch(`${world().admin}/v1/admin/values/${key}`, {
        headers: { authorization: `Bearer ${world().tokens.read}` },
      });
      expect(await sha256Hex(new Uint8Array(await bytes.arrayBuffer()))).toBe(sha256);
    }
    await refusedAdmin([`values/shard/${'0'.repeat(32)}`, {}], [404, 'NOT_FOUND']);
  });
});
