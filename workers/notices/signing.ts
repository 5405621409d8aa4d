/**
 * Signs what webhooks get: Standard Webhooks 1.0.0, with HMAC-SHA-256 (`v1`) and Ed25519 (`v1a`). The keys are
 * derived from SHARING_KEY, so none is stored.
 */
import { toBase64, utf8 } from '../../shared/bytes.ts';
import { ed25519Pair } from '../../shared/ed25519.ts';
import type { SharingKey } from '../../shared/sharing-keys.ts';

const SECRET_BYTES = 32;
const SECRET_PREFIX = 'whsec_';
const PUBLIC_PREFIX = 'whpk_';
/** Secrets that an object keeps in memory, by name: enough for 8 webhooks while everything is rotated. */
const OPENED_MAX = 64;

/** Names a secret of a webhook. `n` rises with each rotation. */
export interface SecretName {
  readonly organisation: string;
  readonly webhook: string;
  readonly n: number;
}

interface Opened {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hmac: CryptoKey;
  readonly ed25519: CryptoKey;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

export class WebhookSigner {
  readonly #keys: readonly SharingKey[];
  readonly #opened = new Map<string, Promise<readonly Opened[]>>();

  /** @param keys the first one makes new secrets; all of them sign */
  constructor(keys: readonly SharingKey[]) {
    this.#keys = keys;
  }

  /** The secret and public key for the receiver, in the text form of Standard Webhooks. */
  async secretOf(name: SecretName): Promise<{ readonly secret: string; readonly publicKey: string }> {
    const [first] = await this.#open(name);
    return {
      secret: SECRET_PREFIX + toBase64(first!.bytes),
      publicKey: PUBLIC_PREFIX + toBase64(first!.publicKey),
    };
  }

  /**
   * `webhook-signature`: a signature of each kind by each secret, separated by spaces.
   * @param content `<webhook-id>.<webhook-timestamp>.<body>`
   */
  async sign(names: readonly SecretName[], content: string): Promise<string> {
    const bytes = utf8(content);
    const secrets = (await Promise.all(names.map((name) => this.#open(name)))).flat();
    const signatures = secrets.flatMap(({ hmac, ed25519 }) => [
      signature('v1', crypto.subtle.sign('HMAC', hmac, bytes)),
      signature('v1a', crypto.subtle.sign('Ed25519', ed25519, bytes)),
    ]);
    return (await Promise.all(signatures)).join(' ');
  }

  #open(name: SecretName): Promise<readonly Opened[]> {
    const text = `${name.organisation}/${name.webhook}#${name.n}`;
    const opened = this.#opened.get(text) ?? Promise.all(this.#keys.map((key) => openSecret(key, text)));
    if (this.#opened.size >= OPENED_MAX) this.#opened.clear();
    this.#opened.set(text, opened);
    return opened;
  }
}

async function openSecret(key: SharingKey, name: string): Promise<Opened> {
  const [bytes, seed] = await Promise.all([
    key.derive('webhook hmac', name, SECRET_BYTES),
    key.derive('webhook ed25519', name, SECRET_BYTES),
  ]);
  const hmac = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  const pair = await ed25519Pair(seed);
  if (pair === null) throw new Error('the runtime has no Ed25519');
  return { bytes, hmac, ed25519: pair.key, publicKey: pair.publicKey };
}

async function signature(version: string, bytes: Promise<ArrayBuffer>): Promise<string> {
  return `${version},${toBase64(new Uint8Array(await bytes))}`;
}
