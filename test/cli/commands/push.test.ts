/** `numgate push` into the real service: the values in KV. Few of them are uploaded twice. */
import { HANG_MS } from '../../shared/support/hang.ts';
import '../support/workspace.ts';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import type { BuildResult } from '../../../cli/commands/build.ts';
import { plan } from '../../../cli/commands/plan.ts';
import { formatPush, push } from '../../../cli/commands/push.ts';
import { watchUntil } from '../../../cli/commands/watch.ts';
import { currentRelease } from '../../../cli/publish/base-release.ts';
import { fileOfKey } from '../../../cli/publish/build-folder.ts';
import { kvOf } from '../../../cli/publish/wrangler.ts';
import { listKeyRing } from '../../../cli/secrets.ts';
import type { ReleaseInfo } from '../../../shared/admin/releases.ts';
import { releaseKey, SHARD_PREFIX } from '../../../shared/release/kv-keys.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import { ABROAD, writeCompleteProof } from '../support/builds.ts';
import { failureOf } from '../support/failing.ts';
import { type Publishing, SETTINGS, startPublishing } from '../support/publishing.ts';
import { type TestKv, VISIBLE_WAIT_MS } from '../support/service.ts';
import { SECRETS } from '../support/workspace.ts';

let first: BuildResult;
let world: Publishing;
let admin: Admin;
let kv: TestKv;

beforeAll(async () => {
  world = await startPublishing();
  ({ admin, kv } = world);
  first = await world.buildWith(ABROAD);
});

