/** The organisation whose registrations or credentials a command reads or changes. */
import { type Command, Option } from 'commander';

export interface OrganisationOption {
  readonly organisation: string;
}

/** @param what the organisation has */
export function addOrganisationOption(command: Command, what = 'registrations'): Command {
  return command.addOption(
    new Option('--organisation <id>', `organisation of the ${what}`)
      .env('NUMGATE_ORGANISATION')
      .makeOptionMandatory(),
  );
}

/** Its path, below `/v1/admin/`. */
export function organisationPath(organisation: string): string {
  return `organisations/${encodeURIComponent(organisation)}`;
}

/** Path of its registrations, below `/v1/admin/`. */
export function registrationsOf(organisation: string): string {
  return `${organisationPath(organisation)}/registrations`;
}
