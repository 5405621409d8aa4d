import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import {
  CHECKPOINT_KEY,
  LIST_KEY,
  RELEASE_PUBLIC_KEYS,
  ROOT_TOKEN_SHA256,
  SHARING_KEY,
  TEXT_KEY,
} from './test/workers/support/secrets.ts';

/** Only a hang reaches these, also on a busy machine, in ms. A hook starts services, or builds lists. */
const TIMEOUTS = { testTimeout: 300_000, hookTimeout: 600_000 };

/** For projects that start the real service. */
const BUNDLES = './test/support/bundle-folder.ts';

const SHARED = 'test/shared/**/*.test.ts';
/** Shared tests that use files or processes, and those of the builders, which no Worker contains. */
const NODE_ONLY = ['test/**/*.node.test.ts', 'test/shared/build/**/*.test.ts'];

const WORKERS = 'test/workers/**/*.test.ts';
/** An isolate of the edge keeps values and loads under way, and an object of one file may not use those of another. */
const EDGE = ['*', '{edge,http}/**/*', 'storage/single-flight'].map((path) => `test/workers/${path}.test.ts`);
/** Every test begins with empty stores. */
const FRESH = 'test/workers/support/fresh.ts';

function inWorkerd() {
  return cloudflareTest({
    wrangler: { configPath: './wrangler.toml' },
    // Public keys. They replace a developer's own secrets.
    miniflare: {
      bindings: {
        ...{ LIST_KEY, RELEASE_PUBLIC_KEYS, CHECKPOINT_KEY, SHARING_KEY, TEXT_KEY, ROOT_TOKEN_SHA256 },
        PUBLIC_URL: 'https://numgate.example',
      },
      // Not AUDIT_EXPORT: only tests of the export have a sink.
      r2Buckets: ['TEST_BUCKET'],
    },
  });
}

/**
 * Projects run in the order of their names. `conformance` comes first: it is one long file that mostly waits
 * for changes to become visible, so all others run beside it. `gateways` puts the examples between real
 * gateways, if these are installed, and the real service. The shared tests run in both runtimes. In workerd, all files of a
 * process share one runtime, which saves its start for every file: the shared tests are pure, and those of the Workers begin
 * with empty stores. Those of the edge have a runtime for each file.
 */
export default defineConfig({
  test: {
    // Twice the processors of a small machine, because half of the time is spent waiting.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          globalSetup: BUNDLES,
          ...TIMEOUTS,
        },
      },
      {
        test: {
          name: 'gateways',
          include: ['test/gateways/**/*.test.ts'],
          globalSetup: BUNDLES,
          ...TIMEOUTS,
        },
      },
      {
        test: {
          name: 'node',
          include: ['cli', 'bench', 'house'].map((folder) => `test/${folder}/**/*.test.ts`),
          globalSetup: BUNDLES,
          ...TIMEOUTS,
        },
      },
      { test: { name: 'shared-node', include: [SHARED], isolate: false, ...TIMEOUTS } },
      {
        plugins: [inWorkerd()],
        test: {
          name: 'shared-workerd',
          include: [SHARED],
          exclude: NODE_ONLY,
          isolate: false,
          ...TIMEOUTS,
        },
      },
      {
        plugins: [inWorkerd()],
        test: {
          name: 'workerd',
          include: [WORKERS],
          exclude: EDGE,
          setupFiles: [FRESH],
          isolate: false,
          ...TIMEOUTS,
        },
      },
      {
        plugins: [inWorkerd()],
        test: { name: 'workerd-edge', include: EDGE, setupFiles: [FRESH], ...TIMEOUTS },
      },
    ],
  },
});
