/** Shared by `text push`, `promote` and `plan`: options that override guards of text releases, and hints about them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TEXT_GUARDS, type TextGuard, type TextGuardHit } from '../../shared/text/text-guards.ts';
import { CommandFailure } from '../failure.ts';
import { styleText } from '../terminal/visible.ts';

export interface TextOverrides {
  readonly override?: readonly TextGuard[];
  readonly reason?: string;
}

export function addTextOverrides(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--override <guard>',
        'override a guard that the release hits; repeatable; requires --reason',
      )
        .choices(TEXT_GUARDS)
        .argParser((word: string, before: readonly TextGuard[] = []): TextGuard[] => {
          const guard = TEXT_GUARDS.find((known) => known === word);
          if (guard === undefined)
            throw new InvalidArgumentError(`Allowed choices are ${TEXT_GUARDS.join(', ')}.`);
          return [...before, guard];
        }),
    )
    .option('--reason <text>', `reason for the audit log (default: "numgate text ${command.name()}")`);
}

/** The given reason, or else the command. Overriding a guard requires a reason. */
export function textReasonOf({ override = [], reason }: TextOverrides, command: string): string {
  if (reason === undefined && override.length > 0)
    throw new CommandFailure('--override requires --reason: explain why the guard may be overridden', 2);
  return reason ?? command;
}

/** The options that override guards, for a command line to copy. The user types the reason. */
export function overrideWords(guards: readonly TextGuardHit[], given: readonly TextGuard[] = []): string {
  const names = [...new Set([...given, ...guards.map(({ override }) => override)])];
  return names.length === 0 ? '' : `${names.map((guard) => ` --override ${guard}`).join('')} --reason "…"`;
}

/** A line for each named guard that is not hit. Often the name is wrong. */
export function unusedOverrides(overrides: readonly TextGuard[], guards: readonly TextGuardHit[]): string[] {
  return overrides
    .filter((guard) => !guards.some(({ override }) => override === guard))
    .map((guard) =>
      styleText('yellow', `--override ${guard} was not needed: the release does not hit this guard`),
    );
}
