/** Shared by `push` and `promote`: options to override guards, and the command to copy when a guard is hit. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Guard,
  type GuardHit,
  PUSH_GUARDS,
  type PushGuard,
} from '../../shared/release/guard-settings.ts';
import { CommandFailure } from '../failure.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { type AuthorityOptions, addAuthorityOption } from './override-authority.ts';

export interface OverrideOptions extends AuthorityOptions {
  readonly plan?: string;
  readonly override?: readonly PushGuard[];
  readonly reason?: string;
}

export function addOverrideOptions(command: Command): Command {
  return addAuthorityOption(command)
    .option('--plan <hash>', 'continue only if the plan still has this hash')
    .addOption(overrideOption(PUSH_GUARDS))
    .option('--reason <text>', `reason for the audit log (default: "numgate ${command.name()}")`);
}

/** Names the guards that a change overrides. */
export function overrideOption<Name extends Guard>(guards: readonly Name[]): Option {
  return new Option(
    '--override <guard>',
    'override a guard that the change hits; repeatable; requires --reason',
  )
    .choices(guards)
    .argParser((text: string, before: readonly Name[] = []): Name[] => {
      const guard = guards.find((known) => known === text);
      if (guard === undefined) throw new InvalidArgumentError(`Allowed choices are ${guards.join(', ')}.`);
      return [...before, guard];
    });
}

/** The given reason, or else the command. `--override`, `--override-authority` and `--break-glass` require a reason. */
export function reasonOf(
  { override = [], overrideAuthority = [], breakGlass, reason }: OverrideOptions,
  command: string,
): string {
  if (reason === undefined && overrideAuthority.length > 0)
    throw new CommandFailure(
      '--override-authority requires --reason: explain why you act for another authority',
      2,
    );
  if (reason === undefined && breakGlass === true)
    throw new CommandFailure('--break-glass requires --reason: explain why it cannot wait', 2);
  if (reason === undefined && override.length > 0)
    throw new CommandFailure('--override requires --reason: explain why the guard may be overridden', 2);
  return reason ?? command;
}

/**
 * Adds the command that overrides a guard to the failure of the guard. It is the typed command with the missing options and a
 * new reason. The typed reason was written before the guard was hit, so it explains no override.
 * @param typed words after `numgate`
 * @returns any other error unchanged
 */
export function withOverrideHint(
  error: unknown,
  typed: readonly string[],
  options: OverrideOptions,
): unknown {
  if (!(error instanceof CommandFailure) || error.exitCode !== 3) return error;
  const { plan, guards = [] } = error.extras as { plan?: string; guards?: readonly GuardHit[] };
  const [words, rest] = splitTyped(typed);
  const overriding = overrideCommand(words, {
    plan: options.plan === undefined ? plan : undefined,
    guards: guards.map((hit) => hit.override),
    needsReason: true,
  });
  const command = [overriding, ...rest.map(shellWord)].join(' ');
  const message = `${error.message}\nto override them for plan ${plan}:\n  npx numgate ${command}`;
  return new CommandFailure(message, 3, { ...error.details, command });
}

/** The words without the reason, up to the `--` that ends the options, and the words from there on. */
function splitTyped(typed: readonly string[]): [words: string[], rest: readonly string[]] {
  const words: string[] = [];
  for (let index = 0; index < typed.length; index++) {
    const word = typed[index]!;
    if (word === '--') return [words, typed.slice(index)];
    if (word === '--reason') index++;
    else if (!word.startsWith('--reason=')) words.push(word);
  }
  return [words, []];
}

interface OverrideParts {
  readonly plan?: string | undefined;
  readonly guards: readonly Guard[];
  /** Other authorities that the change acts for. */
  readonly authorities?: readonly string[];
  readonly needsReason: boolean;
}

/** A command line to copy. The user types the reason. */
export function overrideCommand(
  words: readonly string[],
  { plan, guards, authorities = [], needsReason }: OverrideParts,
): string {
  return [
    ...words.map(shellWord),
    ...(plan === undefined ? [] : [`--plan ${plan}`]),
    ...[...new Set(guards)].map((guard) => `--override ${guard}`),
    ...authorities.map((name) => `--override-authority ${shellWord(name)}`),
    ...(needsReason ? ['--reason "…"'] : []),
  ].join(' ');
}
