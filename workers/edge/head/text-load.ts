/** One load of the text release and the campaigns. Reads sealed values, and records refused ones instead of throwing. */
import type { NamedValue } from '../../../shared/release/head.ts';
import type { SignedText } from '../../../shared/release/signed.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import type { FingerprintKey } from '../../../shared/text/fingerprint.ts';
import { openTextManifest, type TextManifest } from '../../../shared/text/text-manifest.ts';
import { warn } from '../../log.ts';
import { textKeyOf } from '../../storage/text-secrets.ts';
import type { LoadContext } from './head-sources.ts';
import { readSealed } from './head-values.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A value that is refused, and why. */
export interface TextProblem {
  /** The key of a value in KV, or `TEXT_KEY`. */
  readonly key: string;
  readonly message: string;
}

/** A value in memory, with its key. */
export interface Held<Value> {
  readonly key: string;
  readonly value: Value;
}

export class TextLoad {
  readonly problems: TextProblem[] = [];
  readonly #loadContext: LoadContext;

  constructor(loadContext: LoadContext) {
    this.#loadContext = loadContext;
  }

  get dataCentre(): string {
    return this.#loadContext.dataCentre;
  }

  /** @param open returns null or throws a LayoutError if the content is invalid @returns null if the value is refused */
  async value<Value>(named: NamedValue, open: (content: Bytes) => Value | null): Promise<Held<Value> | null> {
    const { key } = named;
    const content = await readSealed(named, this.#loadContext);
    if (typeof content === 'string') return this.#refuse(key, content);
    try {
      const value = open(content);
      return value === null ? this.#refuse(key, 'VALUE_INVALID') : { key, value };
    } catch (error) {
      if (error instanceof LayoutError) return this.#refuse(key, `VALUE_INVALID: ${error.message}`);
      throw error;
    }
  }

  /** @param key of the index that contains the manifest @returns null if the manifest is refused */
  async manifest(envelope: SignedText, key: string): Promise<TextManifest | null> {
    const opened = await openTextManifest(envelope, this.#loadContext.secrets.publicKeys);
    return opened.ok ? opened.value : this.#refuse(key, `${opened.code}: ${opened.message}`);
  }

  /** @param isNeeded whether there are campaigns, which need the key @returns null without a valid TEXT_KEY */
  async fingerprintKey(isNeeded: boolean): Promise<FingerprintKey | null> {
    const { env } = this.#loadContext;
    if (!isNeeded && (env.TEXT_KEY ?? '') === '') return null;
    const key = await textKeyOf(env);
    return key.ok ? key.value : this.#refuse('TEXT_KEY', key.message);
  }

  #refuse(key: string, message: string): null {
    this.problems.push({ key, message });
    return null;
  }

  /** Logs the new problems. @param before the problems that are already in the log */
  log(before: readonly TextProblem[]): void {
    for (const { key, message } of this.problems)
      if (!before.some((each) => each.key === key && each.message === message))
        warn('textRefused', { key, message });
  }
}
