/**
 * Two options for changes, each with a scope of its own. `--override-authority` names the other authorities that a change acts
 * for. `--break-glass` applies a change without waiting for a second person.
 */
import type { Command } from 'commander';
import type { Rollback } from '../../shared/admin/releases.ts';

export interface BreakGlassOptions {
  readonly breakGlass?: boolean;
}

export function addBreakGlassOption(command: Command): Command {
  return command.option(
    '--break-glass',
    'do not wait for a second person; the change reverts unless a second person reviews it within a day; requires --reason',
  );
}

/** The field of the request; left out if the change may wait. */
export function breakGlassField({ breakGlass }: BreakGlassOptions): { readonly breakGlass?: true } {
  return breakGlass === true ? { breakGlass } : {};
}

export interface AuthorityOptions extends BreakGlassOptions {
  readonly overrideAuthority?: readonly string[];
}

export function addAuthorityOption(command: Command): Command {
  return addBreakGlassOption(command).option(
    '--override-authority <name>',
    'also change lists and entries of this authority; repeatable; requires --reason and the scope override',
    (name: string, before: readonly string[] = []) => [...before, name],
  );
}

/** The fields of the request; each is left out if its option was not given. */
export function authorityField({
  overrideAuthority,
  ...options
}: AuthorityOptions): Pick<Rollback, 'overrideAuthorities' | 'breakGlass'> {
  const named = overrideAuthority === undefined ? {} : { overrideAuthorities: [...overrideAuthority] };
  return { ...named, ...breakGlassField(options) };
}
