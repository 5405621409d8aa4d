/** `numgate text build`: builds a signed text release on disk from a trained model and host lists. It publishes nothing. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { buildTextRelease, type EncodedHosts, encodeHostLists } from '../../shared/build/text-release.ts';
import { signTextManifest, type TextManifest } from '../../shared/text/text-manifest.ts';
import { EFFECTS } from '../../shared/verdict.ts';
import { type Admin, adminOfEnvironment, Unreachable } from '../admin.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import { TEXT_BUILDS } from '../paths.ts';
import { listKeys, signingKey } from '../secrets.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { styleText } from '../terminal/visible.ts';
import { type CanaryResult, readCanaryTexts, scoreCanaryTexts } from '../text/canary-texts.ts';
import { type CollectedHosts, collectHosts, type HostListReport } from '../text/host-lists.ts';
import { readModelFolder } from '../text/model-folder.ts';
import { hostsOf, manifestInForce, modelOf, openedRelease } from '../text/open-release.ts';
import { type CatalogueHostList, readHostsOption, readTextCatalogue } from '../text/text-catalogue.ts';
import { REJECTS, type TextFolder, writeTextFolder } from '../text/text-folder.ts';
import { formatCanaries, formatHostLists, formatModel } from '../text/text-report.ts';
import { examples } from './options.ts';

interface BuildOptions {
  readonly model?: string;
  readonly hosts?: readonly CatalogueHostList[];
  readonly canaryTexts?: string;
  readonly keepModel: boolean;
  readonly keepHosts: boolean;
  readonly skipInvalid: boolean;
  readonly offline: boolean;
  readonly out: string;
}

export function addTextBuild(text: Command): void {
  text
    .command('build')
    .description('build a signed text release from a model and host lists')
    .argument('[catalogue]', 'catalogue of a model and host lists (JSON)')
    .addOption(new Option('--model <folder>', 'folder that text train wrote').conflicts('keepModel'))
    .option(
      '--hosts <list>',
      `a host list, as name=FILE:effect:authority; effects are ${EFFECTS.join(', ')}; repeatable`,
      hostsOption,
    )
    .option(
      '--canary-texts <file>',
      'file of your own legitimate texts, to count how many the release would hit',
    )
    .option('--keep-model', 'keep the model of the release in force', false)
    .option('--keep-hosts', 'keep the host lists of the release in force', false)
    .option('--skip-invalid', 'leave out invalid lines of host lists', false)
    .addOption(
      new Option('--offline', 'do not contact the service: no base release')
        .default(false)
        .conflicts(['keepModel', 'keepHosts']),
    )
    .option('--out <folder>', 'folder for built text releases', TEXT_BUILDS)
    .addHelpText(
      'after',
      examples(
        'text build my.text.json',
        'text build --keep-model --hosts phishing=hosts.txt:block:kisa',
        'text build --keep-model --keep-hosts    # seals the release in force with a new LIST_KEY',
      ),
    )
    .action(async (catalogue: string | undefined, { out, offline, ...options }: BuildOptions) => {
      const admin = offline ? null : adminOfEnvironment();
      print(...formatTextBuild(await buildText({ catalogue, builds: out, admin, ...options })));
    });
}

/** Parses one option, and appends it to the earlier ones. */
function hostsOption(text: string, before: readonly CatalogueHostList[] = []): CatalogueHostList[] {
  const list = readHostsOption(text);
  if (!list.ok) throw new InvalidArgumentError(list.message);
  return [...before, list.value];
}

export interface TextBuildSettings extends Partial<Omit<BuildOptions, 'out' | 'offline'>> {
  /** Path; undefined if the options are the whole catalogue. */
  readonly catalogue?: string | undefined;
  readonly builds: string;
  /** The service that knows the release in force. Null builds without a base. */
  readonly admin: Admin | null;
  readonly now?: Date;
}

export interface TextBuildResult {
  readonly folder: TextFolder;
  readonly manifest: TextManifest;
  /** Total size of all sealed values. */
  readonly bytes: number;
  readonly hostLists: readonly HostListReport[];
  readonly rejected: number;
  readonly excused: number;
  /** Null without canary texts. */
  readonly canaries: CanaryResult | null;
}

