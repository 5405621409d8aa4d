/**
 * Tests of the edge start with a cold isolate and a coordinator without a head. They read the head from KV, or
 * change the behaviour of the fake coordinator.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, vi } from 'vitest';
import { resetIsolate } from '../../../workers/edge/isolate.ts';
import { FakeCoordinator } from './fake-coordinator.ts';
import { resetPublished } from './world.ts';

let current: FakeCoordinator;

/** The fake coordinator of this test's edge. */
export function fakeCoordinator(): FakeCoordinator {
  return current;
}

/** Each test of the file begins with a cold isolate and its own coordinator. */
export function coldIsolate(): void {
  beforeEach(() => {
    current = new FakeCoordinator();
    vi.spyOn(env.COORDINATOR, 'getByName').mockReturnValue(current as never);
    resetIsolate();
    resetPublished();
  });
}
