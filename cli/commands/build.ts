/** `numgate build`: builds a signed release on disk from files. It publishes nothing. */
import { type Command, Option } from 'commander';
import { ALWAYS, type ListContent, ListEntries } from '../../shared/build/list-entries.ts';
import { buildRelease } from '../../shared/build/release.ts';
import { LISTS_MAX, RULE_LISTS_MAX } from '../../shared/limits/lists.ts';
import { blobsOf, type Manifest, signManifest } from '../../shared/release/manifest.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { fingerprintsOf, formFor } from '../../shared/sources/source.ts';
import { markOf } from '../../shared/verdict.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import { carryLists, checkCatalogueOf, originsFor, originsOf } from '../import/carried-lists.ts';
import { type CatalogueList, readCatalogue } from '../import/catalogue.ts';
import { collect, type InputReport } from '../import/collect.ts';
import { type FoldedList, isOfRules, joinRuleLists } from '../import/fold.ts';
import { formatRejectsPath, openRejects } from '../import/rejects.ts';
import { BUILDS, DEMO_CATALOGUE } from '../paths.ts';
import { type BuildFolder, registrationsPath, rejectsPath, writeBuild } from '../publish/build-folder.ts';
import { keysOf, listKeyRing, signingKey } from '../secrets.ts';
import { count, percent } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { formatLists, formatRegistered } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { type BaseSettings, loadBuildBase } from './build-base.ts';
import { registeredSenders } from './build-registrations.ts';
import { examples, share } from './options.ts';

interface BuildOptions {
  readonly out: string;
  readonly offline: boolean;
  readonly maxRejects: number;
  readonly allowEmpty: boolean;
  readonly authority?: string;
  readonly sourceNames?: string;
  readonly dropUnknownSources: boolean;
  readonly registrations?: string | false;
}

export const SOURCE_NAMES =
  'while LIST_KEY is rotated: names of folded sources that the audit log lacks, one per line';
export const DROP_UNKNOWN = 'while LIST_KEY is rotated: leave out folded sources whose name is unknown';

export function addBuild(program: Command): void {
  program
    .command('build')
    .description('build a signed release from a catalogue and the current live entries')
    .argument('[catalogue]', 'catalogue of lists and inputs (JSON)', DEMO_CATALOGUE)
    .option('--out <folder>', 'folder for built releases', BUILDS)
    .option('--max-rejects <share>', 'share of the lines of a file that may be rejected', share, 0.01)
    .option('--allow-empty', 'accept an input file without entries', false)
    .addOption(
      new Option(
        '--authority <name>',
        'replace only the lists of this authority: all other lists stay as in the current release, and live entries are not folded in',
      ).conflicts('offline'),
    )
    .addOption(
      new Option(
        '--registrations <file>',
        'registered senders as lines of JSON, instead of those that the service has approved',
      ).conflicts('authority'),
    )
    .option('--no-registrations', 'keep the registered senders of the current release')
    .option('--source-names <file>', SOURCE_NAMES)
    .option('--drop-unknown-sources', DROP_UNKNOWN, false)
    .option('--offline', 'do not contact the service: no live entries, no base release', false)
    .addHelpText('after', examples('build my.lists.json', 'build acme.lists.json --authority acme'))
    .action(async (catalogue: string, { out, offline, ...options }: BuildOptions) => {
      const admin = offline ? null : adminOfEnvironment();
      print(...formatBuild(await build({ catalogue, builds: out, admin, ...options })));
    });
}

export interface BuildSettings extends BaseSettings {
  readonly catalogue: string;
  readonly builds: string;
  /** Share of a file's lines that may be rejected. */
  readonly maxRejects: number;
  /** Accept a file that lists nothing. */
  readonly allowEmpty?: boolean;
  /** The service that knows the current release. Null builds without a base and folds in no live entries. */
  readonly admin: Admin | null;
}

export interface BuildResult {
  readonly folder: BuildFolder;
  readonly manifest: Manifest;
  readonly inputs: readonly InputReport[];
  readonly rejectsNotWritten: number;
  readonly bytes: number;
  /** With `authority`: number of lists that are carried over from the base. */
  readonly carried: number;
}

