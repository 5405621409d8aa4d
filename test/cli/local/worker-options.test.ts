/** The Workers of wrangler.toml in Miniflare. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { workerOptionsOf } from '../../../cli/local/worker-options.ts';

it.each(['', 'edge', 'control'])('environment "%s" has its files without a router', (env) => {
  const { assets, serviceBindings } = workerOptionsOf(env);
  expect(assets).toBeUndefined();
  const { disk } = serviceBindings!.ASSETS as { disk: { path: string; writable: boolean } };
  expect(disk.writable).toBe(false);
  expect(existsSync(join(disk.path, 'openapi.json'))).toBe(true);
});
