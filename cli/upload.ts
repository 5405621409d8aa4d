/**
 * Puts the values of a release into KV: what is not there yet, in files that wrangler and the API of KV
 * take. What was put is written down after each file, so that a push that died goes on where it was.
 */
import { sha256Hex } from '../shared/bytes.ts';
import { releaseKey } from '../shared/release/kv-keys.ts';
import { type Blob, blobsOf, type Manifest } from '../shared/release/manifest.ts';
import type { BuildFolder } from './build-folder.ts';
import { CommandFailure } from './failure.ts';
import { startProgress } from './progress.ts';
import type { Kv } from './wrangler.ts';

export interface Uploaded {
  readonly values: number;
  /** Values that were put there now. */
  readonly uploaded: number;
  readonly uploadedBytes: number;
}

export class Upload {
  readonly #folder: BuildFolder;
  readonly #manifest: Manifest;
  readonly #kv: Kv;
  /** Keys that a push put there, this one or one before it. */
  readonly #pushed: Set<string>;
  /** Values that this run put there. */
  readonly #now = new Map<string, number>();

  constructor(folder: BuildFolder, manifest: Manifest, kv: Kv) {
    this.#folder = folder;
    this.#manifest = manifest;
    this.#kv = kv;
    const { journal } = folder;
    this.#pushed = new Set(journal?.target === kv.name ? journal.keys : []);
  }

  /** Keys that were written down as put there. Some may have been removed since. */
  get pushed(): ReadonlySet<string> {
    return this.#pushed;
  }

  /** Put all values and the manifest there. @param held keys of values that are taken for being there */
  async run(held: ReadonlySet<string>): Promise<void> {
    for (const key of this.#pushed) if (!held.has(key)) this.#pushed.delete(key);
    await this.#put(({ key }) => !held.has(key));
    await this.#kv.put(releaseKey(this.#manifest.release), JSON.stringify(this.#folder.manifest));
  }

  /**
   * Values are not to be seen in KV. Those of this run will be; where one was only taken for being there,
   * none of the others is taken for it any more.
   */
  async mend(missing: readonly string[]): Promise<void> {
    if (missing.every((key) => this.#now.has(key))) return;
    await this.#put(({ key }) => !this.#now.has(key));
  }

  /** Put there again what was removed, also where this run had put it there. */
  async again(isRemoved: (key: string) => boolean): Promise<void> {
    await this.#put(({ key }) => isRemoved(key));
  }

  get outcome(): Uploaded {
    const sizes = [...this.#now.values()];
    return {
      values: blobsOf(this.#manifest).length,
      uploaded: sizes.length,
      uploadedBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  async #put(wanted: (blob: Blob) => boolean): Promise<void> {
    const blobs = blobsOf(this.#manifest).filter(wanted);
    const progress = startProgress('pushing');
    let sent = 0;
    try {
      for (const file of inFiles(blobs, this.#kv.bulkBytesMax)) {
        await this.#kv.bulkPut(await this.#valuesOf(file));
        for (const { key, bytes } of file) this.#now.set(key, bytes);
        this.#note(file);
        sent += file.length;
        progress.update(sent / blobs.length, `${sent} of ${blobs.length} values`);
      }
    } finally {
      progress.stop();
    }
  }

  #note(blobs: readonly Blob[]): void {
    for (const { key } of blobs) this.#pushed.add(key);
    this.#folder.writeJournal({ target: this.#kv.name, keys: [...this.#pushed] });
  }

  /** The bytes of the values, if they are those that the manifest was signed for. */
  async #valuesOf(blobs: readonly Blob[]): Promise<Map<string, Uint8Array>> {
    const values = new Map<string, Uint8Array>();
    for (const { key, sha256 } of blobs) {
      const bytes = this.#folder.value(key);
      if ((await sha256Hex(bytes)) !== sha256)
        throw new CommandFailure(`${key} in ${this.#folder.path} is not what the manifest says: build again`);
      values.set(key, bytes);
    }
    return values;
  }
}

/** Cut into runs of at most so many bytes each, in order. */
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
