/**
 * `numgate plan`: what a push would change against the current release, and which guards it would hit.
 * Changes nothing. The coordinator makes the same plan when the release is promoted and compares its hash.
 */
import type { Command } from 'commander';
import type { StatusInfo } from '../../shared/admin/status.ts';
import { type ChangeCounts, NO_COUNTS } from '../../shared/release/change-tally.ts';
import type { ListChange, Terms } from '../../shared/release/diff.ts';
import { checkFold, checkRegistrations } from '../../shared/release/fold.ts';
import type { GuardSettings } from '../../shared/release/guard-settings.ts';
import type { Manifest } from '../../shared/release/manifest.ts';
import { createPlan, type Plan } from '../../shared/release/plan.ts';
import { type Failure, fail } from '../../shared/result.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { unwrap } from '../failure.ts';
import { formatGuard } from '../problem.ts';
import { type BaseRelease, currentRelease, dropOtherValues, loaderFor } from '../publish/base-release.ts';
import type { BuildFolder, BuildReport } from '../publish/build-folder.ts';
import { keysOf, listKeyRing } from '../secrets.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatRegistered } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { addFolderArgument, examples, folderOf } from './options.ts';
import { overrideCommand } from './override.ts';
import { checkForeign, mayUse, type Ownership, ownershipOf } from './ownership.ts';

/** Prefixes shown per list: those with the most changes. */
const PREFIXES_SHOWN_MAX = 3;

export function addPlan(program: Command): void {
  addFolderArgument(program.command('plan'))
    .description('show what a push would change and which guards it would hit')
    .addHelpText('after', examples('plan'))
    .action(async (path: string | undefined) => {
      print(...formatPlan(await plan(folderOf(path), adminOfEnvironment())));
    });
}

export interface PlanResult {
  readonly plan: Plan;
  readonly manifest: Manifest;
  readonly base: BaseRelease;
  readonly folder: BuildFolder;
  /** Why a push of this release would be refused, regardless of its plan and its guards. Null if it would not. */
  readonly refusal: Failure | null;
  /** Whose lists the push changes, and whether the token and the signing key may change them. */
  readonly ownership: Ownership;
}

/** The registered senders of the base and of the release, if they differ. */
function registeredLines({ base, manifest }: PlanResult): string[] {
  const [before, after] = [base.manifest?.registrations, manifest.registrations];
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const words = [before, after].map((info) => (info === undefined ? 'none' : formatRegistered(info)));
  return [`  registered senders: ${words.join(' → ')}`];
}

export async function plan(folder: BuildFolder, admin: Admin): Promise<PlanResult> {
  const ring = await listKeyRing();
  const manifest = await folder.open(ring);
  const base = await currentRelease(admin, ring);
  const keys = keysOf(manifest, ring);
  const baseKeys = base.manifest === null ? keys : keysOf(base.manifest, ring);
  const settings = await admin.get<GuardSettings>('guards');
  if (base.manifest !== null) await dropOtherValues(base.manifest);
  const load = loaderFor(folder, () => admin);
  const created = unwrap(
    await createPlan({ base: base.manifest, next: manifest, keys, baseKeys, load, settings }),
  );
  const compared = { base: base.manifest, next: manifest, plan: created, signed: folder.manifest };
  const ownership = await ownershipOf(compared, admin);
  const refusal = refusalOf(manifest, folder.report, base.status) ?? ownership.signer;
  return { plan: created, manifest, base, folder, refusal, ownership };
}

/** Why the coordinator would refuse the promotion. Null if it would not. */
function refusalOf(
  { release, base, foldedSeq, registrations }: Manifest,
  { authority }: BuildReport,
  status: StatusInfo,
): Failure | null {
  const { candidate, current, droppedSeq = 0, seq } = status;
  // A push of the current release promotes nothing.
  if (current?.release === release) return null;
  if (authority !== undefined && (current?.release ?? null) !== base)
    return fail(
      'BASE_MOVED',
      `its lists of other authorities are those of ${base}, but ${current?.release ?? 'no release'} is current: build again`,
    );
  if (candidate !== null && candidate.release !== release)
    return fail(
      'RELEASE_STATE',
      `${candidate.release} is the canary: first promote it to all data centres, or roll it back`,
    );
  const fold = checkFold(foldedSeq, droppedSeq, seq);
  if (!fold.ok) return fold;
  // Older services do not report registered senders.
  if (status.registrations === undefined) return null;
  const { version, droppedVersion } = status.registrations;
  const registered = checkRegistrations(registrations?.version ?? 0, droppedVersion, version);
  return registered.ok ? null : registered;
}

