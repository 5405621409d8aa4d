/**
 * How long `vi.waitFor` and `vi.waitUntil` look for what must become so. They give up after a second unless they
 * get a bound: too soon on a busy machine. A hang is to be seen, and nothing else.
 */

/** Less than a test may take (vitest.config.ts), so that the failure names the condition. In ms. */
export const HANG_MS = 240_000;
