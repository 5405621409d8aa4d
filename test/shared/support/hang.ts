/**
 * How long `vi.waitFor` and `vi.waitUntil` wait for a condition. Their default of one second is too short on a
 * busy machine. Only a hang should reach this limit.
 */

/** Shorter than the timeout of a test (vitest.config.ts), so that the failure names the condition. In ms. */
export const HANG_MS = 240_000;
