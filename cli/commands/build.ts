/** `numgate build`: from files to a signed release on disk. Nothing is published. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ALWAYS, type ListContent, ListEntries } from '../../shared/build/list-entries.ts';
import { buildRelease } from '../../shared/build/release.ts';
import { LISTS_MAX } from '../../shared/limits/lists.ts';
import type { Organisation } from '../../shared/organisations.ts';
import { type Manifest, signManifest } from '../../shared/release/manifest.ts';
import type { Load } from '../../shared/release/release.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { fingerprintsOf, formFor } from '../../shared/sources/source.ts';
import { type Admin, adminOfEnvironment, Unreachable } from '../admin.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import { carryLists, checkCatalogueOf, originsFor, originsOf } from '../import/carried-lists.ts';
import { type CatalogueList, readCatalogue } from '../import/catalogue.ts';
import { collect, type InputReport } from '../import/collect.ts';
import { type FoldedList, fold } from '../import/fold.ts';
import { formatRejectsPath, openRejects } from '../import/rejects.ts';
import { foldedIn, type ReadableRelease } from '../import/release-lists.ts';
import { BUILDS, DEMO_CATALOGUE } from '../paths.ts';
import { currentRelease, loadValue } from '../publish/base-release.ts';
import { type BuildFolder, rejectsPath, writeBuild } from '../publish/build-folder.ts';
import { listKeys, signingKey } from '../secrets.ts';
import { count, percent } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { formatLists } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { allEntries } from './entries.ts';
import { examples, share } from './options.ts';

interface BuildOptions {
  readonly out: string;
  readonly offline: boolean;
  readonly maxRejects: number;
  readonly allowEmpty: boolean;
  readonly authority?: string;
}

export function addBuild(program: Command): void {
  program
    .command('build')
    .description('build a signed release from a catalogue and the current live entries')
    .argument('[catalogue]', 'catalogue of lists and inputs (JSON)', DEMO_CATALOGUE)
    .option('--out <folder>', 'folder for built releases', BUILDS)
    .option('--max-rejects <share>', 'share of a file that may be rejected', share, 0.01)
    .option('--allow-empty', 'accept an input file without entries', false)
    .addOption(
      new Option(
        '--authority <name>',
        'replace only the lists of this authority: all others stay as the current release has them, and live entries are not folded in',
      ).conflicts('offline'),
    )
    .option('--offline', 'do not contact the service: no live entries, no base release', false)
    .addHelpText('after', examples('build my.lists.json', 'build acme.lists.json --authority acme'))
    .action(async (catalogue: string, { out, offline, ...options }: BuildOptions) => {
      const admin = offline ? null : adminOfEnvironment();
      print(...formatBuild(await build({ catalogue, builds: out, admin, ...options })));
    });
}

export interface BuildSettings {
  readonly catalogue: string;
  readonly builds: string;
  /** Share of a file's lines that may be rejected. */
  readonly maxRejects: number;
  /** Accept a file that lists nothing. */
  readonly allowEmpty?: boolean;
  /** The service that knows the current release. Null builds without a base and folds no live entries. */
  readonly admin: Admin | null;
  /** Replace only the lists of this authority, and carry all others over: see import/carried-lists.ts. */
  readonly authority?: string | undefined;
}

export interface BuildResult {
  readonly folder: BuildFolder;
  readonly manifest: Manifest;
  readonly inputs: readonly InputReport[];
  readonly rejectsNotWritten: number;
  readonly bytes: number;
  /** With `authority`: how many lists are those of the base. */
  readonly carried: number;
}

