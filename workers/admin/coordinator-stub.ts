/**
 * The coordinator as the admin routes call it.
 */
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { ControlEnv } from '../env.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';

/** The coordinator's methods as RPC calls. */
export type CoordinatorStub = {
  [Name in keyof Coordinator]: Coordinator[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function coordinatorOf({ COORDINATOR }: ControlEnv): CoordinatorStub {
  return COORDINATOR.getByName(COORDINATOR_NAME) as unknown as CoordinatorStub;
}
