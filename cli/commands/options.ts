/** Options and parsers that several commands share. */
import { type Command, InvalidArgumentError } from 'commander';
import { CommandFailure } from '../failure.ts';
import { BUILDS } from '../paths.ts';
import { BuildFolder, newestBuild } from '../publish/build-folder.ts';

/**
 * Settings whose parsers return null for a word such as `none`: Commander replaces that null by an empty string.
 */
export function withNulls<Settings extends object>(
  settings: Settings,
  names: readonly (keyof Settings)[],
): Settings {
  const isEmpty = (name: string): boolean =>
    names.includes(name as keyof Settings) && settings[name as keyof Settings] === '';
  const entries = Object.entries(settings).map(([name, value]) => [name, isEmpty(name) ? null : value]);
  return Object.fromEntries(entries) as Settings;
}

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

export function commaList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** The end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  npx numgate ${line}`).join('\n')}`;
}

const REASON = ['--reason <text>', 'reason for the audit log'] as const;

/**
 * Not `requiredOption`: commander would miss the reason before it finds `--resaon`, and not suggest the right
 * spelling.
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

/** A reason that is optional because the command says enough, such as `numgate clients add`. */
export function addReasonOption(command: Command): Command {
  return command.option(...REASON, `numgate ${command.parent!.name()} ${command.name()}`);
}

export function addFolderArgument(command: Command): Command {
  return command.argument('[folder]', 'folder of the build (default: the newest)');
}

export function folderOf(path: string | undefined): BuildFolder {
  return path === undefined ? newestBuild(BUILDS) : new BuildFolder(path);
}
