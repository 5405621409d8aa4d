/**
 * What commands have in common: how options are read, who they talk to, and how they print.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ChangeDone } from '../../shared/admin.ts';
import { GUARDS, type Guard } from '../../shared/release/guards.ts';
import { addressOf, serviceUrl } from '../admin.ts';
import { BuildFolder, newestBuild } from '../build-folder.ts';
import { type Seen, watchUntil } from '../commands/watch.ts';
import { CommandFailure } from '../failure.ts';
import { BUILDS } from '../paths.ts';
import type { Outcome } from '../report.ts';
import { seenLine } from '../report-service.ts';

/** Prints the text, or the value where `--json` was said. */
export type Print = (text: string, value: object) => void;

/** Longest wait for a change to be visible, in seconds. */
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

/** Of the data centres: none is what rollback is for. */
export function trialShare(text: string): number {
  const value = share(text);
  if (value === 0) throw new InvalidArgumentError('must be above 0: rollback takes a trial back');
  return value;
}

export function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** A guard's name; the option may be said several times. */
export function guards(text: string, before: readonly Guard[]): Guard[] {
  const guard = GUARDS.find((known) => known === text);
  if (guard === undefined) throw new InvalidArgumentError(`must be one of ${GUARDS.join(', ')}`);
  return [...before, guard];
}

export function example(command: Command, ...lines: readonly string[]): Command {
  const shown = lines.map((line) => `  npm run lists -- ${line}\n`).join('');
  return command.addHelpText('after', `\nExample:\n${shown.trimEnd()}`);
}

/** Options that say which KV wrangler writes. */
export function targeted(command: Command): Command {
  return command
    .option('--remote', 'the KV of the wrangler login, not the local one', false)
    .option('--env <name>', 'environment of wrangler.toml', '');
}

export function reasoned(command: Command, reason?: string): Command {
  const told = 'why: kept in the audit log';
  return reason === undefined
    ? command.requiredOption('--reason <text>', told)
    : command.option('--reason <text>', told, reason);
}

/** A step of releases: the reason that was given, or the usual one. A guard is not overridden without one. */
export function reasonOf(given: string | undefined, usual: string, overrides: readonly Guard[]): string {
  if (given === undefined && overrides.length > 0) {
    throw new CommandFailure('--override needs --reason: say why the guard may be hit', 2);
  }
  return given ?? usual;
}

/** Options of what changes the head. */
export function waiting(command: Command): Command {
  return command
    .option('--wait', `wait until the edge shows the change, ${WAIT_SECONDS} s at most`, false)
    .addOption(edge().implies({ wait: true }));
}

export function edges(command: Command): Command {
  return command.addOption(edge());
}

function edge(): Option {
  return new Option('--url <edge>', 'an edge; may be said several times')
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

/** Wait until these edges show a change. */
function arrival(url: readonly string[], { seq }: ChangeDone): Promise<Seen[]> {
  return watchUntil(urlsOf(url), seq, WAIT_SECONDS * 1000);
}

/** Print a key, which is shown once, and then wait until it is known, where that is wished. */
export async function printKey(
  print: Print,
  [text, value]: Outcome<ChangeDone>,
  { wait, url }: Waiting,
): Promise<void> {
  print(text, value);
  if (!wait) return;
  const visible = await arrival(url, value);
  process.stderr.write(visible.map(seenLine).join(''));
}

/** Print a change, and how to see it arrive; or wait until it has. */
export async function printChange(
  print: Print,
  [text, value]: Outcome<ChangeDone>,
  { wait, url }: Waiting,
): Promise<void> {
  if (!wait) {
    print(`${text}  to see it arrive: npm run lists -- watch --seq ${value.seq}\n`, value);
    return;
  }
  process.stderr.write(text);
  const visible = await arrival(url, value).catch((error: unknown) => {
    // The change is made: who waits for it in vain is to know its number all the same.
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(error.message, error.exitCode, { ...value });
  });
  print(visible.map(seenLine).join(''), { ...value, visible });
}

export function folderOf(path: string | undefined): BuildFolder {
  return path === undefined ? newestBuild(BUILDS) : new BuildFolder(path);
}
