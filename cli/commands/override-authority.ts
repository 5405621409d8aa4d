/** The option of all changes of lists and entries that names the other authorities that they act for. */
import type { Command } from 'commander';
import type { Rollback } from '../../shared/admin.ts';

export interface AuthorityOptions {
  readonly overrideAuthority?: readonly string[];
}

export function addAuthorityOption(command: Command): Command {
  return command.option(
    '--override-authority <name>',
    'change lists and entries of this authority too; repeatable; requires --reason and the scope override',
    (name: string, before: readonly string[] = []) => [...before, name],
  );
}

/** The field of the request; left out if no authority is named. */
export function authorityField({
  overrideAuthority,
}: AuthorityOptions): Pick<Rollback, 'overrideAuthorities'> {
  return overrideAuthority === undefined ? {} : { overrideAuthorities: [...overrideAuthority] };
}
