/** The organisation whose registrations or credentials a command reads or changes, and the names of registrations. */
import { type Command, Option } from 'commander';
import { CommandFailure, quoted } from '../failure.ts';

export interface OrganisationOption {
  readonly organisation: string;
}

const option = (what: string): Option =>
  new Option('--organisation <id>', `organisation of the ${what}`).env('NUMGATE_ORGANISATION');

/** @param what objects of the organisation, such as `certificates` */
export function addOrganisationOption(command: Command, what = 'registrations'): Command {
  return command.addOption(option(what).makeOptionMandatory());
}

/** For commands whose arguments may name the organisation. */
export function addTargetOption(command: Command): Command {
  return command.addOption(option('registrations'));
}

export interface Target {
  readonly organisation: string;
  readonly id: string;
}

/**
 * Parses the name of a registration: `acme/17`, or `17` of the given organisation. The length of IDs is limited, so a number
 * that was meant for `find` never gets into a URL.
 */
export function targetOf(text: string, organisation?: string): Target {
  const [, own = organisation, id] = /^(?:([a-z0-9][a-z0-9-]*)\/)?([1-9]\d{0,6})$/.exec(text) ?? [];
  if (id === undefined)
    throw new CommandFailure(`${quoted(text)}: must be <organisation>/<id>, such as acme/17`, 2);
  if (own === undefined)
    throw new CommandFailure(`${text}: name the organisation: acme/${text}, or --organisation acme`, 2);
  return { organisation: own, id };
}

/** Path of an organisation, below `/v1/admin/`. */
export function organisationPath(organisation: string): string {
  return `organisations/${encodeURIComponent(organisation)}`;
}

/** Path of the registrations of an organisation, below `/v1/admin/`. */
export function registrationsOf(organisation: string): string {
  return `${organisationPath(organisation)}/registrations`;
}

export function pathOf({ organisation, id }: Target): string {
  return `${registrationsOf(organisation)}/${encodeURIComponent(id)}`;
}