describe('push', () => {
  it('refuses a release without a complete proof of its own', async () => {
    const { folder, manifest } = first;
    const refusal = async (unproven = false): Promise<string> =>
      (await failureOf(() => world.publish(first, { unproven }))).message;
    const { release } = manifest;
    expect(await refusal()).toBe(`${release} is not proven: run npx numgate prove, or pass --unproven`);
    folder.writeProof({ release, lookups: 1, wrong: 0, complete: false });
    expect(await refusal()).toMatch(/is not proven/);
    folder.writeProof({ release: '20260101T0000Z-00000000', lookups: 1, wrong: 0, complete: true });
    expect(await refusal()).toMatch(/is not proven/);
    folder.writeProof({ release, lookups: 1, wrong: 3, complete: true });
    expect(await refusal()).toBe(`${release} gave 3 wrong answers when it was proven`);
    expect(await refusal(true)).toBe(`${release} gave 3 wrong answers when it was proven`);
    expect(await kv.keys()).toEqual([]);
  });

  it(
    'uploads values and manifest with wrangler, as they were built, and makes the release current',
    async () => {
      const { folder, manifest } = first;
      const { release } = manifest;
      writeCompleteProof(folder, release);
      const ports = { admin, kv: kvOf({ remote: false, env: '' }) };
      const result = await push(folder, ports, { ...SETTINGS, unproven: false });
      const blobs = blobsOf(manifest);
      expect(result).toMatchObject({
        release,
        state: 'promoted',
        uploaded: blobs.length,
        values: blobs.length,
      });
      for (const { key } of blobs) expect(await kv.get(key)).toEqual(folder.value(key));
      expect(new Set(await ports.kv.keys(SHARD_PREFIX))).toEqual(new Set(blobs.map(({ key }) => key)));
      const signed = new TextDecoder().decode((await kv.get(releaseKey(release)))!);
      expect(JSON.parse(signed)).toEqual(folder.manifest);
      const [seen] = await watchUntil([world.url], result.seq, HANG_MS);
      expect(seen).toMatchObject({ release, seq: result.seq });
    },
    VISIBLE_WAIT_MS,
  );

  it('of the current release uploads and changes nothing', async () => {
    const { seq } = await world.status();
    expect(await world.publish(first)).toMatchObject({
      seq,
      uploaded: 0,
      uploadedBytes: 0,
      state: 'promoted',
    });
    expect((await world.status()).seq).toBe(seq);
    // The current release cannot be a canary.
    const { exitCode, message } = await failureOf(() => world.publish(first, { share: 0.5 }));
    expect([exitCode, message]).toEqual([
      4,
      expect.stringContaining('is already current in all data centres'),
    ]);
  });

  it('of the current release uploads the values that KV has lost, and needs no proof', async () => {
    const blobs = blobsOf(first.manifest);
    const { key } = blobs[0]!;
    await kv.delete(key);
    const { folder } = first;
    folder.writeProof({ release: first.manifest.release, lookups: 1, wrong: 0, complete: false });
    const settings = { unproven: false };
    expect(await world.publish(first, settings)).toMatchObject({ uploaded: 1, wasCurrent: true });
    expect(await kv.get(key)).toEqual(folder.value(key));
    // A listing of KV does not reveal damaged values.
    await kv.bulkPut(new Map([[key, new Uint8Array(9)]]));
    const looked = await world.publish(first, settings);
    expect(formatPush(looked, [])[0]).toContain(
      '--all uploads every value again, which repairs damaged values',
    );
    const all = await world.publish(first, { ...settings, all: true });
    expect(formatPush(all, [])[0]).not.toContain('--all');
    expect(await kv.get(key)).toEqual(folder.value(key));
    writeCompleteProof(folder, first.manifest.release);
  });

  it('uploads only the values of a changed list', async () => {
    const next = await world.buildWith([...ABROAD, '+14155550101']);
    expect(next.manifest.base).toBe(first.manifest.release);
    const result = await world.publish(next);
    expect(result).toMatchObject({ uploaded: 1, values: blobsOf(first.manifest).length });
    expect(result.uploadedBytes).toBeLessThan(1_000);
    for (const { key } of blobsOf(next.manifest)) expect(await kv.get(key)).toEqual(next.folder.value(key));
    expect(await world.current()).toBe(next.manifest.release);
  });

  it('refuses a value that differs from the manifest, and changes nothing', async () => {
    const { folder, manifest } = await world.anotherBuild();
    const before = await world.status();
    const fresh = blobsOf(manifest).find(
      ({ key }) => !blobsOf(first.manifest).some((blob) => blob.key === key),
    )!;
    const path = join(folder.path, 'values', fileOfKey(fresh.key));
    cpSync(path, `${path}.kept`);
    const { plan: hash } = { plan: (await plan(folder, admin)).plan.hash };
    writeFileSync(path, folder.value(fresh.key).with(40, 7));
    expect(
      (await failureOf(() => push(folder, { kv, admin }, { ...SETTINGS, plan: hash }))).message,
    ).toContain(fresh.key);
    expect(await kv.get(fresh.key)).toBeNull();
    expect(await world.status()).toMatchObject({ seq: before.seq });
  });

  it('is refused with other secrets than those of the build', async () => {
    process.env.LIST_KEY = btoa('x'.repeat(32));
    const failure = await failureOf(() => world.publish(first));
    process.env.LIST_KEY = SECRETS.LIST_KEY;
    expect(failure.message).toMatch(/the release was made with LIST_KEY [0-9a-f]{16}, not/);
  });

  it('uploads again the values that the coordinator does not find', async () => {
    const next = await world.anotherBuild();
    const { manifest: now } = await currentRelease(admin, await listKeyRing());
    const kept = blobsOf(next.manifest).map(({ key }) => key);
    const { key } = blobsOf(now!).find((blob) => kept.includes(blob.key))!;
    await kv.delete(key);
    const pauses: number[] = [];
    const pause = async (ms: number): Promise<void> => void pauses.push(ms);
    const result = await push(next.folder, { kv, admin, pause }, SETTINGS);
    expect(result).toMatchObject({ uploaded: kept.length, state: 'promoted' });
    expect([await kv.get(key), pauses]).toEqual([next.folder.value(key), [5_000]]);
  });

  it('uploads all values of the current release again with --all', async () => {
    const now = await world.anotherBuild();
    await world.publish(now);
    const blobs = blobsOf(now.manifest);
    for (const { key } of blobs) await kv.delete(key);
    const next = await world.anotherBuild();
    const { message } = await failureOf(() => world.publish(next));
    expect(message).toMatch(
      /^KV has lost shard\S+ of the current release: push its build again, with --all$/,
    );
    const { seq } = await world.status();
    const result = await world.publish(now, { all: true });
    expect(result).toMatchObject({ seq, uploaded: blobs.length, values: blobs.length });
    for (const { key } of blobs) expect(await kv.get(key)).toEqual(now.folder.value(key));
  });

  it('waits for values that are not visible yet, and uploads none of them twice', async () => {
    const next = await world.anotherBuild();
    const later = new Map<string, Uint8Array>();
    let puts = 0;
    const slow: TestKv = {
      ...kv,
      bulkPut: async (values) => {
        puts += values.size;
        for (const [key, bytes] of values) later.set(key, bytes);
      },
    };
    let pauses = 0;
    const pause = async (): Promise<void> => {
      if (++pauses === 3) await kv.bulkPut(later);
    };
    expect(await push(next.folder, { kv: slow, admin, pause }, SETTINGS)).toMatchObject({ uploaded: 1 });
    expect([puts, pauses, await world.current()]).toEqual([1, 3, next.manifest.release]);
  });

  it('registers the release before it uploads, so that the coordinator removes no value meanwhile', async () => {
    const next = await world.anotherBuild();
    const { release } = next.manifest;
    const states: (string | undefined)[] = [];
    const looking: TestKv = {
      ...kv,
      bulkPut: async (values) => {
        const { releases } = await admin.get<{ releases: ReleaseInfo[] }>('releases');
        states.push(releases.find((each) => each.release === release)?.state);
        await kv.bulkPut(values);
      },
    };
    await push(next.folder, { kv: looking, admin }, SETTINGS);
    expect(states).toEqual(['staged']);
  });

  it('uploads a value again that was removed after the upload', async () => {
    const next = await world.anotherBuild();
    let puts = 0;
    const swept: TestKv = {
      ...kv,
      bulkPut: async (values) => {
        if (++puts > 1) await kv.bulkPut(values);
      },
    };
    let waitedMs = 0;
    const pause = async (ms: number): Promise<void> => {
      waitedMs += ms;
    };
    expect(await push(next.folder, { kv: swept, admin, pause }, SETTINGS)).toMatchObject({ uploaded: 1 });
    // The second upload comes only after KV had time to show the value.
    expect([puts, waitedMs, await world.current()]).toEqual([2, 65_000, next.manifest.release]);
  });

  it('gives up on values that never become visible, and changes nothing', async () => {
    const next = await world.anotherBuild();
    const before = await world.current();
    const lost: TestKv = { ...kv, bulkPut: async () => undefined };
    const failure = await failureOf(() =>
      push(next.folder, { kv: lost, admin, pause: async () => undefined }, SETTINGS),
    );
    expect([failure.exitCode, failure.message]).toEqual([
      1,
      expect.stringMatching(/^RELEASE_INCOMPLETE: 1 of /),
    ]);
    expect(await world.current()).toBe(before);
  });
});
