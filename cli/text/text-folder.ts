/**
 * A built text release on disk: the signed manifest, the sealed values, and a report of the inputs. A build is written to a
 * temporary folder and then renamed, so a folder with a release's name is always complete.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltTextRelease } from '../../shared/build/text-release.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import { parseSignedText, type SignedText } from '../../shared/release/signed.ts';
import { openTextManifest, type TextManifest, textValuesOf } from '../../shared/text/text-manifest.ts';
import { CommandFailure, describeFileError, unwrap } from '../failure.ts';
import { TEXT_BUILDS } from '../paths.ts';
import { privateFolder } from '../private-files.ts';
import { fileOfKey } from '../publish/build-folder.ts';
import { publicKeys } from '../secrets.ts';
import { unfinishedFolder } from '../temporary.ts';
import type { HostListReport, RejectedHost } from './host-lists.ts';

/** What a build records about its inputs. */
export interface TextBuildReport {
  readonly release: string;
  /** Time of the build, in ms since 1970. It orders builds of the same minute. */
  readonly builtAt: number;
  readonly hostLists: readonly HostListReport[];
}

export class TextFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get signed(): SignedText {
    const path = join(this.path, 'manifest.json');
    const signed = parseSignedText(this.#read('manifest.json').toString('utf8'));
    if (signed === null) throw new CommandFailure(`${path} is damaged: build again`);
    return signed;
  }

  /** Opens the manifest. A key that this installation trusts must have signed it. */
  async open(): Promise<TextManifest> {
    return unwrap(await openTextManifest(this.signed, await publicKeys()));
  }

  /** A sealed value. It must have the digest that the manifest names. */
  async value({ key, sha256 }: NamedValue): Promise<Uint8Array<ArrayBuffer>> {
    const name = join('values', fileOfKey(key));
    const bytes = new Uint8Array(this.#read(name));
    if ((await sha256Hex(bytes)) === sha256) return bytes;
    throw new CommandFailure(`${join(this.path, name)} was altered since the build: build again`);
  }

  /** All values of the manifest by key, each checked. */
  async values(manifest: TextManifest): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
    const values = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const named of textValuesOf(manifest)) values.set(named.key, await this.value(named));
    return values;
  }

  #read(name: string): Buffer {
    const path = join(this.path, name);
    try {
      return readFileSync(path);
    } catch (error) {
      throw new CommandFailure(
        `${path}: ${describeFileError(error)}: check that this is the folder of a text release`,
      );
    }
  }
}

export function writeTextFolder(
  builds: string,
  { manifest, values }: BuiltTextRelease,
  signed: SignedText,
  report: TextBuildReport,
  rejects: readonly RejectedHost[],
): TextFolder {
  // Any other folder keeps its permissions.
  if (builds === TEXT_BUILDS) privateFolder(builds);
  else mkdirSync(builds, { recursive: true });
  const path = join(builds, manifest.release);
  const unfinished = unfinishedFolder(builds);
  mkdirSync(join(unfinished, 'values'));
  for (const [key, bytes] of values) writeFileSync(join(unfinished, 'values', fileOfKey(key)), bytes);
  writeFileSync(join(unfinished, 'manifest.json'), `${JSON.stringify(signed)}\n`);
  writeFileSync(join(unfinished, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  if (rejects.length > 0) writeFileSync(join(unfinished, REJECTS), rejectsCsv(rejects));
  rmSync(path, { recursive: true, force: true });
  renameSync(unfinished, path);
  return new TextFolder(path);
}

/** File with the lines that a build left out. */
export const REJECTS = 'rejects.csv';

function rejectsCsv(rejects: readonly RejectedHost[]): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const rows = rejects.map(
    ({ file, line, code, message }) => `${quote(file)},${line},${code},${quote(message)}\n`,
  );
  return `file,line,code,message\n${rows.join('')}`;
}

/** The newest build by its build time. */
export function newestTextBuild(builds: string): TextFolder {
  const names = existsSync(builds)
    ? readdirSync(builds).filter((name) => /^text-\d{8}T\d{4}Z-/.test(name))
    : [];
  const newest = names
    .map((name) => ({ name, at: builtAt(join(builds, name, 'report.json')) }))
    .sort((a, b) => a.at - b.at)
    .at(-1);
  if (newest === undefined)
    throw new CommandFailure(`no text release in ${builds}: run npx numgate text build`);
  return new TextFolder(join(builds, newest.name));
}

function builtAt(path: string): number {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as TextBuildReport).builtAt;
  } catch {
    return 0;
  }
}
