/**
 * `numgate text push`: sends a text release to the service in one request. The service verifies its signature and values. With
 * `--promote` or `--canary`, a second request puts the release into force. A reader sees the old release or the new one.
 * Running the command again completes an interrupted push.
 */
import { type Command, Option } from 'commander';
import type { PutTextRelease, TextChangeDone, TextReleaseInfo } from '../../shared/admin/text.ts';
import { toBase64 } from '../../shared/bytes.ts';
import type { TextGuard, TextGuardHit } from '../../shared/text/text-guards.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { print, type Report } from '../terminal/output.ts';
import { styleText } from '../terminal/visible.ts';
import type { TextFolder } from '../text/text-folder.ts';
import { addTextFolderArgument, examples, textFolderOf } from './options.ts';
import { canaryShare } from './releases.ts';
import { addTextOverrides, overrideWords, type TextOverrides, textReasonOf } from './text-overrides.ts';
import { formatTextPlan, planText } from './text-plan.ts';
import { formatTextChange, formatTextState, promoteText } from './text-releases.ts';

interface PushOptions extends TextOverrides {
  readonly promote: boolean;
  readonly canary?: number;
  readonly dryRun: boolean;
}

export function addTextPush(text: Command): void {
  addTextOverrides(addTextFolderArgument(text.command('push')))
    .description('send a text release to the service; with --promote or --canary, put it into force')
    .option('--promote', 'put it into force in all data centres', false)
    .addOption(
      new Option('--canary <share>', 'put it into force in a share of the data centres')
        .argParser(canaryShare)
        .conflicts('promote'),
    )
    .option('--dry-run', 'check the release and show what it would change, without sending anything', false)
    .addHelpText(
      'after',
      examples('text push --canary 0.1', 'text push build/text-releases/text-… --promote'),
    )
    .action(async (path: string | undefined, options: PushOptions) => {
      const { promote, canary, dryRun, override = [] } = options;
      if (!promote && canary === undefined && override.length > 0)
        throw new CommandFailure('--override requires --promote or --canary: a push alone hits no guard', 2);
      const reason = textReasonOf(options, 'numgate text push');
      const folder = textFolderOf(path);
      const admin = adminOfEnvironment();
      const share = promote ? 1 : (canary ?? null);
      const planned = { share, overrides: override };
      if (dryRun) return print(...formatTextPlan(await planText(folder, admin), planned));
      print(...formatTextPush(await pushText(folder, admin, { ...planned, reason }), override));
    });
}

export interface TextPushSettings {
  /** Share of the data centres that get the release; null to send it only. */
  readonly share: number | null;
  readonly reason: string;
  readonly overrides?: readonly TextGuard[];
}

export interface TextPushResult {
  readonly pushed: TextReleaseInfo;
  /** Null if the release was only sent. */
  readonly promoted: TextChangeDone | null;
}

export async function pushText(
  folder: TextFolder,
  admin: Admin,
  { share, reason, overrides = [] }: TextPushSettings,
): Promise<TextPushResult> {
  const manifest = await folder.open();
  const values = await folder.values(manifest);
  const body: PutTextRelease = {
    manifest: folder.signed,
    values: Object.fromEntries([...values].map(([key, bytes]) => [key, toBase64(bytes)])),
    reason,
  };
  const stopNotice = onInterrupt(() => 'run the same command again: the release is sent only once');
  try {
    const pushed = await admin.change<TextReleaseInfo>('POST', 'text/releases', body);
    if (share === null) return { pushed, promoted: null };
    const promoted = await promoteText(admin, manifest.release, { share, reason, overrides }).catch(
      (error: unknown) => {
        throw notPromoted(error, manifest.release, share, overrides);
      },
    );
    return { pushed, promoted };
  } finally {
    stopNotice();
  }
}

/** Adds to a failed promotion that the release was sent. If a guard stopped it, adds the command that overrides the guard. */
function notPromoted(
  error: unknown,
  release: string,
  share: number,
  overrides: readonly TextGuard[],
): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const { guards = [] } = error.extras as { readonly guards?: readonly TextGuardHit[] };
  const lines = [error.message, `${release} was sent to the service, but was not put into force`];
  if (error.exitCode !== 3) {
    const message = lines.join('\n');
    return new CommandFailure(message, error.exitCode, { ...error.details, message, pushed: release });
  }
  const where = share === 1 ? '' : ` --share ${share}`;
  const command = `npx numgate text promote ${release}${where}${overrideWords(guards, overrides)}`;
  const message = [...lines, 'to put it into force anyway:', `  ${command}`].join('\n');
  return new CommandFailure(message, 3, { ...error.details, message, pushed: release, command });
}

/** @param overrides guards that were to be overridden */
export function formatTextPush(
  { pushed, promoted }: TextPushResult,
  overrides: readonly TextGuard[] = [],
): Report {
  const { release } = pushed;
  if (promoted !== null) return [formatTextChange(promoted, overrides), { ...pushed, ...promoted }];
  const text = [
    `${styleText('bold', release)} is at the service (${formatTextState(pushed)})`,
    `  to a tenth of the data centres: npx numgate text promote ${release} --share 0.1`,
    `  to all:                         npx numgate text promote ${release}\n`,
  ];
  return [text.join('\n'), pushed];
}
