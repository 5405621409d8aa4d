/**
 * Global setup: a folder for the bundle that all tests of a run share (shared-bundle.ts), and a cache of compiled code for the
 * processes and threads that tests start, because most of their time is their start.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { COMPILED } from '../../cli/paths.ts';
import { temporaryFolder } from '../../cli/temporary.ts';
import { BUNDLE_FOLDER } from './shared-bundle.ts';

/**
 * Runs for each project that starts services. The first one makes the folder.
 * @returns a function that ends the run
 */
export function setup(project: TestProject): () => void {
  process.env.NODE_COMPILE_CACHE ??= COMPILED;
  if (process.env[BUNDLE_FOLDER] !== undefined) return () => undefined;
  const { path, remove } = temporaryFolder('bundles');
  process.env[BUNDLE_FOLDER] = path;
  // In watch mode, the code has changed since the last run.
  project.onTestsRerun(() => {
    for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true });
  });
  return () => {
    delete process.env[BUNDLE_FOLDER];
    remove();
  };
}