export async function build({
  catalogue: path,
  builds,
  maxRejects,
  allowEmpty = false,
  admin,
  authority,
}: BuildSettings): Promise<BuildResult> {
  const catalogue = readCatalogue(path);
  const keys = await listKeys();
  const signer = await signingKey();
  const createdAt = new Date();
  const now = Math.floor(createdAt.getTime() / 1000);
  const base = await loadBase(admin, keys, now, authority);
  const { release: baseName, foldedSeq, folded, carriedFrom } = base;
  if (carriedFrom !== null) checkCatalogueOf(authority!, path, catalogue, carriedFrom.manifest);
  const origins =
    carriedFrom === null ? originsOf(catalogue) : originsFor(authority!, catalogue, carriedFrom.manifest);
  checkCount(origins.length, folded);
  const lists = catalogue.lists.map(() => new ListEntries(keys.permutation));
  const rejects = await openRejects(rejectsPath(builds));
  const progress = startProgress('reading');
  let inputs: readonly InputReport[];
  try {
    inputs = await collect(catalogue, {
      now,
      onEntry: ({ list, what, dates }) => {
        const entries = lists[list]!;
        if (what.kind === 'number') entries.addNumber(what.n, dates);
        else if (what.kind === 'ranges')
          for (const range of what.ranges) entries.ranges.push({ ...range, ...dates });
        else {
          const { effect } = catalogue.lists[list]!;
          const fingerprint = formFor(fingerprintsOf(what.source, keys.sourceSeed), effect);
          entries.sources.push({ fingerprint, ...dates });
        }
      },
      onNumber: (list, n) => lists[list]!.addNumber(n, ALWAYS),
      onReject: rejects.write,
      onProgress: progress.update,
    });
  } finally {
    progress.stop();
    await rejects.close();
  }
  checkRejects(inputs, maxRejects, formatRejectsPath(rejectsPath(builds), rejects.notWritten));
  if (!allowEmpty) checkEmpty(inputs);
  const carried = carriedFrom === null ? null : await carryLists(carriedFrom, origins, keys);
  const encoding = startProgress('encoding');
  const built = await buildRelease(
    [
      ...origins.map(({ from, index }) => {
        if (from === 'base') return carried!.get(index)!;
        const list = catalogue.lists[index]!;
        const info = { ...infoOf(list), asOf: list.asOf ?? createdAt.toISOString() };
        return { info, content: lists[index]!.finish() };
      }),
      ...folded.map((list) => ({
        info: { ...infoOf(list), asOf: createdAt.toISOString() },
        content: contentOf(list, keys),
      })),
    ],
    keys,
    { base: baseName, createdAt, foldedSeq, onProgress: encoding.update },
  ).finally(() => encoding.stop());
  const release = unwrap(built);
  const signed = await signManifest(release.manifest, signer);
  const rejectsNotWritten = rejects.notWritten;
  const report = {
    release: release.manifest.release,
    catalogue: resolve(path),
    ...{ now, inputs, rejectsNotWritten },
    ...(authority === undefined ? {} : { authority }),
  };
  const folder = writeBuild(builds, release, signed, report, folded, carriedFrom?.signed ?? null);
  const bytes = [...release.values.values()].reduce((sum, value) => sum + value.length, 0);
  const { manifest } = release;
  return { folder, manifest, inputs, rejectsNotWritten, bytes, carried: carried?.size ?? 0 };
}

interface Base {
  readonly release: string | null;
  /** The last live change that is folded in. */
  readonly foldedSeq: number;
  readonly folded: readonly FoldedList[];
  /** The release that the lists of other authorities come from. Null for a build of the whole installation. */
  readonly carriedFrom: (ReadableRelease & { readonly signed: SignedText }) | null;
}

/** The release that this one is based on, and the live entries that it folds in. */
async function loadBase(admin: Admin | null, keys: ListKeys, now: number, authority?: string): Promise<Base> {
  if (admin === null) return { release: null, foldedSeq: 0, folded: [], carriedFrom: null };
  try {
    const { manifest, signed } = await currentRelease(admin, keys);
    const load: Load = (blob) => loadValue(() => admin, blob);
    if (authority !== undefined) {
      await checkAuthority(admin, authority);
      if (manifest === null) throw noBase(authority);
      const { release, foldedSeq } = manifest;
      return { release, foldedSeq, folded: [], carriedFrom: { manifest, signed: signed!, load } };
    }
    const { entries, upTo } = await allEntries(admin);
    const before = manifest?.foldedSeq ?? 0;
    const carried = manifest === null ? [] : await foldedIn({ manifest, load }, keys);
    const created = entries.filter(({ seq }) => seq > before);
    const folded = fold(created, carried, now);
    return { release: manifest?.release ?? null, foldedSeq: upTo, folded, carriedFrom: null };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const advice =
      authority === undefined ? '\n--offline builds without the service, for a first release' : '';
    throw new CommandFailure(`${error.message}${advice}`);
  }
}

