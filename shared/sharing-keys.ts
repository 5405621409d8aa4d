/**
 * Keys of the systems that numgate shares with. They derive from one secret, SHARING_KEY, by HKDF-SHA-256 (RFC 5869) with a
 * label for each use, so none of them is stored. SHARING_KEY does not rotate with LIST_KEY, because other systems hold
 * the derived keys.
 */
import { fromBase64, utf8 } from './bytes.ts';
import { type Failure, fail, ok, type Result } from './result.ts';

/** Length of SHARING_KEY in bytes. */
export const SHARING_KEY_BYTES = 32;
/** Keys in SHARING_KEY during a rotation. */
const SHARING_KEYS_MAX = 2;

/** Derives keys from one SHARING_KEY. */
export class SharingKey {
  readonly #base: CryptoKey;

  constructor(base: CryptoKey) {
    this.#base = base;
  }

  /**
   * @param use purpose of the bytes, such as `feed consumer`
   * @param name receiver of the bytes, such as `acme/reader`, with the number of the key
   */
  async derive(use: string, name: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const info = utf8(JSON.stringify(['numgate/1 sharing', use, name]));
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info };
    return new Uint8Array(await crypto.subtle.deriveBits(hkdf, this.#base, bytes * 8));
  }
}

/**
 * @param text SHARING_KEY: one key in base64, or two separated by a comma. The first one writes.
 * @returns at least one key
 */
export async function openSharingKeys(
  text: string,
): Promise<Result<readonly SharingKey[], Failure<'NOT_CONFIGURED'>>> {
  const parts = text.split(',').map((part) => fromBase64(part.trim()));
  const isValid = parts.length <= SHARING_KEYS_MAX && parts.every((key) => key?.length === SHARING_KEY_BYTES);
  if (text === '' || !isValid) {
    const problem = text === '' ? 'is not set' : `must be ${SHARING_KEY_BYTES} bytes in base64`;
    return fail('NOT_CONFIGURED', `SHARING_KEY ${problem}: set it with wrangler secret put SHARING_KEY`);
  }
  const imported = parts.map((key) => crypto.subtle.importKey('raw', key!, 'HKDF', false, ['deriveBits']));
  return ok((await Promise.all(imported)).map((base) => new SharingKey(base)));
}
