/**
 * The bundle of the Worker, made once per run because it takes wrangler seconds. The first process that needs
 * the bundle makes it.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { bundle } from '../../cli/local/bundle.ts';
import { HANG_MS } from '../shared/support/hang.ts';

/** Environment variable with the folder of the run. Test processes inherit it. */
export const BUNDLE_FOLDER = 'NUMGATE_TEST_BUNDLES';

const CHECK_EVERY_MS = 50;

/** @returns the folder of the bundle. Rejects if it could not be made, here or in another process */
export async function sharedBundle(): Promise<string> {
  const folder = process.env[BUNDLE_FOLDER]!;
  const path = join(folder, 'suite');
  const failed = join(folder, 'failed');
  if (claim(join(folder, 'claim'))) {
    try {
      await bundle('', `${path}.new`);
      renameSync(`${path}.new`, path);
    } catch (error) {
      writeFileSync(failed, String(error));
      throw error;
    }
  }
  const deadline = Date.now() + HANG_MS;
  while (!existsSync(path)) {
    if (existsSync(failed) || Date.now() > deadline)
      throw new Error('another process could not make the bundle');
    await setTimeout(CHECK_EVERY_MS);
  }
  return path;
}

/** @returns whether this is the first call in the run */
function claim(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    return false;
  }
}
