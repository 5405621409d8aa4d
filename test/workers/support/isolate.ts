/**
 * Tests of the edge start with an isolate that knows nothing, and with a coordinator that has nothing:
 * they read the head that is in KV, or give the fake authority another fate. Import for its effect.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, vi } from 'vitest';
import { resetIsolate } from '../../../workers/edge/isolate.ts';
import { FakeCoordinator } from './fake-coordinator.ts';
import './fresh.ts';
import { resetPublished } from './world.ts';

let current: FakeCoordinator;

/** The coordinator that the edge is bound to in this test. */
export function fakeCoordinator(): FakeCoordinator {
  return current;
}

beforeEach(() => {
  current = new FakeCoordinator();
  vi.spyOn(env.COORDINATOR, 'getByName').mockReturnValue(current as never);
  resetIsolate();
  resetPublished();
});
