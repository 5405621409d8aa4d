/**
 * Every test starts with an empty store and an isolate that knows nothing, and ends with real clocks
 * and unwatched bindings. Import for its effect.
 */
import { reset } from 'cloudflare:test';
import { afterEach, beforeEach, vi } from 'vitest';
import { resetIsolate } from '../../../workers/call.ts';

beforeEach(async () => {
  await reset();
  resetIsolate();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
