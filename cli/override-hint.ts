/** Builds the command to run next, ready to copy: the options already given plus those that are missing. */
import type { GuardHit } from '../shared/release/guards.ts';
import { CommandFailure } from './failure.ts';

/** Options of a command line. False is omitted, true has no value, a list repeats the option. */
export type CliOptions = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Placeholder for the reason that you have to type. */
export const REASON = '"…"';

/** Quotes text as one shell word. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) || text === REASON ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** @param words of the command, unquoted */
export function commandLine(words: readonly string[], cliOptions: CliOptions): string {
  const options = Object.entries(cliOptions).flatMap(([name, value]) => {
    const values = Array.isArray(value) ? [...new Set(value as readonly string[])] : [value];
    return values
      .filter((each) => each !== undefined && each !== false && each !== '')
      .map((each) => (each === true ? `--${name}` : `--${name} ${word(String(each))}`));
  });
  return [...words.map(word), ...options].join(' ');
}

/** Adds to a guard failure the command that overrides the guards. Returns any other error unchanged. */
export function withOverrideHint(error: unknown, words: readonly string[], cliOptions: CliOptions): unknown {
  if (!(error instanceof CommandFailure) || error.exitCode !== 3) return error;
  const { plan, guards = [] } = error.extras as { plan?: string; guards?: readonly GuardHit[] };
  const override = [
    ...((cliOptions.override as readonly string[] | undefined) ?? []),
    ...guards.map((hit) => hit.override),
  ];
  const line = commandLine(words, {
    ...cliOptions,
    ...(plan === undefined ? {} : { plan }),
    override,
    reason: REASON,
  });
  const message = `${error.message}\nif all of plan ${plan ?? ''} is meant:\n  npx numgate ${line}`;
  return new CommandFailure(message, 3, { ...error.details, command: line });
}
