/**
 * `numgate text push`: sends a text release to the service, which verifies its signature and its values, and with
 * `--promote` or `--canary` puts it into force. One request: a reader sees the old release or the new one. Running the
 * command again completes it.
 */
import { type Command, Option } from 'commander';
import type { PutTextRelease, TextChangeDone, TextReleaseInfo } from '../../shared/admin/text.ts';
import { toBase64 } from '../../shared/bytes.ts';
import type { TextGuard } from '../../shared/text/text-guards.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { print, type Report } from '../terminal/output.ts';
import { styleText } from '../terminal/visible.ts';
import type { TextFolder } from '../text/text-folder.ts';
import { addTextFolderArgument, examples, textFolderOf } from './options.ts';
import { canaryShare } from './releases.ts';
import { formatTextPlan, planText } from './text-plan.ts';
import {
  addTextOverrides,
  formatTextChange,
  promoteText,
  type TextOverrides,
  textReasonOf,
} from './text-releases.ts';

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
    .option('--dry-run', 'check the release and show what it would change; send nothing', false)
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
      if (dryRun) return print(...formatTextPlan(await planText(folder, admin)));
      const share = promote ? 1 : (canary ?? null);
      print(...formatTextPush(await pushText(folder, admin, { share, reason, overrides: override })));
    });
}

export interface TextPushSettings {
  /** Share of the data centres that get it; null to send it only. */
  readonly share: number | null;
  readonly reason: string;
  readonly overrides?: readonly TextGuard[];
}

export interface TextPushResult {
  readonly pushed: TextReleaseInfo;
  /** Null if it was only sent. */
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
  const stopNotice = onInterrupt(() => 'run the same command again: it sends the release once');
  try {
    const pushed = await admin.change<TextReleaseInfo>('POST', 'text/releases', body);
    const promoted =
      share === null ? null : await promoteText(admin, manifest.release, { share, reason, overrides });
    return { pushed, promoted };
  } finally {
    stopNotice();
  }
}

export function formatTextPush({ pushed, promoted }: TextPushResult): Report {
  const { release } = pushed;
  if (promoted !== null) return [formatTextChange(promoted), { ...pushed, ...promoted }];
  const text = [
    `${styleText('bold', release)} is at the service (${pushed.state})`,
    `  to a tenth of the data centres: npx numgate text promote ${release} --share 0.1`,
    `  to all:                         npx numgate text promote ${release}\n`,
  ];
  return [text.join('\n'), pushed];
}
