/**
 * The steps of a push: its plan and guards, a canary in a share of the data centres, and rollback. Also a push
 * with only the credentials of wrangler.
 */
import { HANG_MS } from '../../shared/support/hang.ts';
import '../support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import { plan } from '../../../cli/commands/plan.ts';
import { pushStaged } from '../../../cli/commands/push.ts';
import { promote, rollback } from '../../../cli/commands/releases.ts';
import type { PushGuard } from '../../../shared/release/guard-settings.ts';
import { stagedKey } from '../../../shared/release/kv-keys.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import { failureOf } from '../support/failing.ts';
import { type Publishing, sampleOf, startPublishing } from '../support/publishing.ts';
import type { TestKv } from '../support/service.ts';

let world: Publishing;
let admin: Admin;
let kv: TestKv;

beforeAll(async () => {
  world = await startPublishing();
  ({ admin, kv } = world);
});

describe('a plan', () => {
  it('that differs from the reviewed one stops the push before anything is uploaded', async () => {
    const next = await world.anotherBuild();
    const keys = await kv.keys();
    const { exitCode, message } = await failureOf(() => world.publish(next, { plan: 'f00' }));
    const { hash } = (await plan(next.folder, admin)).plan;
    expect([exitCode, message]).toEqual([
      4,
      `the plan has changed to ${hash}: run npx numgate plan and check it again`,
    ]);
    expect(await kv.keys()).toEqual(keys);
    expect(await world.publish(next, { plan: hash })).toMatchObject({ state: 'promoted', plan: hash });
  });

  it('that hits a guard stops the push, and the override in the message works', async () => {
    await sampleOf(1_000, 7);
    const next = await world.anotherBuild();
    const keys = await kv.keys();
    const { exitCode, message, extras } = await failureOf(() => world.publish(next));
    const { hash, guards } = (await plan(next.folder, admin)).plan;
    expect([exitCode, extras]).toEqual([3, { guards, plan: hash }]);
    const overrides = [...message.matchAll(/--override (\S+)/g)].map(([, guard]) => guard as PushGuard);
    expect(overrides.length).toBeGreaterThan(0);
    expect(await kv.keys()).toEqual(keys);
    expect(await world.publish(next, { overrides })).toMatchObject({ state: 'promoted' });
  });
});

describe('a canary', () => {
  it('starts in a share of the data centres, and is then extended or rolled back', async () => {
    const old = await world.current();
    const next = await world.anotherBuild();
    const { release } = next.manifest;
    expect(await world.publish(next, { share: 0.1 })).toMatchObject({ state: 'candidate', share: 0.1 });
    expect(await world.status()).toMatchObject({
      current: { release: old },
      candidate: { release, share: 0.1 },
    });
    // Restores values that KV has lost.
    const again = await world.publish(next, { share: 0.1, all: true });
    expect(again).toMatchObject({ state: 'candidate', share: 0.1, uploaded: again.values });
    const operation = { share: 1, overrides: [], reason: 'a test' };
    expect(await promote(admin, release, operation)).toMatchObject({ release, state: 'promoted', share: 1 });
    expect(await world.current()).toBe(release);
    expect(await rollback(admin, { reason: 'a test' })).toMatchObject({ withdrawn: release, current: old });
    expect(await world.current()).toBe(old);
  });

  it('can be extended by another push', async () => {
    const next = await world.anotherBuild();
    expect(await world.publish(next, { share: 0.5 })).toMatchObject({ state: 'candidate' });
    expect(await world.publish(next)).toMatchObject({ state: 'promoted', share: 1, uploaded: 0 });
    expect(await world.current()).toBe(next.manifest.release);
  });
});

describe('with only the credentials of wrangler', () => {
  it('only missing values are uploaded, and the cron promotes the release', async () => {
    const next = await world.anotherBuild();
    const { release } = next.manifest;
    // The head goes to KV at most once a second.
    const inKv = async (): Promise<boolean> => {
      const { kvSeq, seq } = await world.status();
      return kvSeq === seq;
    };
    await expect.poll(inKv, { timeout: HANG_MS }).toBe(true);
    expect(await pushStaged(next.folder, kv, { unproven: true, all: false })).toMatchObject({
      release,
      uploaded: 1,
    });
    await world.runCron();
    expect(await world.current()).toBe(release);
    expect(await kv.keys('staged/')).toEqual([]);
  });

  it('values that KV has lost are uploaded, whatever the journal says', async () => {
    const next = await world.anotherBuild();
    const { release } = next.manifest;
    const keys = blobsOf(next.manifest).map(({ key }) => key);
    next.folder.writeJournal({ target: kv.name, keys });
    await kv.delete(keys.at(-1)!);
    expect(await pushStaged(next.folder, kv, { unproven: true, all: false })).toMatchObject({ uploaded: 2 });
    await world.runCron();
    expect(await world.current()).toBe(release);
  });

  it('values that are removed before the manifest is written are uploaded again', async () => {
    const next = await world.anotherBuild();
    const { release } = next.manifest;
    const { key } = blobsOf(next.manifest).at(-1)!;
    const swept: TestKv = {
      ...kv,
      put: async (name, value) => {
        if (name === stagedKey(release)) await kv.delete(key);
        await kv.put(name, value);
      },
    };
    expect(await pushStaged(next.folder, swept, { unproven: true, all: false })).toMatchObject({
      uploaded: 2,
    });
    await world.runCron();
    expect(await world.current()).toBe(release);
  });
});
