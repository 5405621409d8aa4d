/**
 * `numgate text plan`: what a push of a text release would change against the release in force, and which guards it would hit.
 * Changes and sends nothing.
 */
import type { Command } from 'commander';
import type { PublishedText } from '../../shared/text/published.ts';
import { type TextGuard, type TextGuardHit, textGuardsOf } from '../../shared/text/text-guards.ts';
import type { TextManifest } from '../../shared/text/text-manifest.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { formatGuard } from '../problem.ts';
import { count, percent } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { type CanaryResult, readCanaryTexts, scoreCanaryTexts } from '../text/canary-texts.ts';
import { manifestInForce, openedFromService, releaseInFolder } from '../text/open-release.ts';
import type { TextFolder } from '../text/text-folder.ts';
import { formatCanaries, formatCanaryCounts, formatDomains, formatModel } from '../text/text-report.ts';
import { addTextFolderArgument, examples, textFolderOf } from './options.ts';
import { overrideWords, unusedOverrides } from './text-overrides.ts';

interface PlanOptions {
  readonly canaryTexts?: string;
}

export function addTextPlan(text: Command): void {
  addTextFolderArgument(text.command('plan'))
    .description('show what a push would change, and which guards it would hit, without sending anything')
    .option(
      '--canary-texts <file>',
      'file of your own legitimate texts, to count how many the release would hit',
    )
    .addHelpText('after', examples('text plan', 'text plan --canary-texts ours.txt'))
    .action(async (path: string | undefined, { canaryTexts }: PlanOptions) => {
      const folder = textFolderOf(path);
      print(...formatTextPlan(await planText(folder, adminOfEnvironment(), canaryTexts)));
    });
}

/** Hosts of one list that a release adds and removes. */
export interface HostListChange {
  readonly list: string;
  readonly added: number;
  readonly removed: number;
  /** Effect before and after; null where there is no such list. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface TextPlanResult {
  readonly folder: TextFolder;
  readonly manifest: TextManifest;
  /** The release in force, or null. */
  readonly base: TextManifest | null;
  readonly hostLists: readonly HostListChange[];
  /** The result for the canary texts of the plan; null without them. */
  readonly canaries: CanaryResult | null;
  readonly guards: readonly TextGuardHit[];
}

export async function planText(
  folder: TextFolder,
  admin: Admin,
  canaryFile?: string,
): Promise<TextPlanResult> {
  const texts = canaryFile === undefined ? null : readCanaryTexts(canaryFile);
  const manifest = await folder.open();
  const next = await releaseInFolder(folder);
  const current = await manifestInForce(admin);
  const before = current === null ? null : await openedFromService(current.manifest, admin);
  const base = current?.manifest ?? null;
  const canaries = texts === null ? null : scoreCanaryTexts(texts, next);
  const canaryTexts = canaries?.counts ?? manifest.canaryTexts;
  return {
    ...{ folder, manifest, base, canaries },
    hostLists: hostChanges(before, next),
    // The canary texts of the plan replace those of the build.
    guards: textGuardsOf(base, { ...manifest, canaryTexts }),
  };
}

