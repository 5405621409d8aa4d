/** `numgate text promote`, `withdraw`, `rollback`, `releases` and `status`: which text releases the service has. */
import type { Command } from 'commander';
import type {
  PromoteText,
  TextChangeDone,
  TextReleaseInfo,
  TextReleaseList,
  TextReleaseState,
  TextStatus,
} from '../../shared/admin/text.ts';
import type { TextGuard } from '../../shared/text/text-guards.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { formatGuard } from '../problem.ts';
import { percent } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { examples, requireReason } from './options.ts';
import { canaryShare } from './releases.ts';
import {
  addTextOverrides,
  overrideWords,
  type TextOverrides,
  textReasonOf,
  unusedOverrides,
} from './text-overrides.ts';

export function addTextReleases(text: Command): void {
  addTextOverrides(text.command('promote'))
    .description('put a text release into force, in a share of the data centres or in all')
    .argument('<release>')
    .option('--share <share>', 'share of the data centres', canaryShare, 1)
    .option('--dry-run', 'show which guards it would hit, and change nothing', false)
    .addHelpText('after', examples('text promote text-20261127T0312Z-9f2c1e4b --share 0.5'))
    .action(async (release: string, options: TextOverrides & { share: number; dryRun: boolean }) => {
      const { share, dryRun, override: overrides = [] } = options;
      const reason = textReasonOf(options, 'numgate text promote');
      const done = await promoteText(adminOfEnvironment(), release, { share, dryRun, overrides, reason });
      print(formatTextChange(done, overrides), done);
    });

  requireReason(text.command('withdraw'))
    .description('withdraw a canary: every data centre uses the text release in force again')
    .argument('<release>')
    .addHelpText('after', examples('text withdraw text-20261127T0312Z-9f2c1e4b --reason "too many labels"'))
    .action(async (release: string, { reason }: { reason: string }) => {
      const path = `text/releases/${encodeURIComponent(release)}/withdraw`;
      const done = await adminOfEnvironment().change<TextChangeDone>('POST', path, { reason });
      print(formatUndone(done), done);
    });

  requireReason(text.command('rollback'))
    .description(
      'undo the last promotion: withdraw the canary if there is one, otherwise the release in force',
    )
    .option('--release <name>', 'only if this release would be withdrawn')
    .addHelpText('after', examples('text rollback --reason "labels one-time codes"'))
    .action(async ({ release, reason }: { release?: string; reason: string }) => {
      const done = await rollBackText(adminOfEnvironment(), reason, release);
      print(formatUndone(done), done);
    });

  text
    .command('releases')
    .description('list text releases')
    .addHelpText('after', examples('text releases'))
    .action(async () => {
      print(...formatTextReleases(await adminOfEnvironment().get<TextReleaseList>('text/releases')));
    });

  text
    .command('status')
    .description('show the text release in force, the canary, and counts of campaigns')
    .addHelpText('after', examples('text status'))
    .action(async () => {
      print(...formatTextStatus(await adminOfEnvironment().get<TextStatus>('text/status')));
    });
}

/** Puts a release into force, based on the release that is in force now. */
export async function promoteText(
  admin: Admin,
  release: string,
  operation: Partial<Pick<PromoteText, 'share' | 'dryRun'>> & {
    readonly overrides?: readonly TextGuard[];
    readonly reason: string;
  },
): Promise<TextChangeDone> {
  const { current } = await admin.get<TextStatus>('text/status');
  const path = `text/releases/${encodeURIComponent(release)}/promote`;
  return admin.change('POST', path, { ...operation, base: current });
}

/** Undoes the last promotion: withdraws the canary if there is one, else the release in force. */
async function rollBackText(admin: Admin, reason: string, release?: string): Promise<TextChangeDone> {
  const { current, candidate } = await admin.get<TextStatus>('text/status');
  // Name the release, so that a retry after a lost response does not undo two steps.
  const last = release ?? candidate?.release ?? current;
  return admin.change('POST', 'text/rollback', last === null ? { reason } : { release: last, reason });
}

/** @param overrides guards that were to be overridden */
export function formatTextChange(done: TextChangeDone, overrides: readonly TextGuard[]): string {
  const unused = unusedOverrides(overrides, done.guards ?? []);
  return formatDone(done) + unused.map((line) => `${line}\n`).join('');
}

function formatDone({ release, state, share, guards = [], dryRun }: TextChangeDone): string {
  const name = styleText('bold', release);
  if (dryRun === true) {
    const hits = guards.map((hit) => `  ${formatGuard(hit)}\n`).join('');
    return `${name} would be ${STATES[state]}; nothing was changed\n${hits === '' ? 'no guard is hit\n' : `guards are hit:\n${hits}`}`;
  }
  if (state !== 'candidate') return `${name} is in force in all data centres\n`;
  return [
    `${name} is the canary in ${percent(share ?? 0)} of the data centres`,
    // A promotion to all checks the guards again.
    `  to all:  npx numgate text promote ${release}${overrideWords(guards)}`,
    `  to none: npx numgate text withdraw ${release} --reason "…"\n`,
  ].join('\n');
}

function formatUndone({ release, current }: TextChangeDone): string {
  const now = current === null ? 'no text release is in force' : `${styleText('bold', current)} is in force`;
  return `${release} was withdrawn; ${now}\n`;
}

export function formatTextReleases(list: TextReleaseList): Report {
  const rows = list.releases.map((info) => {
    const { release, manifest, pushedAt, pushedBy, promotedAt } = info;
    const { base, model, hosts } = manifest;
    const names = [release, formatTextState(info), base ?? '', model?.name ?? '', hosts?.count ?? 0];
    return [...names, pushedAt, promotedAt ?? '', pushedBy];
  });
  if (rows.length === 0) return ['there is no text release: run npx numgate text build\n', list];
  const names = ['release', 'state', 'base', 'model', 'hosts#', 'pushed', 'promoted', 'pushed by'];
  return [formatTable(names, rows), list];
}

/** The states in words. The API has shorter names. */
const STATES: Readonly<Record<TextReleaseState, string>> = {
  ...{ pushed: 'pushed', candidate: 'canary', current: 'in force', former: 'former', withdrawn: 'withdrawn' },
};

export function formatTextState({ state, share }: TextReleaseInfo): string {
  return share === undefined ? STATES[state] : `${STATES[state]} (${percent(share)})`;
}

export function formatTextStatus(status: TextStatus): Report {
  const { version, published, current, candidate, campaigns, textKeyId } = status;
  const counts = Object.entries(campaigns).map(([state, number]) => `${number} ${state}`);
  const lines = [
    current === null ? 'no text release is in force' : `in force: ${styleText('bold', current)}`,
    ...(candidate === null
      ? []
      : [`canary:   ${candidate.release} in ${percent(candidate.share)} of the data centres`]),
    `campaigns: ${counts.length === 0 ? 'none' : counts.join(', ')}`,
    textKeyId === null
      ? styleText('yellow', 'TEXT_KEY is not set: no campaign is recognised')
      : `ID of TEXT_KEY: ${visible(textKeyId)}`,
    published < version
      ? styleText('yellow', `state ${version}; the data centres still get state ${published}`)
      : `state ${version}`,
  ];
  return [`${lines.join('\n')}\n`, status];
}
