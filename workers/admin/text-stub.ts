/** The text store, as admin routes call it. */
import type { ControlEnv } from '../env.ts';
import { TEXT_NAME } from '../storage/text-port.ts';
import type { TextStore } from '../text/text-store.ts';
import type { AdminContext } from './context.ts';

/** The store's methods as RPC calls. */
export type TextStub = {
  [Name in keyof TextStore]: TextStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function textStoreOf({ env }: Pick<AdminContext, 'env'>): TextStub {
  const { TEXT } = env as unknown as ControlEnv;
  return TEXT.getByName(TEXT_NAME) as unknown as TextStub;
}