function hostChanges(before: PublishedText | null, after: PublishedText): HostListChange[] {
  const [old, now] = [hostsByList(before), hostsByList(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.map((list) => {
    const [was, is] = [old.get(list), now.get(list)];
    return {
      list,
      added: without(is?.hosts, was?.hosts),
      removed: without(was?.hosts, is?.hosts),
      ...{ before: was?.effect ?? null, after: is?.effect ?? null },
    };
  });
}

type Hosts = ReadonlySet<string>;

function hostsByList(published: PublishedText | null) {
  const lists = new Map<string, { readonly effect: string; readonly hosts: Set<string> }>();
  if (published?.hosts == null) return lists;
  const { table, lists: infos } = published.hosts;
  for (const { name, effect } of infos) lists.set(name, { effect, hosts: new Set() });
  for (const { host, list } of table.rows()) lists.get(infos[list]!.name)!.hosts.add(host);
  return lists;
}

/** Number of hosts in `some` that are not in `others`. */
function without(some: Hosts | undefined, others: Hosts | undefined): number {
  let count = 0;
  for (const host of some ?? []) if (others?.has(host) !== true) count++;
  return count;
}

/** The push that a plan suggests. */
export interface PlannedPush {
  /** Share of the data centres; null to send the release only. */
  readonly share: number | null;
  readonly overrides: readonly TextGuard[];
}

/** A cautious push, and the default. */
const TENTH: PlannedPush = { share: 0.1, overrides: [] };

export function formatTextPlan(result: TextPlanResult, planned: PlannedPush = TENTH): Report {
  const { folder, manifest, base, hostLists, canaries } = result;
  const { release, model } = manifest;
  const isCurrent = base?.release === release;
  // A push promotes nothing, so no guard applies.
  const guards = isCurrent ? [] : result.guards;
  const push = pushCommand(folder, guards, planned);
  const changed = JSON.stringify(factsOf(base)) !== JSON.stringify(factsOf(manifest));
  const lines = [
    `${styleText('bold', release)}, ${base === null ? 'no text release is in force' : `in force is ${base.release}`}`,
    ...(changed || base === null
      ? [...(base === null ? [] : [`  - ${formatModel(base.model)}`]), `  + ${formatModel(model)}`]
      : [`  the model is unchanged`]),
    ...(model === null || !changed ? [] : formatDomains(model).map((line) => `  ${line}`)),
    ...hostLists.map(formatChange),
    ...(canaries === null
      ? [`  ${formatCanaryCounts(manifest)}`]
      : formatCanaries(canaries).map((line) => `  ${line}`)),
    ...(isCurrent
      ? ['it is already in force: a push changes nothing']
      : [
          ...formatGuards(guards),
          ...unusedOverrides(planned.overrides, guards),
          `${purposeOf(planned)}:`,
          `  ${push}`,
        ]),
  ];
  const value = {
    ...{ release, folder: folder.path, base: base?.release ?? null, isCurrent, hostLists, guards },
    ...{ model, canaryTexts: canaries?.counts ?? manifest.canaryTexts },
    ...(canaries === null ? {} : { hitLines: canaries.hitLines }),
    ...(isCurrent ? {} : { command: push }),
  };
  return [`${lines.join('\n')}\n`, value];
}

/** The facts that identify a model, whichever LIST_KEY seals it. */
function factsOf(manifest: TextManifest | null): object | null {
  if (manifest === null || manifest.model === null) return null;
  const { value: _, ...facts } = manifest.model;
  return facts;
}

function formatChange({ list, added, removed, before, after }: HostListChange): string {
  const counts = `${styleText('green', `+ ${count(added)}`)}  ${styleText('red', `- ${count(removed)}`)}`;
  const state =
    before === null
      ? ` (new list, ${after})`
      : after === null
        ? ' (list is dropped)'
        : before === after
          ? ''
          : ` (${before} → ${after})`;
  return `  ${counts}  ${styleText('bold', visible(list))}${state}`;
}

function formatGuards(guards: readonly TextGuardHit[]): string[] {
  if (guards.length === 0) return ['no guard is hit'];
  return [styleText('yellow', 'guards are hit:'), ...guards.map((hit) => `  ${formatGuard(hit)}`)];
}

function purposeOf({ share }: PlannedPush): string {
  if (share === null) return 'To send it to the service';
  if (share === 1) return 'To push it to all data centres';
  return `To push it to ${percent(share)} of the data centres`;
}

function pushCommand({ path }: TextFolder, guards: readonly TextGuardHit[], { share }: PlannedPush): string {
  const where = share === null ? '' : share === 1 ? ' --promote' : ` --canary ${share}`;
  // Guards apply only to a promotion.
  return `npx numgate text push ${shellWord(path)}${where}${share === null ? '' : overrideWords(guards)}`;
}
