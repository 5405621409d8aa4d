/**
 * Uploads the missing values of a release to KV, in files that wrangler and the KV API accept. A journal is
 * written after each file, so an interrupted push resumes where it stopped.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import { releaseKey } from '../../shared/release/kv-keys.ts';
import { type Blob, blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import { CommandFailure } from '../failure.ts';
import { startProgress } from '../terminal/progress.ts';
import type { BuildFolder } from './build-folder.ts';
import type { Kv } from './wrangler.ts';

export interface Uploaded {
  readonly values: number;
  /** Values that this run uploaded. */
  readonly uploaded: number;
  readonly uploadedBytes: number;
}

export class Upload {
  readonly #folder: BuildFolder;
  readonly #manifest: Manifest;
  readonly #kv: Kv;
  /** Keys that this push or an earlier one uploaded. */
  readonly #pushed: Set<string>;
  /** Sizes of the values that this run uploaded, by key. */
  readonly #now = new Map<string, number>();

  constructor(folder: BuildFolder, manifest: Manifest, kv: Kv) {
    this.#folder = folder;
    this.#manifest = manifest;
    this.#kv = kv;
    const { journal } = folder;
    this.#pushed = new Set(journal?.target === kv.name ? journal.keys : []);
  }

  /** Keys recorded as uploaded. Some may have been removed since. */
  get pushed(): ReadonlySet<string> {
    return this.#pushed;
  }

  /** Uploads all values and the manifest. @param held keys of values assumed to be in KV */
  async run(held: ReadonlySet<string>): Promise<void> {
    for (const key of this.#pushed) if (!held.has(key)) this.#pushed.delete(key);
    await this.put((key) => !held.has(key));
    await this.#kv.put(releaseKey(this.#manifest.release), JSON.stringify(this.#folder.manifest));
  }

  /**
   * Handles values that are not visible in KV. Values of this run will become visible. If a value was only
   * assumed to be in KV, uploads all values that this run has not uploaded.
   */
  async putMissing(missing: readonly string[]): Promise<void> {
    if (missing.some((key) => !this.#now.has(key))) await this.put((key) => !this.#now.has(key));
  }

  get result(): Uploaded {
    const sizes = [...this.#now.values()];
    return {
      values: blobsOf(this.#manifest).length,
      uploaded: sizes.length,
      uploadedBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  /** Uploads values, even those that this run has already uploaded. */
  async put(isWanted: (key: string) => boolean): Promise<void> {
    const blobs = blobsOf(this.#manifest).filter(({ key }) => isWanted(key));
    const progress = startProgress('pushing');
    let sent = 0;
    try {
      for (const file of inFiles(blobs, this.#kv.bulkBytesMax)) {
        await this.#kv.bulkPut(await this.#valuesOf(file));
        for (const { key, bytes } of file) {
          this.#now.set(key, bytes);
          this.#pushed.add(key);
        }
        this.#folder.writeJournal({ target: this.#kv.name, keys: [...this.#pushed] });
        sent += file.length;
        progress.update(sent / blobs.length, `${sent} of ${blobs.length} values`);
      }
    } finally {
      progress.stop();
    }
  }

  /** The bytes of the values, verified against the signed manifest. */
  async #valuesOf(blobs: readonly Blob[]): Promise<Map<string, Uint8Array>> {
    const values = new Map<string, Uint8Array>();
    for (const { key, sha256 } of blobs) {
      const bytes = this.#folder.value(key);
      if ((await sha256Hex(bytes)) !== sha256)
        throw new CommandFailure(`${key} in ${this.#folder.path} differs from the manifest: build again`);
      values.set(key, bytes);
    }
    return values;
  }
}

/** Splits the values into runs of at most `bytesMax` bytes each, in order. */
export function inFiles<Value extends { readonly bytes: number }>(
  blobs: readonly Value[],
  bytesMax: number,
): Value[][] {
  const files: Value[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const blob of blobs) {
    if (size + blob.bytes > bytesMax) {
      files.push([]);
      size = 0;
    }
    files.at(-1)!.push(blob);
    size += blob.bytes;
  }
  return files;
}
