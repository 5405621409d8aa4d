/** Options and parsers that several commands share. */
import { type Command, InvalidArgumentError } from 'commander';
import { CommandFailure } from '../failure.ts';
import { BUILDS, TEXT_BUILDS } from '../paths.ts';
import { BuildFolder, newestBuild } from '../publish/build-folder.ts';
import { newestTextBuild, TextFolder } from '../text/text-folder.ts';

export function wholeNumber(text: string): number {
  const value = Number(text.replaceAll(/[_,]/g, ''));
  if (!/\d/.test(text) || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('must be a whole number');
  return value;
}

export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('must be at least 1');
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (!/\d/.test(text) || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('must be between 0 and 1');
  return value;
}

/** Returned by the parser of an option for no value, because commander replaces null with an empty text. */
export const NONE = Symbol('none');

/** The options, with null for NONE. */
export function withNulls<Options extends object>(options: Options): Options {
  const values = Object.entries(options).map(([name, value]) => [name, value === NONE ? null : value]);
  return Object.fromEntries(values) as Options;
}

export function commaList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Examples for the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExample${lines.length === 1 ? '' : 's'}:\n${lines.map((line) => `  npx numgate ${line}`).join('\n')}`;
}

const REASON = ['--reason <text>', 'reason for the audit log'] as const;

/**
 * Requires a reason without `requiredOption`. For `--resaon`, `requiredOption` would report a missing reason instead of
 * suggesting the right spelling.
 */
export function requireReason(command: Command): Command {
  return command.option(REASON[0], `${REASON[1]} (required)`).hook('preAction', () => {
    checkReason(command.opts<{ reason?: string }>().reason);
  });
}

/** @throws CommandFailure without a reason */
export function checkReason(reason: string | undefined): void {
  if (reason === undefined) throw new CommandFailure("required option '--reason <text>' not specified", 2);
}

/** Adds an optional reason, for commands that say enough, such as `numgate clients add`. */
export function addReasonOption(command: Command): Command {
  return command.option(...REASON, `numgate ${command.parent!.name()} ${command.name()}`);
}

export function addFolderArgument(command: Command): Command {
  return command.argument('[folder]', 'folder of the build (default: the newest)');
}

export function folderOf(path: string | undefined): BuildFolder {
  return path === undefined ? newestBuild(BUILDS) : new BuildFolder(path);
}

export function addTextFolderArgument(command: Command): Command {
  return command.argument('[folder]', 'folder of the text release (default: the newest)');
}

export function textFolderOf(path: string | undefined): TextFolder {
  return path === undefined ? newestTextBuild(TEXT_BUILDS) : new TextFolder(path);
}