/** Formats the changes, the guards that they hit, and the command that pushes exactly this plan, or why no push can. */
export function formatPlan(result: PlanResult): Report {
  const { plan: created, folder, refusal: refused, ownership } = result;
  const { release, base, lists, guards, hash } = created;
  if (base === release) {
    const text = `${styleText('bold', release)} is the current release: a push of this build changes nothing\n`;
    return [text, { ...created, guards: [], isCurrent: true }];
  }
  const { foreign } = ownership;
  const refusal = refused === null && !mayUse(ownership, 'override') ? foreignRefusal(ownership) : refused;
  const changing = lists.filter(isChanged);
  const unchanged = lists.length - changing.length;
  const push = overrideCommand(['push', folder.path], {
    plan: hash,
    guards: guards.map((hit) => hit.override),
    authorities: foreign,
    needsReason: true,
  });
  const text = [
    ...(refusal === null
      ? []
      : [styleText('red', `A push of this build would be refused: ${refusal.code}: ${refusal.message}`)]),
    `${styleText('bold', release)}, ${formatBase(base)}`,
    ...changing.flatMap(listLines),
    ...registeredLines(result),
    ...(unchanged === 0 ? [] : [styleText('dim', `  ${unchanged} of ${lists.length} lists are unchanged`)]),
    '',
    `${styleText('bold', 'Plan')} ${hash}: ${formatCounts(totalOf(changing))}`,
    ...(guards.length === 0 ? ['no guard is hit'] : [styleText('yellow', 'guards are hit:')]),
    ...guards.map((hit) => `  ${formatGuard(hit)}`),
    ...(foreign.length === 0
      ? []
      : [styleText('yellow', `lists of other authorities change: ${foreign.join(', ')}`)]),
    ...(refusal === null ? ['To push exactly this plan:', `  npx numgate ${push}`] : []),
  ];
  const [before = null, after = null] = [result.base.manifest?.registrations, result.manifest.registrations];
  const value = {
    ...created,
    ...(before === null && after === null ? {} : { registrations: { before, after } }),
    ...(refusal === null ? { command: push } : { refusal: { code: refusal.code, message: refusal.message } }),
  };
  return [`${text.join('\n')}\n`, value];
}

function foreignRefusal(ownership: Ownership): Failure | null {
  const failure = checkForeign(ownership, []);
  return failure === null
    ? null
    : fail('AUTHORITY_FOREIGN', failure.message.replace(/^AUTHORITY_FOREIGN: /, ''));
}

/** Summarizes the lists in one line, and the registered senders in another. The failure of the push lists the guards. */
export function summarizePlan(result: PlanResult): string {
  const { release, base, lists } = result.plan;
  const changing = lists.filter(isChanged);
  const counts = `${formatCounts(totalOf(changing))} in ${counted(changing.length, 'list')}`;
  return [`${release}, ${formatBase(base)}: ${counts}`, ...registeredLines(result), ''].join('\n');
}

function formatBase(base: string | null): string {
  return base === null ? 'without a base' : `based on ${base}`;
}

function listLines(change: ListChange): string[] {
  const { name, state, terms, termsBefore } = change;
  const mark = {
    new: styleText('green', ' (new list)'),
    kept: '',
    dropped: styleText('red', ' (list is dropped)'),
  }[state];
  const prefixes = prefixesOf(change).map(([prefix, counts]) =>
    styleText('dim', `      +${prefix}********  ${formatCounts(counts)}`),
  );
  return [
    `  ${formatCounts(totalOf([change]))}  ${styleText('bold', name)} ${terms.reason}${mark}`,
    ...(termsBefore === null ? [] : [`      ${formatTerms(termsBefore)} → ${formatTerms(terms)}`]),
    ...prefixes,
  ];
}

/** The prefixes with the most changes, dated and undated entries together. */
function prefixesOf({ numbers, dated }: ListChange): [prefix: number, counts: ChangeCounts][] {
  const prefixes = new Map<number, ChangeCounts>();
  for (const change of [...numbers.heads, ...dated.heads]) {
    prefixes.set(change.head, sumOf([prefixes.get(change.head) ?? NO_COUNTS, change]));
  }
  return [...prefixes].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a)).slice(0, PREFIXES_SHOWN_MAX);
}

function formatTerms({ reason, effect, subjects, authority }: Terms): string {
  return `${effect} ${reason} ${subjects.join('+')} by ${authority}`;
}

function isChanged(change: ListChange): boolean {
  return change.state !== 'kept' || change.termsBefore !== null || sizeOf(totalOf([change])) > 0;
}

function totalOf(changes: readonly ListChange[]): ChangeCounts {
  return sumOf(changes.flatMap(({ numbers, dated, ranges, sources }) => [numbers, dated, ranges, sources]));
}

function sumOf(all: readonly ChangeCounts[]): ChangeCounts {
  return all.reduce(
    (sum, { added, removed, changed }) => ({
      added: sum.added + added,
      removed: sum.removed + removed,
      changed: sum.changed + changed,
    }),
    NO_COUNTS,
  );
}

function sizeOf({ added, removed, changed }: ChangeCounts): number {
  return added + removed + changed;
}

function formatCounts({ added, removed, changed }: ChangeCounts): string {
  return [
    styleText('green', `+ ${count(added)}`),
    styleText('red', `- ${count(removed)}`),
    ...(changed === 0 ? [] : [styleText('yellow', `~ ${count(changed)}`)]),
  ].join('  ');
}
