/**
 * A built release on disk: the signed manifest, the KV values, the rejects and the build inputs. A build is
 * written to a temporary folder and then renamed, so a folder with a release's name is always complete.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltRelease } from '../../shared/build/release.ts';
import { type Manifest, openManifest } from '../../shared/release/manifest.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import type { InputReport } from '../import/collect.ts';
import type { FoldedList } from '../import/fold.ts';
import { BUILDS } from '../paths.ts';
import { privateFolder } from '../private-files.ts';
import { publicKeys } from '../secrets.ts';
import { unfinishedFolder } from '../temporary.ts';

/** What a build records about its inputs. */
export interface BuildReport {
  readonly release: string;
  /** Path of the catalogue. */
  readonly catalogue: string;
  /** Paths of the catalogues that it includes. Builds of older versions have none. */
  readonly included?: readonly string[];
  /** Time of the build, in seconds since 1970. Entries that expired before it are not listed. */
  readonly now: number;
  readonly inputs: readonly InputReport[];
  /** Rejects that were counted but not written to `rejects.csv`. */
  readonly rejectsNotWritten: number;
  /** The only authority whose lists the build replaced: `build --authority`. */
  readonly authority?: string;
}

/** The values that a push has put into KV, in case the push is interrupted. */
export interface Journal {
  /** Name of the KV store. Another store has none of these keys. */
  readonly target: string;
  readonly keys: readonly string[];
}

/** Result of `prove`. */
export interface Proof {
  readonly release: string;
  readonly lookups: number;
  readonly wrong: number;
  /** Whether every number of 010 was checked, not only a sample and the listed numbers. */
  readonly complete: boolean;
}

export class BuildFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  #read<Value>(name: string): Value {
    const path = join(this.path, name);
    if (!existsSync(path))
      throw new CommandFailure(`${path} does not exist: check that this is the folder of a build`);
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as Value;
    } catch {
      throw new CommandFailure(`${path} is damaged: build again`);
    }
  }

  #readIfThere<Value>(name: string): Value | null {
    return existsSync(join(this.path, name)) ? this.#read(name) : null;
  }

  get manifest(): SignedText {
    return this.#read('manifest.json');
  }

  /** Opens the manifest. It must be signed by a trusted key and match the key of these lists. */
  async open({ ids }: KeyRing): Promise<Manifest> {
    return unwrap(await openManifest(this.manifest, await publicKeys(), ids));
  }

  /** Opens the manifest of the release that `build --authority` carried lists over from. */
  async openBase({ keyId }: ListKeys): Promise<Manifest> {
    return unwrap(await openManifest(this.#read('base.json'), await publicKeys(), [keyId]));
  }

  get report(): BuildReport {
    return this.#read('report.json');
  }

  /** Path of the registered senders that the release was built with. Null if it has none, or those of its base. */
  get registrations(): string | null {
    const path = join(this.path, REGISTRATIONS);
    return existsSync(path) ? path : null;
  }

  /** The live entries that the release folds in. */
  get folded(): readonly FoldedList[] {
    return this.#read('folded.json');
  }

  /** Null if no push has begun. */
  get journal(): Journal | null {
    return this.#readIfThere('pushed.json');
  }

  /** Written to a temporary file and renamed, so that a command that dies leaves the file whole or absent. */
  #write(name: string, text: string): void {
    const path = join(this.path, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  writeJournal(journal: Journal): void {
    this.#write('pushed.json', `${JSON.stringify(journal)}\n`);
  }

  /** Null if the release was not proven. */
  get proof(): Proof | null {
    return this.#readIfThere('proof.json');
  }

  writeProof(proof: Proof): void {
    this.#write('proof.json', `${JSON.stringify(proof, null, 2)}\n`);
  }

  has(key: string): boolean {
    return existsSync(join(this.path, 'values', fileOfKey(key)));
  }

  /** The KV value of a key. */
  value(key: string): Uint8Array<ArrayBuffer> {
    const path = join(this.path, 'values', fileOfKey(key));
    if (!existsSync(path)) throw new CommandFailure(`${path} does not exist: build again`);
    // Copy: small files share one buffer, and sections must start at a multiple of 8.
    return new Uint8Array(readFileSync(path));
  }
}

export function fileOfKey(key: string): string {
  return `${key.replace('/', '-')}.bin`;
}

/** Where a build writes rejects while it runs. The file stays if the build stops because of them. */
export function rejectsPath(builds: string): string {
  // Any other folder keeps its permissions.
  if (builds === BUILDS) privateFolder(builds);
  else mkdirSync(builds, { recursive: true });
  return join(builds, 'rejects.csv');
}

const REGISTRATIONS = 'registrations.ndjson.gz';

/** Where a build keeps its registered senders while it runs. */
export function registrationsPath(builds: string): string {
  return join(builds, REGISTRATIONS);
}

export function writeBuild(
  builds: string,
  { manifest, values }: BuiltRelease,
  signed: SignedText,
  report: BuildReport,
  folded: readonly FoldedList[],
  /** Manifest of the release whose lists or registered senders were carried over. */
  base: SignedText | null,
): BuildFolder {
  const path = join(builds, manifest.release);
  const unfinished = unfinishedFolder(builds);
  mkdirSync(join(unfinished, 'values'));
  for (const [key, bytes] of values) writeFileSync(join(unfinished, 'values', fileOfKey(key)), bytes);
  writeFileSync(join(unfinished, 'manifest.json'), `${JSON.stringify(signed)}\n`);
  writeFileSync(join(unfinished, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  if (base !== null) writeFileSync(join(unfinished, 'base.json'), `${JSON.stringify(base)}\n`);
  // The file holds numbers in clear.
  writeFileSync(join(unfinished, 'folded.json'), `${JSON.stringify(folded)}\n`, { mode: 0o600 });
  renameSync(rejectsPath(builds), join(unfinished, 'rejects.csv'));
  const registrations = registrationsPath(builds);
  if (existsSync(registrations)) renameSync(registrations, join(unfinished, REGISTRATIONS));
  rmSync(path, { recursive: true, force: true });
  renameSync(unfinished, path);
  return new BuildFolder(path);
}

/** The newest build by its build time. */
export function newestBuild(builds: string): BuildFolder {
  const names = existsSync(builds) ? readdirSync(builds).filter((name) => /^\d{8}T\d{4}Z-/.test(name)) : [];
  const newest = names
    .map((name) => ({ name, at: readFolderTime(builds, name) }))
    .sort((a, b) => a.at - b.at)
    .at(-1);
  if (newest === undefined) throw new CommandFailure(`no build in ${builds}: run npx numgate build`);
  return new BuildFolder(join(builds, newest.name));
}

/** The time of a build orders builds of the same minute. Their names do not. */
function readFolderTime(builds: string, name: string): number {
  const path = join(builds, name);
  return existsSync(join(path, 'report.json')) ? new BuildFolder(path).report.now : 0;
}
