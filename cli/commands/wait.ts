/** Shared by commands that change the head: prints the change, and with `--wait`, waits until it is visible. */
import type { Command } from 'commander';
import type { ChangeDone } from '../../shared/admin/change.ts';
import { CommandFailure } from '../failure.ts';
import { note, print, type Report } from '../terminal/output.ts';
import { type EdgeSighting, edgeOption, formatSighting, urlsOf, WAIT_SECONDS, watchUntil } from './watch.ts';

export interface WaitOptions {
  readonly wait: boolean;
  readonly url: readonly string[];
}

export function addWaitOptions(command: Command): Command {
  return command
    .option('--wait', `wait until the edge shows the change (at most ${WAIT_SECONDS} s)`, false)
    .addOption(edgeOption().implies({ wait: true }));
}

/** Prints a key, which is shown once. With `--wait`, also waits until the key is visible. */
export async function printKey<Done extends ChangeDone>(
  [text, value]: Report<Done>,
  options: WaitOptions,
): Promise<void> {
  print(text, value);
  if (options.wait) note((await waitFor(value, options)).map(formatSighting).join(''));
}

/** Prints a change and how to watch for it, or waits until it is visible. @param hint lines to print last */
export async function printChange<Done extends ChangeDone>(
  [text, value]: Report<Done>,
  options: WaitOptions,
  hint = '',
): Promise<void> {
  if (!options.wait) {
    print(`${text}  to wait until it is visible: npx numgate watch --seq ${value.seq}\n${hint}`, value);
    return;
  }
  note(text);
  const visible = await waitFor(value, options).catch((error: unknown) => {
    // The change is made. Report its seq even if the wait fails.
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(error.message, error.exitCode, value);
  });
  print(visible.map(formatSighting).join('') + hint, { ...value, visible });
}

function waitFor({ seq }: ChangeDone, { url }: WaitOptions): Promise<EdgeSighting[]> {
  return watchUntil(urlsOf(url), seq, WAIT_SECONDS * 1000);
}
