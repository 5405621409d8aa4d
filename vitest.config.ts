import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { LIST_KEY, RELEASE_PUBLIC_KEYS } from './test/workers/support/secrets.ts';

/** A hang is to be seen, and nothing else: in ms, for a busy machine. A hook starts services, or builds lists. */
const WAITS = { testTimeout: 300_000, hookTimeout: 600_000 };

/**
 * Four projects. `node` and `workerd` run the same shared tests in both runtimes; `workerd` adds the
 * tests of the Worker itself; `http` starts the real service and talks to it over a socket; `gateways` puts
 * the examples between real gateways, where they are installed, and the real service.
 */
export default defineConfig({
  test: {
    // Much of the time is waited: for a change to be visible, for a service to start.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'node',
          include: ['shared', 'cli', 'bench', 'house'].map((folder) => `test/${folder}/**/*.test.ts`),
          ...WAITS,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            // Keys that everybody may know; they win over a developer's own secrets.
            miniflare: { bindings: { LIST_KEY, RELEASE_PUBLIC_KEYS } },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/shared/**/*.test.ts', 'test/workers/**/*.test.ts'],
          exclude: ['test/**/*.node.test.ts'],
          ...WAITS,
        },
      },
      {
        test: {
          name: 'http',
          include: ['test/conformance/**/*.test.ts'],
          ...WAITS,
        },
      },
      {
        test: {
          name: 'gateways',
          include: ['test/gateways/**/*.test.ts'],
          ...WAITS,
        },
      },
    ],
  },
});
