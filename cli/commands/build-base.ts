/** Loads the base of a build: the current release, and the entries and lists that the build folds in or carries over. */
import { readFileSync } from 'node:fs';
import type { Organisation } from '../../shared/organisations.ts';
import type { Load } from '../../shared/release/release.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { type Admin, Unreachable } from '../admin.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { type FoldedList, fold } from '../import/fold.ts';
import { rekeySources } from '../import/rekeyed-sources.ts';
import { foldedIn, type ReadableRelease } from '../import/release-lists.ts';
import { currentRelease, loadValue } from '../publish/base-release.ts';
import { keysOf } from '../secrets.ts';
import { auditLines } from './audit-lines.ts';
import { allEntries } from './entries.ts';

/** Settings of a build that decide what it takes from its base. */
export interface BaseSettings {
  /** Replace only the lists of this authority, and carry all others over: see import/carried-lists.ts. */
  readonly authority?: string | undefined;
  /**
   * Where the registered senders come from: the service (the default), its current release (`false`), or a file with
   * a pair on each line (JSON). With `authority`, always the current release.
   */
  readonly registrations?: string | false | undefined;
  /** While LIST_KEY is rotated: a file with names of folded sources, one per line. */
  readonly sourceNames?: string | null;
  /** While LIST_KEY is rotated: leave out folded sources whose name cannot be found. */
  readonly dropUnknownSources?: boolean;
}

type SignedRelease = ReadableRelease & { readonly signed: SignedText };

export interface BuildBase {
  readonly release: string | null;
  /** The last live change that is folded in. */
  readonly foldedSeq: number;
  readonly folded: readonly FoldedList[];
  /** The current release; null if there is none, or no service. */
  readonly current: SignedRelease | null;
  /** The release that the lists of other authorities come from. Null for a build of the whole installation. */
  readonly carriedFrom: SignedRelease | null;
}

/** Loads the release that a build is based on, and the live entries that the build folds in. */
export async function loadBuildBase(
  admin: Admin | null,
  ring: KeyRing,
  now: number,
  { authority, sourceNames = null, dropUnknownSources = false }: BaseSettings,
): Promise<BuildBase> {
  if (admin === null) return { release: null, foldedSeq: 0, folded: [], current: null, carriedFrom: null };
  try {
    const { manifest, signed } = await currentRelease(admin, ring);
    const load: Load = (blob) => loadValue(() => admin, blob);
    if (authority !== undefined) {
      await checkAuthority(admin, authority);
      if (manifest === null) throw noBase(authority);
      const { release, foldedSeq } = manifest;
      const carriedFrom = { manifest, signed: signed!, load };
      return { release, foldedSeq, folded: [], current: carriedFrom, carriedFrom };
    }
    const { entries, upTo } = await allEntries(admin);
    const before = manifest?.foldedSeq ?? 0;
    const carried = manifest === null ? [] : await foldedIn({ manifest, load }, keysOf(manifest, ring));
    const created = entries.filter(({ seq }) => seq > before);
    const sources = await rekeySources({ entries: created, folded: carried }, ring, {
      given: sourceNames === null ? [] : linesIn(sourceNames),
      auditLines: () => auditLines(admin, 0),
      dropUnknown: dropUnknownSources,
    });
    const folded = fold(sources.entries, sources.folded, now);
    const current = manifest === null ? null : { manifest, signed: signed!, load };
    return { release: manifest?.release ?? null, foldedSeq: upTo, folded, current, carriedFrom: null };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const advice =
      authority === undefined ? '\nto build a first release without the service, pass --offline' : '';
    throw new CommandFailure(`${error.message}${advice}`);
  }
}

async function checkAuthority(admin: Admin, authority: string): Promise<void> {
  const { organisations } = await admin.get<{ organisations: Organisation[] }>('organisations');
  const known = organisations.map((organisation) => organisation.authority).filter((name) => name !== null);
  if (known.includes(authority)) return;
  const names = known.length === 0 ? 'there are none' : `there are ${known.sort().join(', ')}`;
  throw new CommandFailure(
    `--authority: no organisation has the authority ${authority}; ${names}. See npx numgate organisations list`,
  );
}

function noBase(authority: string): CommandFailure {
  return new CommandFailure(
    `there is no current release to which the lists of ${authority} could be added: ` +
      'build and push the first release without --authority, with a key of the installation',
  );
}

function linesIn(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}