export async function buildText(settings: TextBuildSettings): Promise<TextBuildResult> {
  const { builds, admin, keepModel = false, keepHosts = false, skipInvalid = false } = settings;
  const catalogue = readTextCatalogue(settings.catalogue ?? null, settings, keepModel || keepHosts);
  if (keepModel && catalogue.model !== null)
    throw new CommandFailure('the catalogue names a "model": remove it, or leave out --keep-model', 2);
  if (keepHosts && catalogue.hostLists.length > 0)
    throw new CommandFailure('there are host lists to build: remove them, or leave out --keep-hosts', 2);
  const keys = await listKeys();
  const signer = await signingKey();
  const createdAt = settings.now ?? new Date();
  const base = admin === null ? null : await baseOf(admin);
  if (base === null && (keepModel || keepHosts))
    throw new CommandFailure('no text release is in force, so there is nothing to keep');
  const canaryTexts = catalogue.canaryTexts === null ? null : readCanaryTexts(catalogue.canaryTexts);
  const collected = await collect(catalogue.hostLists, createdAt, skipInvalid);
  const hosts: EncodedHosts | null = keepHosts
    ? await hostsOf(base!, admin!)
    : unwrap(encodeHostLists(collected.sources));
  const model = keepModel
    ? await modelOf(base!, admin!)
    : catalogue.model === null
      ? null
      : readModelFolder(catalogue.model);
  const canaries = canaryTexts === null ? null : scoreCanaryTexts(canaryTexts, openedRelease(model, hosts));
  // The same model and hosts hit the same texts, so the counts of the base still hold.
  const carried = keepModel && keepHosts ? base!.canaryTexts : null;
  const parts = { model, hosts, canaryTexts: canaries?.counts ?? carried };
  const built = unwrap(await buildTextRelease(parts, keys, { base: base?.release ?? null, createdAt }));
  const signed = await signTextManifest(built.manifest, signer);
  const report = {
    release: built.manifest.release,
    builtAt: createdAt.getTime(),
    hostLists: collected.reports,
  };
  const folder = writeTextFolder(builds, built, signed, report, collected.rejects);
  const bytes = [...built.values.values()].reduce((sum, value) => sum + value.length, 0);
  const { excused, rejects } = collected;
  return {
    ...{ folder, manifest: built.manifest, bytes, canaries, excused },
    ...{ hostLists: collected.reports, rejected: rejects.length },
  };
}

async function collect(
  lists: readonly CatalogueHostList[],
  now: Date,
  skipInvalid: boolean,
): Promise<CollectedHosts> {
  const progress = startProgress('reading');
  return collectHosts(lists, { now, skipInvalid, onProgress: progress.update }).finally(progress.stop);
}

async function baseOf(admin: Admin): Promise<TextManifest | null> {
  try {
    return (await manifestInForce(admin))?.manifest ?? null;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    throw new CommandFailure(
      `${error.message}\nto build a first release without the service, pass --offline`,
    );
  }
}

export function formatTextBuild(result: TextBuildResult): Report {
  const { folder, manifest, bytes, hostLists, rejected, excused, canaries } = result;
  const { release, base, model, hosts } = manifest;
  const repeated = hostLists.reduce((sum, { duplicates }) => sum + duplicates, 0);
  const lines = [
    `${styleText('bold', release)} in ${folder.path}, ${base === null ? 'without a base' : `based on ${base}`}`,
    `  ${formatModel(model)}`,
    ...formatHostLists(hosts?.lists ?? []),
    ...(repeated === 0 ? [] : [`  ${counted(repeated, 'repeated line')} merged`]),
    ...(rejected === 0
      ? []
      : [styleText('yellow', `  ${counted(rejected, 'line')} left out: ${folder.path}/${REJECTS}`)]),
    ...(excused === 0 ? [] : [`  ${counted(excused, 'host')} also on an allow list, which takes precedence`]),
    ...(canaries === null ? [] : formatCanaries(canaries).map((line) => `  ${line}`)),
    `${count(bytes)} bytes. To see what it changes: npx numgate text plan`,
  ];
  const value = {
    ...{ release, folder: folder.path, base, bytes, model, hosts, hostLists, rejected, excused },
    canaryTexts: canaries === null ? null : { ...canaries.counts, hitLines: canaries.hitLines },
  };
  return [`${lines.join('\n')}\n`, value];
}
