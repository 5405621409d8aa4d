/**
 * Tests of the edge start with an isolate that knows nothing, and with a coordinator that has nothing:
 * they read the head that is in KV, or give the fake authority another fate. Import for its effect.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, vi } from 'vitest';
import { resetIsolate } from '../../../workers/edge/isolate.ts';
import { FakeAuthority } from './fake-coordinator.ts';
import './fresh.ts';
import { forgetWorld } from './world.ts';

let current: FakeAuthority;

/** The coordinator that the edge is bound to in this test. */
export function fakeAuthority(): FakeAuthority {
  return current;
}

beforeEach(() => {
  current = new FakeAuthority();
  vi.spyOn(env.COORDINATOR, 'getByName').mockReturnValue(current as never);
  resetIsolate();
  forgetWorld();
});