async function checkAuthority(admin: Admin, authority: string): Promise<void> {
  const { organisations } = await admin.get<{ organisations: Organisation[] }>('organisations');
  const known = organisations.map((organisation) => organisation.authority).filter((name) => name !== null);
  if (known.includes(authority)) return;
  const names = known.length === 0 ? 'none has one' : `they have ${known.sort().join(', ')}`;
  throw new CommandFailure(
    `--authority: no organisation has the authority ${authority}; ${names}. See npx numgate organisations list`,
  );
}

function noBase(authority: string): CommandFailure {
  return new CommandFailure(
    `no release is current, so there are no lists to add those of ${authority} to: ` +
      'build and push the first release without --authority, with a key of the installation',
  );
}

function checkCount(lists: number, folded: readonly FoldedList[]): void {
  if (lists + folded.length <= LISTS_MAX) return;
  throw new CommandFailure(
    `the live entries need ${folded.length} lists in addition to the ${lists} of the catalogue (one for each code, ` +
      `authority and subject), and a release has at most ${LISTS_MAX}: move entries into the catalogue and clear them`,
  );
}

function infoOf({ name, reason, effect, subjects, authority }: CatalogueList | FoldedList) {
  return { name, reason, effect, subjects, authority };
}

function contentOf({ entries }: FoldedList, keys: ListKeys): ListContent {
  const content = new ListEntries(keys.permutation);
  for (const { what, since, until } of entries) {
    if (what.kind === 'number') content.addNumber(what.n, { since, until });
    else content.sources.push({ fingerprint: BigInt(`0x${what.hex}`), since, until });
  }
  return content.finish();
}

/** @param written path of the rejects */
function checkRejects(inputs: readonly InputReport[], maxRejects: number, written: string): void {
  for (const { file, rows, rejected } of inputs) {
    const rejectedShare = rows === 0 ? 0 : rejected / rows;
    if (rejectedShare <= maxRejects) continue;
    throw new CommandFailure(
      `${file}: ${count(rejected)} of ${count(rows)} lines rejected (${percent(rejectedShare)}), more than ${percent(maxRejects)}.\n` +
        `Check ${written}. To accept them, pass --max-rejects ${Math.ceil(rejectedShare * 100) / 100}`,
    );
  }
}

/** An empty file is more often a failed export than an empty list, and would let every number through. */
function checkEmpty(inputs: readonly InputReport[]): void {
  const empty = inputs.find(({ accepted, expired }) => accepted + expired === 0);
  if (empty === undefined) return;
  throw new CommandFailure(`${empty.file} has no entries. To accept it, pass --allow-empty`);
}

/** Also for `npm start`, which builds the demo. */
export function formatBuild(result: BuildResult): Report {
  const { folder, manifest, inputs, rejectsNotWritten, bytes, carried } = result;
  const { release, lists, shards, ranges, sources } = manifest;
  const numbers = lists.reduce((sum, list) => sum + list.numbers + list.dated, 0);
  const bitsPerNumber = numbers === 0 ? 0 : (bytes * 8) / numbers;
  const values = shards.length + (ranges === null ? 0 : 1) + (sources === null ? 0 : 1);
  const lines = inputs.map(({ file, rows, accepted, expired, rejected }) => {
    const parts = [
      `${count(accepted)} of ${count(rows)} lines`,
      ...(expired > 0 ? [`${count(expired)} expired`] : []),
      ...(rejected > 0 ? [styleText('yellow', `${count(rejected)} rejected`)] : []),
    ];
    return `  ${file}: ${parts.join(', ')}\n`;
  });
  const rejects = inputs.some(({ rejected }) => rejected > 0)
    ? `rejected lines: ${formatRejectsPath(`${folder.path}/rejects.csv`, rejectsNotWritten)}\n`
    : '';
  const kept =
    manifest.base === null || carried === 0
      ? ''
      : `${count(carried)} of them as ${manifest.base} has them; live entries are not folded in\n`;
  const text =
    `${styleText('bold', release)} in ${folder.path}\n${lines.join('')}${formatLists(lists)}${kept}` +
    `${count(bytes)} bytes in ${values} values: ${bitsPerNumber.toFixed(2)} bits per number\n${rejects}`;
  const figures = { bytes, values, bitsPerNumber };
  const value = { release, folder: folder.path, ...figures, lists, inputs, rejectsNotWritten };
  return [text, carried === 0 ? value : { ...value, carried }];
}
