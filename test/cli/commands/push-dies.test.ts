/**
 * A push that dies at any of its writes and is run again.
 */
import '../support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import { plan } from '../../../cli/commands/plan.ts';
import { push } from '../../../cli/commands/push.ts';
import type { PushGuard } from '../../../shared/release/guard-settings.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import { type Publishing, SAMPLE_SIZE, SETTINGS, sampleOf, startPublishing } from '../support/publishing.ts';
import { type TestKv, VISIBLE_WAIT_MS } from '../support/service.ts';

let world: Publishing;
let admin: Admin;
let kv: TestKv;

beforeAll(async () => {
  world = await startPublishing();
  ({ admin, kv } = world);
});

describe('a push that dies', () => {
  class Dead extends Error {}

  /** Ports whose n-th write fails either before it takes effect, or after it, as if the response were lost. */
  function dying(n: number, when: 'before' | 'after') {
    let writes = 0;
    const die = <Args extends unknown[], Value>(write: (...args: Args) => Promise<Value>) => {
      return async (...args: Args): Promise<Value> => {
        if (++writes > n) throw new Dead('another write after the end');
        if (writes === n && when === 'before') throw new Dead('before');
        const value = await write(...args);
        if (writes === n) throw new Dead('after');
        return value;
      };
    };
    const dyingAdmin = Object.create(admin, {
      change: { value: die((...args: Parameters<Admin['change']>) => admin.change(...args)) },
      get: { value: (...args: Parameters<Admin['get']>) => admin.get(...args) },
      bytes: { value: (...args: Parameters<Admin['bytes']>) => admin.bytes(...args) },
    }) as Admin;
    // Each file has only one or two values, so that there are several writes of values.
    const dyingKv: TestKv = { ...kv, bulkBytesMax: 60_000, put: die(kv.put), bulkPut: die(kv.bulkPut) };
    return { ports: { kv: dyingKv, admin: dyingAdmin }, writes: () => writes };
  }

  it(
    'at any write leaves the old release or the new one, and continues where it stopped',
    async () => {
      let survived = false;
      let deaths = 0;
      for (let n = 1; !survived; n++) {
        for (const when of ['before', 'after'] as const) {
          // Every shard differs from the previous release.
          await sampleOf(SAMPLE_SIZE, 100 + n * 2 + (when === 'after' ? 1 : 0));
          const next = await world.anotherBuild();
          const before = await world.current();
          const { ports, writes } = dying(n, when);
          const overrides = (await plan(next.folder, admin)).plan.guards.map(
            ({ guard }) => guard as PushGuard,
          );
          const settings = { ...SETTINGS, overrides };
          const died = await push(next.folder, ports, settings).then(
            () => false,
            (error: unknown) => {
              if (error instanceof Dead) return true;
              throw error;
            },
          );
          const release = next.manifest.release;
          expect([before, release]).toContain(await world.current());
          if (died) {
            deaths++;
            expect(writes()).toBe(n);
            const known = new Set(next.folder.journal?.keys ?? []);
            const put: string[] = [];
            const counting: TestKv = {
              ...kv,
              bulkPut: async (values) => {
                put.push(...values.keys());
                await kv.bulkPut(values);
              },
            };
            const done = await push(next.folder, { kv: counting, admin }, settings);
            expect(done).toMatchObject({ release, state: 'promoted' });
            // Values in the journal are not uploaded again.
            expect(put.filter((key) => known.has(key))).toEqual([]);
          } else survived = true;
          expect(await world.current()).toBe(release);
          for (const { key } of blobsOf(next.manifest))
            expect(await kv.get(key)).toEqual(next.folder.value(key));
        }
      }
      // Several files of values, the manifest, stage and promote.
      expect(deaths).toBeGreaterThanOrEqual(10);
    },
    VISIBLE_WAIT_MS,
  );

  it('continues only for the same KV', async () => {
    const next = await world.anotherBuild();
    const keys = blobsOf(next.manifest).map(({ key }) => key);
    next.folder.writeJournal({ target: 'another KV', keys });
    expect(await world.publish(next)).toMatchObject({ uploaded: 1 });
  });
});
