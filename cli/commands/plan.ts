/**
 * `numgate plan`: what a push would change against the current release, and which guards it would hit.
 * Changes nothing. The coordinator makes the same plan when the release is promoted and compares its hash.
 */
import type { GuardSettings } from '../../shared/release/guards.ts';
import type { Blob, Manifest } from '../../shared/release/manifest.ts';
import { type Plan, planOf } from '../../shared/release/plan.ts';
import { ReleaseUnreadable } from '../../shared/release/reading.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { type BaseRelease, currentRelease, ValueCache } from '../publish/base-release.ts';
import type { BuildFolder } from '../publish/build-folder.ts';
import { listKeys } from '../secrets.ts';

export interface PlanResult {
  readonly plan: Plan;
  readonly manifest: Manifest;
  readonly base: BaseRelease;
  readonly folder: BuildFolder;
}

export async function plan(folder: BuildFolder, admin: Admin): Promise<PlanResult> {
  const keys = await listKeys();
  const manifest = await folder.open(keys);
  const base = await currentRelease(admin, keys);
  const settings = await admin.get<GuardSettings>('guards');
  const cache = new ValueCache(admin);
  if (base.manifest !== null) await cache.keepOnly(base.manifest);
  const load = async (blob: Blob): Promise<Uint8Array<ArrayBuffer>> =>
    folder.has(blob.key) ? folder.value(blob.key) : cache.load(blob);
  const created = await planOf({ base: base.manifest, next: manifest, keys, load, settings }).catch(
    (error: unknown) => {
      if (error instanceof ReleaseUnreadable) throw new CommandFailure(error.message);
      throw error;
    },
  );
  return { plan: created, manifest, base, folder };
}
