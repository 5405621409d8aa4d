/** Shared parts of the commands: option parsers, connections and printing. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ChangeDone } from '../../shared/admin.ts';
import { GUARDS, type Guard } from '../../shared/release/guards.ts';
import { addressOf, serviceUrl } from '../admin.ts';
import { type EdgeSighting, watchUntil } from '../commands/watch.ts';
import { CommandFailure } from '../failure.ts';
import { BUILDS } from '../paths.ts';
import { BuildFolder, newestBuild } from '../publish/build-folder.ts';
import type { Report } from '../report.ts';
import { seenLine } from '../report-service.ts';

/** Prints the text, or the value with `--json`. */
export type Print = (text: string, value: object) => void;

/** Longest wait for a change to become visible, in seconds. */
export const WAIT_SECONDS = 120;

export function wholeNumber(text: string): number {
  const value = Number(text.replaceAll(/[_,]/g, ''));
  if (!/\d/.test(text) || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('must be a whole number');
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (!/\d/.test(text) || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('must be between 0 and 1');
  return value;
}

/** Share of the data centres. To withdraw a canary, use rollback instead of share 0. */
export function canaryShare(text: string): number {
  const value = share(text);
  if (value === 0) throw new InvalidArgumentError('must be above 0: to withdraw a canary, use rollback');
  return value;
}

export function commaList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** A guard's name. The option is repeatable. */
export function guards(text: string, before: readonly Guard[]): Guard[] {
  const guard = GUARDS.find((known) => known === text);
  if (guard === undefined) throw new InvalidArgumentError(`must be one of ${GUARDS.join(', ')}`);
  return [...before, guard];
}

export function example(command: Command, ...lines: readonly string[]): Command {
  const shown = lines.map((line) => `  npx numgate ${line}\n`).join('');
  return command.addHelpText('after', `\nExample:\n${shown.trimEnd()}`);
}

/** Options that select the KV that wrangler writes. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('--remote', 'use the KV of your Cloudflare account instead of the local one', false)
    .option('--env <name>', 'environment of wrangler.toml', '');
}

export function addReasonOption(command: Command, reason?: string): Command {
  const reported = 'reason for the audit log';
  return reason === undefined
    ? command.requiredOption('--reason <text>', reported)
    : command.option('--reason <text>', reported, reason);
}

/** The given reason for a release step, or the default. Overriding a guard requires a reason. */
export function reasonOf(given: string | undefined, usual: string, overrides: readonly Guard[]): string {
  if (given === undefined && overrides.length > 0) {
    throw new CommandFailure('--override requires --reason: say why the guard may be overridden', 2);
  }
  return given ?? usual;
}

/** Options of commands that change the head. */
export function addWaitOptions(command: Command): Command {
  return command
    .option('--wait', `wait until the edge shows the change (at most ${WAIT_SECONDS} s)`, false)
    .addOption(edge().implies({ wait: true }));
}

export function edges(command: Command): Command {
  return command.addOption(edge());
}

function edge(): Option {
  return new Option('--url <edge>', 'URL of an edge; repeatable')
    .argParser((text: string, before: readonly string[]) => [...before, addressOf(text, '--url')])
    .default([], 'NUMGATE_URL');
}

export interface Waiting {
  readonly wait: boolean;
  readonly url: readonly string[];
}

export function urlsOf(url: readonly string[]): readonly string[] {
  return url.length === 0 ? [serviceUrl()] : url;
}

/** Waits until these edges show a change. */
function arrival(url: readonly string[], { seq }: ChangeDone): Promise<EdgeSighting[]> {
  return watchUntil(urlsOf(url), seq, WAIT_SECONDS * 1000);
}

/** Prints a key, which is shown once. With `--wait`, then waits until the key is visible. */
export async function printKey(
  print: Print,
  [text, value]: Report<ChangeDone>,
  { wait, url }: Waiting,
): Promise<void> {
  print(text, value);
  if (!wait) return;
  const visible = await arrival(url, value);
  process.stderr.write(visible.map(seenLine).join(''));
}

/** Prints a change and how to watch for it, or waits until it is visible. */
export async function printChange(
  print: Print,
  [text, value]: Report<ChangeDone>,
  { wait, url }: Waiting,
): Promise<void> {
  if (!wait) {
    print(`${text}  to wait until it is visible: npx numgate watch --seq ${value.seq}\n`, value);
    return;
  }
  process.stderr.write(text);
  const visible = await arrival(url, value).catch((error: unknown) => {
    // The change is made. Report its seq even if the wait fails.
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(error.message, error.exitCode, { ...value });
  });
  print(visible.map(seenLine).join(''), { ...value, visible });
}

export function folderOf(path: string | undefined): BuildFolder {
  return path === undefined ? newestBuild(BUILDS) : new BuildFolder(path);
}
