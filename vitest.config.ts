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

/** Only a hang reaches these timeouts (ms), even on a busy machine. Hooks also start services or build lists. */
const TIMEOUTS = { testTimeout: 300_000, hookTimeout: 600_000 };

/** For projects that start the real service. */
const BUNDLES = './test/support/bundle-folder.ts';

const SHARED = 'test/shared/**/*.test.ts';
/** Shared tests for Node only: tests with files or processes, and tests of the builders, which no Worker contains. */
const NODE_ONLY = ['test/**/*.node.test.ts', 'test/shared/build/**/*.test.ts'];

const WORKERS = 'test/workers/**/*.test.ts';
/** Edge tests. Each file has its own isolate, because an edge isolate keeps values and pending loads across tests. */
const EDGE = ['*', '{edge,http}/**/*', 'storage/single-flight'].map((path) => `test/workers/${path}.test.ts`);
/** Empties the stores before every test. */
const FRESH = 'test/workers/support/fresh.ts';

function inWorkerd() {
  return cloudflareTest({
    wrangler: { configPath: './wrangler.toml' },
    // Public test keys. They replace a developer's own secrets.
    miniflare: {
      bindings: {
        ...{ LIST_KEY, RELEASE_PUBLIC_KEYS, CHECKPOINT_KEY, SHARING_KEY, TEXT_KEY, ROOT_TOKEN_SHA256 },
        PUBLIC_URL: 'https://numgate.example',
      },
      // AUDIT_EXPORT is absent, because only the export tests have a sink.
      r2Buckets: ['TEST_BUCKET'],
    },
  });
}

/**
 * Projects run in the order of their names. `conformance` comes first: it is one long file that mostly waits for changes to
 * become visible, so all other projects run beside it. `gateways` puts the examples between the real service and real gateways,
 * if installed. The shared tests run in both runtimes. In workerd, the files of a process share a runtime, which saves starts.
 * This is safe: shared tests are pure, and tests of the Workers begin with empty stores. Each edge test file has its own
 * runtime.
 */
export default defineConfig({
  test: {
    // Twice the processors of a small machine, because tests spend half of the time waiting.
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
