/** `numgate promote`, `rollback`, `releases`: which releases the coordinator has, and which is current. */
import { type Command, InvalidArgumentError } from 'commander';
import type {
  Promote,
  PromoteDone,
  ReleaseInfo,
  Rollback,
  RollbackDone,
} from '../../shared/admin/releases.ts';
import type { StatusInfo } from '../../shared/admin/status.ts';
import type { PushGuard } from '../../shared/release/guard-settings.ts';
import type { ReleaseList } from '../../shared/release-list.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { percent } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { examples, requireReason, share } from './options.ts';
import {
  addOverrideOptions,
  type OverrideOptions,
  overrideCommand,
  reasonOf,
  withOverrideHint,
} from './override.ts';
import { type AuthorityOptions, addAuthorityOption, authorityField } from './override-authority.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

type PromoteOptions = WaitOptions & OverrideOptions & Pick<Promote, 'share'>;

export function addReleases(program: Command): void {
  addWaitOptions(addOverrideOptions(program.command('promote')))
    .description('make a pushed release current, for a share of the data centres or for all')
    .argument('<release>')
    .option('--share <share>', 'share of the data centres', canaryShare, 1)
    .addHelpText(
      'after',
      `
Promoting a canary to all data centres checks the guards again: repeat the --override options of the canary.`,
    )
    .addHelpText('after', examples('promote 20261124T0312Z-9f2c1e4b --share 0.5'))
    .action(async (release: string, options: PromoteOptions) => {
      const { plan, override: overrides = [], share: part } = options;
      const reason = reasonOf(options, 'numgate promote');
      const operation = {
        share: part,
        reason,
        overrides: [...overrides],
        ...authorityField(options),
        ...(plan === undefined ? {} : { plan }),
      };
      const done = await promote(adminOfEnvironment(), release, operation).catch((error: unknown) => {
        throw withOverrideHint(error, process.argv.slice(2), options);
      });
      await printChange([formatState(done, overrides), done], options);
    });

  addWaitOptions(addAuthorityOption(requireReason(program.command('rollback'))))
    .description(
      'undo the last promotion: withdraw the canary if there is one, otherwise the current release',
    )
    .option('--release <name>', 'only if this release would be withdrawn')
    .addHelpText('after', examples('rollback --reason "blocks customers of one operator" --wait'))
    .action(async (options: WaitOptions & AuthorityOptions & Rollback) => {
      const { release, reason } = options;
      const named = { reason, ...(release === undefined ? {} : { release }), ...authorityField(options) };
      const done = await rollback(adminOfEnvironment(), named);
      const { withdrawn, current, seq } = done;
      const text = `${styleText('bold', current)} is current (seq ${seq}); ${withdrawn} was withdrawn\n`;
      await printChange([text, done], options);
    });

  program
    .command('releases')
    .description('list releases, with the reason for each refusal')
    .addHelpText('after', examples('releases'))
    .action(async () => {
      print(...formatReleases(await adminOfEnvironment().get<ReleaseList>('releases')));
    });
}

/** Share of the data centres. To withdraw a canary, use rollback instead of share 0. */
export function canaryShare(text: string): number {
  const value = share(text);
  if (value === 0) throw new InvalidArgumentError('must be above 0: to withdraw a canary, use rollback');
  return value;
}

/** Promotes a release that the coordinator has, based on the current release. */
export async function promote(
  admin: Admin,
  release: string,
  operation: Omit<Promote, 'base'>,
): Promise<PromoteDone> {
  const { current } = await admin.get<StatusInfo>('status');
  const path = `releases/${encodeURIComponent(release)}/promote`;
  return admin.change('POST', path, { ...operation, base: current?.release ?? null });
}

/** Undoes the last promotion: withdraws the canary if there is one, else the current release. */
export async function rollback(admin: Admin, { release, ...rest }: Rollback): Promise<RollbackDone> {
  const { current, candidate } = await admin.get<StatusInfo>('status');
  // Name the release, so that a retry after a lost response does not undo two steps.
  const last = release ?? (candidate ?? current)?.release;
  return admin.change('POST', 'rollback', last === undefined ? rest : { release: last, ...rest });
}

/** @param overrides guards that were overridden for the release */
export function formatState(
  { release, seq, share: part, state }: PromoteDone,
  overrides: readonly PushGuard[],
): string {
  const name = styleText('bold', release);
  if (state !== 'candidate') return `${name} is current (seq ${seq})\n`;
  // The promotion to all data centres is checked against the same guards again.
  const toAll = overrideCommand(['promote', release], {
    guards: overrides,
    needsReason: overrides.length > 0,
  });
  return [
    `${name} is the canary in ${percent(part)} of the data centres (seq ${seq})`,
    `  to all:  npx numgate ${toAll}`,
    '  to none: npx numgate rollback --reason "…"\n',
  ].join('\n');
}

export function formatReleases({ releases, refused = [] }: ReleaseList): Report {
  const rows = releases.map((info) => {
    const { release, state, base, foldedSeq, numbers, bytes, promotedAt, by, readable } = info;
    const shownState = readable && state === 'superseded' ? `${state} (rollback)` : state;
    return [release, shownState, base ?? '', foldedSeq, numbers, bytes, promotedAt ?? '', by];
  });
  const names = ['release', 'state', 'base', 'folded seq#', 'numbers#', 'bytes#', 'promoted', 'staged by'];
  const refusals = [...refused.map((each) => ({ release: each.release, refusal: each })), ...releases];
  return [refusals.map(formatRefusal).join('') + formatTable(names, rows), { releases, refused }];
}

/** Refusals come first in the output, because they need action. */
function formatRefusal({ release, refusal }: Pick<ReleaseInfo, 'release' | 'refusal'>): string {
  if (refusal === null) return '';
  const { code, message } = refusal;
  // Some messages already begin with the code.
  const why = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  return `${visible(release)} was refused: ${styleText('yellow', code)}: ${visible(why)}\n`;
}
