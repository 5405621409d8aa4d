/**
 * The command that goes on from here, as it can be copied: with what was said before, and what is missing.
 */
import type { GuardHit } from '../shared/release/guards.ts';
import { CommandFailure } from './failure.ts';

/** Options of a command line: false is left out, true stands alone, a list says it for each. */
export type Said = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Stands for the reason that has to be typed. */
export const REASON = '"…"';

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) || text === REASON ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** @param words of the command, as they are meant */
export function commandLine(words: readonly string[], said: Said): string {
  const options = Object.entries(said).flatMap(([name, value]) => {
    const values = Array.isArray(value) ? [...new Set(value as readonly string[])] : [value];
    return values
      .filter((each) => each !== undefined && each !== false && each !== '')
      .map((each) => (each === true ? `--${name}` : `--${name} ${word(String(each))}`));
  });
  return [...words.map(word), ...options].join(' ');
}

/** A failure at a guard, with the command that goes through it. Any other error stays as it is. */
export function withWayOut(error: unknown, words: readonly string[], said: Said): unknown {
  if (!(error instanceof CommandFailure) || error.exitCode !== 3) return error;
  const { plan, guards = [] } = error.extras as { plan?: string; guards?: readonly GuardHit[] };
  const override = [
    ...((said.override as readonly string[] | undefined) ?? []),
    ...guards.map((hit) => hit.override),
  ];
  const line = commandLine(words, {
    ...said,
    ...(plan === undefined ? {} : { plan }),
    override,
    reason: REASON,
  });
  const message = `${error.message}\nif all of plan ${plan ?? ''} is meant:\n  npm run lists -- ${line}`;
  return new CommandFailure(message, 3, { ...error.told, command: line });
}
