/**
 * Every test starts with an empty store, and ends with real clocks and unwatched bindings. Import for its
 * effect; vitest.config.ts finds the files that do.
 */
import { reset } from 'cloudflare:test';
import { afterEach, beforeEach, vi } from 'vitest';

beforeEach(() => reset());

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