export async function build({
  catalogue: path,
  builds,
  maxRejects,
  allowEmpty = false,
  sourceNames = null,
  dropUnknownSources = false,
  admin,
  authority,
  registrations,
}: BuildSettings): Promise<BuildResult> {
  const catalogue = readCatalogue(path);
  const ring = await listKeyRing();
  const signer = await signingKey();
  const createdAt = new Date();
  const now = Math.floor(createdAt.getTime() / 1000);
  const base = await loadBuildBase(admin, ring, now, { authority, sourceNames, dropUnknownSources });
  const { release: baseName, foldedSeq, carriedFrom } = base;
  // Fingerprints of sources cannot be moved to another key, so a build that carries lists over keeps the key of its base.
  const keys = carriedFrom === null ? ring.writer : keysOf(carriedFrom.manifest, ring);
  if (carriedFrom !== null) checkCatalogueOf(authority!, path, catalogue, carriedFrom.manifest);
  const origins =
    carriedFrom === null ? originsOf(catalogue) : originsFor(authority!, catalogue, carriedFrom.manifest);
  const others = origins.length + base.folded.filter((list) => !isOfRules(list)).length;
  const folded = joinRuleLists(base.folded, Math.max(1, Math.min(RULE_LISTS_MAX, LISTS_MAX - others)));
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
  const registered = await registeredSenders(
    carriedFrom === null ? registrations : false,
    { admin, current: base.current },
    registrationsPath(builds),
    keys,
  );
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
    { base: baseName, createdAt, foldedSeq, registrations: registered, onProgress: encoding.update },
  ).finally(() => encoding.stop());
  const release = unwrap(built);
  const signed = await signManifest(release.manifest, signer);
  const rejectsNotWritten = rejects.notWritten;
  const report = {
    release: release.manifest.release,
    ...{ catalogue: catalogue.path, included: catalogue.included },
    ...{ now, inputs, rejectsNotWritten },
    ...(authority === undefined ? {} : { authority }),
  };
  // A proof needs the signed base if any part is carried over from it.
  const kept = registrations === false ? base.current : carriedFrom;
  const folder = writeBuild(builds, release, signed, report, folded, kept?.signed ?? null);
  const bytes = [...release.values.values()].reduce((sum, value) => sum + value.length, 0);
  const { manifest } = release;
  return { folder, manifest, inputs, rejectsNotWritten, bytes, carried: carried?.size ?? 0 };
}

function checkCount(lists: number, folded: readonly FoldedList[]): void {
  if (lists + folded.length <= LISTS_MAX) return;
  throw new CommandFailure(
    `the live entries need ${folded.length} lists in addition to the ${lists} of the catalogue (one for each code, ` +
      `authority and subject), but a release has at most ${LISTS_MAX}: move entries into the catalogue, then clear them`,
  );
}

function infoOf({ name, reason, effect, subjects, authority, ...list }: CatalogueList | FoldedList) {
  return { name, reason, effect, subjects, authority, ...('rule' in list ? markOf(list) : {}) };
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

/** Exported for `npm start`, which builds the demo. */
export function formatBuild(result: BuildResult): Report {
  const { folder, manifest, inputs, rejectsNotWritten, bytes, carried } = result;
  const { release, lists, registrations } = manifest;
  const numbers = lists.reduce((sum, list) => sum + list.numbers + list.dated, 0);
  const bitsPerNumber = numbers === 0 ? 0 : (bytes * 8) / numbers;
  const values = blobsOf(manifest).length;
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
      : `${count(carried)} of these lists are as in ${manifest.base}; live entries were not folded in\n`;
  const text =
    `${styleText('bold', release)} in ${folder.path}\n${lines.join('')}${formatLists(lists)}${kept}` +
    (registrations === undefined ? '' : `registered senders: ${formatRegistered(registrations)}\n`) +
    `${count(bytes)} bytes in ${values} values: ${bitsPerNumber.toFixed(2)} bits per number\n${rejects}`;
  const figures = { bytes, values, bitsPerNumber };
  const senders = registrations === undefined ? {} : { registrations };
  const value = { release, folder: folder.path, ...figures, lists, ...senders, inputs, rejectsNotWritten };
  return [text, carried === 0 ? value : { ...value, carried }];
}
