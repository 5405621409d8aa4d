/** Opens TEXT_KEY once per isolate, because deriving a key takes time. */
import { fromBase64 } from '../../shared/bytes.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { deriveFingerprintKey, type FingerprintKey, TEXT_KEY_BYTES } from '../../shared/text/fingerprint.ts';
import type { Env } from '../env.ts';

type OpenedKey = Result<FingerprintKey, Failure<'NOT_CONFIGURED'>>;

let opened: { readonly text: string; readonly key: OpenedKey } | null = null;

/** The key of fingerprints. Without it, no campaign is recognised. */
export async function textKeyOf({ TEXT_KEY: text = '' }: Pick<Env, 'TEXT_KEY'>): Promise<OpenedKey> {
  if (opened?.text !== text) opened = { text, key: await open(text) };
  return opened.key;
}

async function open(text: string): Promise<OpenedKey> {
  if (text === '')
    return fail('NOT_CONFIGURED', 'TEXT_KEY is not set: set it with wrangler secret put TEXT_KEY');
  const bytes = fromBase64(text.trim());
  if (bytes?.length !== TEXT_KEY_BYTES)
    return fail('NOT_CONFIGURED', `TEXT_KEY must be ${TEXT_KEY_BYTES} bytes in base64`);
  return ok(await deriveFingerprintKey(bytes));
}
