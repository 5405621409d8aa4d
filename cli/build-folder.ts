/**
 * A built release on disk: the signed manifest, the KV values, the rejects, and what it was built from.
 * Written beside and renamed, so a folder with a release's name is always whole.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltRelease } from '../shared/build/release.ts';
import { type Manifest, openManifest } from '../shared/release/manifest.ts';
import type { SignedText } from '../shared/release/signed.ts';
import type { ListKeys } from '../shared/set/keys.ts';
import type { InputReport } from './collect.ts';
import { CommandFailure, orFail } from './failure.ts';
import type { FoldedList } from './fold.ts';
import { publicKeys } from './secrets.ts';

/** What a build leaves beside the release. */
export interface BuildReport {
  readonly release: string;
  /** Path of the catalogue. */
  readonly catalogue: string;
  /** The moment that decided which entries had ended, in seconds since 1970. */
  readonly now: number;
  readonly inputs: readonly InputReport[];
  /** Rejects that are counted, and not in `rejects.csv`. */
  readonly rejectsNotWritten: number;
}

/** What a push has put into KV, in case it is interrupted. */
export interface Journal {
  /** Names the KV: another one has none of it. */
  readonly target: string;
  readonly keys: readonly string[];
}

/** What `prove` found. */
export interface Proof {
  readonly release: string;
  readonly asked: number;
  readonly wrong: number;
  /** Whether every number of 010 was asked, not only some beside the listed ones. */
  readonly complete: boolean;
}

export class BuildFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  #read<Value>(name: string): Value {
    const path = join(this.path, name);
    if (!existsSync(path)) throw new CommandFailure(`${path} is not there: is this the folder of a build?`);
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as Value;
    } catch {
      throw new CommandFailure(`${path} is damaged: build again`);
    }
  }

  get manifest(): SignedText {
    return this.#read('manifest.json');
  }

  /** What was signed, if it was by a key that is trusted here, for these lists. */
  async open({ keyId }: ListKeys): Promise<Manifest> {
    return orFail(await openManifest(this.manifest, await publicKeys(), keyId));
  }

  get report(): BuildReport {
    return this.#read('report.json');
  }

  /** The live entries that the release folds in. */
  get folded(): readonly FoldedList[] {
    return this.#read('folded.json');
  }

  /** Null if no push has begun. */
  get journal(): Journal | null {
    return existsSync(join(this.path, 'pushed.json')) ? this.#read('pushed.json') : null;
  }

  /** Beside and renamed: whenever a push dies, what it had done is known. */
  writeJournal(journal: Journal): void {
    const path = join(this.path, 'pushed.json');
    writeFileSync(`${path}.new`, `${JSON.stringify(journal)}\n`);
    renameSync(`${path}.new`, path);
  }

  /** Null if the release was not proven. */
  get proof(): Proof | null {
    return existsSync(join(this.path, 'proof.json')) ? this.#read('proof.json') : null;
  }

  writeProof(proof: Proof): void {
    writeFileSync(join(this.path, 'proof.json'), `${JSON.stringify(proof, null, 2)}\n`);
  }

  has(key: string): boolean {
    return existsSync(join(this.path, 'values', fileOfKey(key)));
  }

  /** The KV value of a key. */
  value(key: string): Uint8Array<ArrayBuffer> {
    const path = join(this.path, 'values', fileOfKey(key));
    if (!existsSync(path)) throw new CommandFailure(`${path} is not there: build again`);
    // A copy: small files share one buffer, and sections must start on a multiple of 8.
    return new Uint8Array(readFileSync(path));
  }
}

export function fileOfKey(key: string): string {
  return `${key.replace('/', '-')}.bin`;
}

/** Where rejects are written while a build runs, and kept if it stops on them. */
export function rejectsPath(builds: string): string {
  mkdirSync(builds, { recursive: true });
  return join(builds, 'rejects.csv');
}

export function writeBuild(
  builds: string,
  { manifest, values }: BuiltRelease,
  signed: SignedText,
  report: BuildReport,
  folded: readonly FoldedList[],
): BuildFolder {
  const path = join(builds, manifest.release);
  const unfinished = join(builds, `.unfinished-${process.pid}`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(join(unfinished, 'values'), { recursive: true });
  for (const [key, bytes] of values) writeFileSync(join(unfinished, 'values', fileOfKey(key)), bytes);
  writeFileSync(join(unfinished, 'manifest.json'), `${JSON.stringify(signed)}\n`);
  writeFileSync(join(unfinished, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  // It holds numbers in clear.
  writeFileSync(join(unfinished, 'folded.json'), `${JSON.stringify(folded)}\n`, { mode: 0o600 });
  renameSync(rejectsPath(builds), join(unfinished, 'rejects.csv'));
  rmSync(path, { recursive: true, force: true });
  renameSync(unfinished, path);
  return new BuildFolder(path);
}

/** The newest build, by its name, which begins with its time. */
export function newestBuild(builds: string): BuildFolder {
  const names = existsSync(builds) ? readdirSync(builds).filter((name) => /^\d{8}T\d{4}Z-/.test(name)) : [];
  const newest = names
    .map((name) => ({ name, at: readFolderTime(builds, name) }))
    .sort((a, b) => a.at - b.at)
    .at(-1);
  if (newest === undefined) throw new CommandFailure(`no build in ${builds}: run npm run lists -- build`);
  return new BuildFolder(join(builds, newest.name));
}

/** Two builds of one minute are told apart by their report. */
function readFolderTime(builds: string, name: string): number {
  const path = join(builds, name);
  return existsSync(join(path, 'report.json')) ? new BuildFolder(path).report.now : 0;
}
