/** The organisation whose registrations a command reads or changes. */
import { type Command, Option } from 'commander';

export interface OrganisationOption {
  readonly organisation: string;
}

export function addOrganisationOption(command: Command): Command {
  return command.addOption(
    new Option('--organisation <id>', 'organisation of the registrations')
      .env('NUMGATE_ORGANISATION')
      .makeOptionMandatory(),
  );
}

/** Path of its registrations, below `/v1/admin/`. */
export function registrationsOf(organisation: string): string {
  return `organisations/${encodeURIComponent(organisation)}/registrations`;
}
