/**
 * The keys of one installation. LIST_KEY holds one key, or two while it is rotated: the first writes, both read.
 * A value is opened with the key that its manifest names, or else with the first key that opens it.
 */
import { fromBase64 } from '../bytes.ts';
import { LIST_KEYS_MAX } from '../limits/lists.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { deriveListKeys, LIST_KEY_BYTES, type ListKeys } from './keys.ts';

/** A value, and the keys that it was opened with. */
export interface OpenedWith<Value> {
  readonly value: Value;
  readonly keys: ListKeys;
}

export class KeyRing {
  /** In the order of LIST_KEY, at least one. */
  readonly all: readonly ListKeys[];

  constructor(all: readonly [ListKeys, ...ListKeys[]]) {
    this.all = all;
  }

  /** The keys that new values are written with. */
  get writer(): ListKeys {
    return this.all[0]!;
  }

  /** Key IDs, the ID of the writer first. */
  get ids(): string[] {
    return this.all.map(({ keyId }) => keyId);
  }

  /** The keys with this ID, or null. */
  of(keyId: string): ListKeys | null {
    return this.all.find((keys) => keys.keyId === keyId) ?? null;
  }

  /** Opens a value with the first keys that open it. @param open returns null with the wrong keys */
  async open<Value>(open: (keys: ListKeys) => Promise<Value | null>): Promise<OpenedWith<Value> | null> {
    for (const keys of this.all) {
      const value = await open(keys);
      if (value !== null) return { value, keys };
    }
    return null;
  }
}

/** The parts of a LIST_KEY, as written. */
export function listKeyParts(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** @param text LIST_KEY: keys in base64, separated by commas. The message follows the words "LIST_KEY". */
export async function openKeyRing(text: string): Promise<Result<KeyRing, Failure<'LIST_KEY_INVALID'>>> {
  const form = `${LIST_KEY_BYTES} bytes in base64`;
  const parts = listKeyParts(text);
  if (parts.length > LIST_KEYS_MAX) {
    return fail('LIST_KEY_INVALID', `may hold at most ${LIST_KEYS_MAX} keys, but holds ${parts.length}`);
  }
  const secrets: Uint8Array<ArrayBuffer>[] = [];
  for (const part of parts) {
    const secret = fromBase64(part);
    if (secret === null || secret.length !== LIST_KEY_BYTES) {
      const name = parts.length === 1 ? 'must be' : `must hold keys of`;
      return fail('LIST_KEY_INVALID', `${name} ${form}${parts.length === 1 ? '' : ', separated by commas'}`);
    }
    secrets.push(secret);
  }
  const [writer, ...others] = await Promise.all(secrets.map(deriveListKeys));
  if (others.some(({ keyId }) => keyId === writer!.keyId)) {
    return fail('LIST_KEY_INVALID', 'holds the same key twice');
  }
  return ok(new KeyRing([writer!, ...others]));
}
