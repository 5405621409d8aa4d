/**
 * References of feed entries: HMAC-SHA-256 under a key that derives from SHARING_KEY, truncated to 128 bits. Without
 * that key, nobody can find the number of a reference, not even by trying all numbers.
 */
import { toBase64Url, utf8 } from '../bytes.ts';
import type { SharingKey } from '../sharing-keys.ts';
import type { FeedSubject } from './entry.ts';

const KEY_BYTES = 32;
const REFERENCE_BYTES = 16;

export type ReferenceKind = 'number' | 'source' | 'campaign' | 'host';

export class ReferenceKey {
  readonly #key: CryptoKey;

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  static async open(sharing: SharingKey): Promise<ReferenceKey> {
    const bytes = await sharing.derive('feed reference', '', KEY_BYTES);
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    return new ReferenceKey(await crypto.subtle.importKey('raw', bytes, hmac, false, ['sign']));
  }

  /**
   * @param name E.164 of a number, the folded text of a source, the key ID and fingerprint of a campaign, or a list and one
   * of its hosts
   * @returns 22 characters of base64url
   */
  async reference(kind: ReferenceKind, name: string, subject: FeedSubject): Promise<string> {
    const named = utf8(`${kind}|${name}|${subject}`);
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', this.#key, named));
    return toBase64Url(mac.subarray(0, REFERENCE_BYTES));
  }
}
