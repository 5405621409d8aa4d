/** Output for plans, pushes and releases. */
import colours from 'picocolors';
import type { PromoteDone, ReleaseInfo, RollbackDone } from '../shared/admin.ts';
import { type Counts, NO_COUNTS } from '../shared/release/churn.ts';
import type { ListChange, Terms } from '../shared/release/diff.ts';
import type { Guard, GuardHit } from '../shared/release/guards.ts';
import { guardLine } from './admin-problem.ts';
import type { PlanResult } from './commands/plan.ts';
import type { PushResult } from './commands/push.ts';
import { commandLine, REASON } from './override-hint.ts';
import type { Uploaded } from './publish/upload.ts';
import { type Report, tableOf } from './report.ts';
import { count, percent } from './terminal/figures.ts';

/** Prefixes shown per list: those with the most changes. */
const PREFIXES_SHOWN_MAX = 3;

/** What would change, which guards it hits, and the command that pushes exactly this plan. */
export function planned({ plan, folder }: PlanResult): Report {
  const changing = plan.lists.filter(isChanged);
  const override = plan.guards.map((hit) => hit.override);
  const command = commandLine(['push', folder.path], { plan: plan.hash, override, reason: REASON });
  const unchanged = plan.lists.length - changing.length;
  const text = [
    `${colours.bold(plan.release)} upon ${plan.base ?? 'nothing'}`,
    ...changing.flatMap(listLines),
    ...(unchanged === 0
      ? []
      : [colours.dim(`  ${unchanged} of ${plan.lists.length} lists stay as they are`)]),
    '',
    `${colours.bold('Plan')} ${plan.hash}: ${countsOf(totalOf(changing))}`,
    ...guardLines(plan.guards),
    'To push exactly this:',
    `  npx numgate ${command}`,
  ];
  return [`${text.join('\n')}\n`, { ...plan, command }];
}

/** One line. The failure lists the guards that stop the plan. */
export function planSummary({ plan }: PlanResult): string {
  const changing = plan.lists.filter(isChanged);
  const counts = countsOf(totalOf(changing));
  return `${plan.release} upon ${plan.base ?? 'nothing'}: ${counts} in ${changing.length} lists\n`;
}

function guardLines(guards: readonly GuardHit[]): string[] {
  if (guards.length === 0) return ['no guard is hit'];
  return [colours.yellow('guards are hit:'), ...guards.map((hit) => `  ${guardLine(hit)}`)];
}

function listLines(change: ListChange): string[] {
  const { name, state, terms, termsBefore } = change;
  const mark = { new: colours.green(' (new list)'), kept: '', dropped: colours.red(' (list is dropped)') }[
    state
  ];
  const heads = prefixesOf(change).map(([head, counts]) =>
    colours.dim(`      +${head}********  ${countsOf(counts)}`),
  );
  return [
    `  ${countsOf(totalOf([change]))}  ${colours.bold(name)} ${terms.reason}${mark}`,
    ...(termsBefore === null ? [] : [`      ${wordsOf(termsBefore)} → ${wordsOf(terms)}`]),
    ...heads,
  ];
}

/** The prefixes with the most changes, dated and undated entries together. */
function prefixesOf({ numbers, dated }: ListChange): [head: number, counts: Counts][] {
  const heads = new Map<number, Counts>();
  for (const change of [...numbers.heads, ...dated.heads]) {
    heads.set(change.head, sumOf([heads.get(change.head) ?? NO_COUNTS, change]));
  }
  return [...heads].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a)).slice(0, PREFIXES_SHOWN_MAX);
}

function wordsOf({ reason, effect, subjects, authority }: Terms): string {
  return `${effect} ${reason} ${subjects.join('+')} by ${authority}`;
}

function kindsOf({ numbers, dated, ranges, sources }: ListChange): readonly Counts[] {
  return [numbers, dated, ranges, sources];
}

function isChanged(change: ListChange): boolean {
  return change.state !== 'kept' || change.termsBefore !== null || sizeOf(totalOf([change])) > 0;
}

function totalOf(changes: readonly ListChange[]): Counts {
  return sumOf(changes.flatMap(kindsOf));
}

function sumOf(all: readonly Counts[]): Counts {
  return all.reduce(
    (sum, { added, removed, changed }) => ({
      added: sum.added + added,
      removed: sum.removed + removed,
      changed: sum.changed + changed,
    }),
    NO_COUNTS,
  );
}

function sizeOf({ added, removed, changed }: Counts): number {
  return added + removed + changed;
}

function countsOf({ added, removed, changed }: Counts): string {
  return [
    colours.green(`+ ${count(added)}`),
    colours.red(`- ${count(removed)}`),
    ...(changed === 0 ? [] : [colours.yellow(`~ ${count(changed)}`)]),
  ].join('  ');
}

function uploadedLine({ uploaded, uploadedBytes, values }: Uploaded): string {
  const others = uploaded < values ? '; the others were there' : '';
  return `  ${count(uploaded)} of ${count(values)} values uploaded, ${count(uploadedBytes)} bytes${others}\n`;
}

/** @param overrides guards that were overridden for the release */
export function pushed(result: PushResult, overrides: readonly Guard[]): Report<PushResult> {
  const { wasCurrent, uploaded, values } = result;
  const again =
    wasCurrent && uploaded < values
      ? '  it was current before; --all uploads every value again, also over damaged ones\n'
      : '';
  return [stateLine(result, overrides) + uploadedLine(result) + again, result];
}

function stateLine({ release, seq, share, state }: PromoteDone, overrides: readonly Guard[]): string {
  const name = colours.bold(release);
  if (state !== 'candidate') return `${name} is current (seq ${seq})\n`;
  // The promotion to all data centres is checked against the same guards again.
  const cliOptions = overrides.length === 0 ? {} : { override: overrides, reason: REASON };
  return [
    `${name} is the canary in ${percent(share)} of the data centres (seq ${seq})`,
    `  to all:  npx numgate ${commandLine(['promote', release], cliOptions)}`,
    `  to none: npx numgate rollback --reason ${REASON}\n`,
  ].join('\n');
}

export function staged(result: Uploaded & { readonly release: string }): Report {
  const text =
    `${colours.bold(result.release)} is staged: the coordinator's cron promotes it within a minute or two,\n` +
    `  or refuses it and says why: npx numgate releases\n${uploadedLine(result)}`;
  return [text, result];
}

export function promoted(result: PromoteDone, overrides: readonly Guard[]): Report<PromoteDone> {
  return [stateLine(result, overrides), result];
}

export function rolledBack(result: RollbackDone): Report<RollbackDone> {
  const { withdrawn, current, seq } = result;
  return [`${colours.bold(current)} is current (seq ${seq}); ${withdrawn} was taken back\n`, result];
}

export function releasesOf(releases: readonly ReleaseInfo[]): Report {
  const rows = releases.map(
    ({ release, state, base, foldedSeq, numbers, bytes, promotedAt, by, readable }) => [
      ...[release, readable && state === 'superseded' ? `${state} (rollback)` : state, base ?? '', foldedSeq],
      ...[numbers, bytes, promotedAt ?? '', by],
    ],
  );
  const refusals = releases
    .filter(({ refusal }) => refusal !== null)
    .map(({ release, refusal }) => `${release}: ${colours.yellow(refusal!.code)}: ${refusal!.message}\n`);
  const names = ['release', 'state', 'base', 'folded seq#', 'numbers#', 'bytes#', 'promoted', 'staged by'];
  return [tableOf(names, rows) + refusals.join(''), { releases }];
}
