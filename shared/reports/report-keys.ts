/**
 * Keys of the joint response, derived from one secret that the desk makes once and keeps (`reportKey`): HKDF-SHA-256
 * with a label per use. Reporters and subjects are kept only as keyed values of 128 bits in base64url. A subject is
 * also kept sealed, because the person who decides about it must know the number. A reporter is never kept sealed.
 */
import { fromBase64Url, toBase64Url, utf8 } from '../bytes.ts';
import type { ReportSubject } from './report.ts';

/** Bytes of a keyed value. Among 2^40 subjects or reporters, two share a value with probability 2^-49. */
const KEYED_BYTES = 16;
/** Bytes of the nonce of AES-GCM. */
const NONCE_BYTES = 12;

const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;

export class ReportKeys {
  readonly #subjects: CryptoKey;
  readonly #reporters: CryptoKey;
  readonly #seal: CryptoKey;

  private constructor(subjects: CryptoKey, reporters: CryptoKey, seal: CryptoKey) {
    this.#subjects = subjects;
    this.#reporters = reporters;
    this.#seal = seal;
  }

  /** @param secret 32 random bytes */
  static async open(secret: Uint8Array<ArrayBuffer>): Promise<ReportKeys> {
    const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
    const derive = (label: string): Promise<ArrayBuffer> =>
      crypto.subtle.deriveBits(
        { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(label) },
        base,
        256,
      );
    return new ReportKeys(
      await crypto.subtle.importKey('raw', await derive('numgate/1 report subjects'), HMAC, false, ['sign']),
      await crypto.subtle.importKey('raw', await derive('numgate/1 reporters'), HMAC, false, ['sign']),
      await crypto.subtle.importKey('raw', await derive('numgate/1 report seal'), 'AES-GCM', false, [
        'encrypt',
        'decrypt',
      ]),
    );
  }

  /** @param mock whether a mock partner reports it: subjects of mock partners never equal those of others */
  subject(subject: ReportSubject, mock: boolean): Promise<string> {
    return keyed(this.#subjects, `${mock ? 'mock ' : ''}${textOf(subject)}`);
  }

  /** Keys a range, in which the blocks that rules make are counted. @param block a number div RANGE_NUMBERS */
  hundred(block: number): Promise<string> {
    return keyed(this.#subjects, `hundred ${block}`);
  }

  /** @param reporter as `parseReport` gives it */
  reporter(reporter: string): Promise<string> {
    return keyed(this.#reporters, reporter);
  }

  /** Seals the subject, in base64url. Only these keys open it. The nonce is random, so no two seals are equal. */
  async seal(subject: ReportSubject): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const text = utf8(textOf(subject));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.#seal, text));
    const bytes = new Uint8Array(NONCE_BYTES + sealed.length);
    bytes.set(iv);
    bytes.set(sealed, NONCE_BYTES);
    return toBase64Url(bytes);
  }

  /** Null if the seal was altered, or made with other keys. */
  async unseal(seal: string): Promise<ReportSubject | null> {
    const bytes = fromBase64Url(seal);
    if (bytes === null || bytes.length <= NONCE_BYTES) return null;
    try {
      const cipher = { name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES) };
      const text = await crypto.subtle.decrypt(cipher, this.#seal, bytes.subarray(NONCE_BYTES));
      return subjectOf(new TextDecoder().decode(text));
    } catch {
      return null;
    }
  }
}

async function keyed(key: CryptoKey, text: string): Promise<string> {
  const mac = await crypto.subtle.sign('HMAC', key, utf8(text));
  return toBase64Url(new Uint8Array(mac, 0, KEYED_BYTES));
}

function textOf(subject: ReportSubject): string {
  switch (subject.kind) {
    case 'number':
      return `number ${subject.n}`;
    case 'source':
      return `source ${subject.text}`;
    case 'campaign':
      return `campaign ${subject.id}`;
  }
}

function subjectOf(text: string): ReportSubject {
  const at = text.indexOf(' ');
  const value = text.slice(at + 1);
  switch (text.slice(0, at)) {
    case 'number':
      return { kind: 'number', n: Number(value) };
    case 'campaign':
      return { kind: 'campaign', id: Number(value) };
    default:
      return { kind: 'source', text: value };
  }
}
