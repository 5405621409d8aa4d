/**
 * Remembers an unfinished bulk upload, so that the same command continues it under the same name. The service answers each
 * piece that it already has with its first result.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportedRow } from '../../shared/senders/registration-import.ts';
import { UPLOADS } from '../paths.ts';
import { privateFolder } from '../private-files.ts';

/** How long an upload is remembered if nobody continues it, in ms. The service keeps its results for a day. */
const KEPT_MS = 604_800_000;

interface Begun {
  /** Name of the upload. */
  readonly upload: string;
  /** Lines that are not uploaded, and why. */
  readonly rejected: readonly ImportedRow[];
}

export class UploadJournal {
  readonly #path: string;

  /** @param identity what makes two uploads the same: service, organisation, options, digest of the file */
  constructor(identity: readonly string[]) {
    const name = createHash('sha256').update(identity.join('\n')).digest('hex');
    this.#path = join(UPLOADS, `${name}.json`);
  }

  /** The unfinished upload, or null. */
  read(): Begun | null {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Begun;
    } catch {
      return null;
    }
  }

  /** Call it before anything is uploaded. */
  begin(rejected: readonly ImportedRow[]): Begun {
    privateFolder(UPLOADS);
    for (const path of readdirSync(UPLOADS).map((name) => join(UPLOADS, name)))
      if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
    const begun: Begun = { upload: crypto.randomUUID(), rejected };
    // A process that is killed here must not leave half of a journal under its name.
    const written = `${this.#path}.${process.pid}`;
    writeFileSync(written, JSON.stringify(begun), { mode: 0o600 });
    renameSync(written, this.#path);
    return begun;
  }

  end(): void {
    rmSync(this.#path, { force: true });
  }
}
