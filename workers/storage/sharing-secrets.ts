/** Opens SHARING_KEY once per isolate, because importing a key takes time. */
import type { Failure, Result } from '../../shared/result.ts';
import { openSharingKeys, type SharingKey } from '../../shared/sharing-keys.ts';
import type { ControlEnv } from '../env.ts';

let opened: {
  readonly text: string;
  readonly keys: Result<readonly SharingKey[], Failure<'NOT_CONFIGURED'>>;
} | null = null;

export async function sharingKeysOf({
  SHARING_KEY: text = '',
}: Pick<ControlEnv, 'SHARING_KEY'>): Promise<Result<readonly SharingKey[], Failure<'NOT_CONFIGURED'>>> {
  if (opened?.text !== text) opened = { text, keys: await openSharingKeys(text) };
  return opened.keys;
}
