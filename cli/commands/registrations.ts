/**
 * `numgate registrations`: the registered senders of an organisation. A registration becomes valid once a reviewer
 * has approved it (`numgate review`).
 */
import type { Command } from 'commander';
import type {
  Registration,
  RegistrationAction,
  RegistrationReason,
} from '../../shared/senders/registration.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { formatReason } from '../problem.ts';
import { print } from '../terminal/output.ts';
import { addReasonOption, examples } from './options.ts';
import { addOrganisationOption, type OrganisationOption, registrationsOf } from './organisation-option.ts';
import { addContentOptions, type ContentOptions, contentOf, NUMBER_WORDS } from './registration-options.ts';
import { addExport, addImport } from './registrations-import.ts';
import { addReads, formatRegistrations, pathOf, printOne } from './registrations-reads.ts';

type AddOptions = OrganisationOption & ContentOptions & { readonly submit: boolean; readonly reason: string };
type EditOptions = OrganisationOption & ContentOptions & { readonly reason: string };
type ReasonOptions = OrganisationOption & { readonly reason: string };

export function addRegistrations(program: Command): void {
  const registrations = program
    .command('registrations')
    .description('register the numbers that your clients send from');
  const command = (name: string): Command => addOrganisationOption(registrations.command(name));
  const changing = (name: string): Command => addReasonOption(command(name));
  addReads(registrations, command);

  addContentOptions(changing('add'))
    .description('register a number, as a draft')
    .argument('<number>', '- reads it from standard input')
    .option('--submit', 'submit it for review at once', false)
    .addHelpText('after', NUMBER_WORDS)
    .addHelpText(
      'after',
      examples(
        'registrations add - --organisation acme --basis own --holder "Acme Inc." --clients acme-main ' +
          '--proof serviceUse=certificate.pdf,expires=2027-01-31 --submit',
      ),
    )
    .action(async (number: string, options: AddOptions) => {
      const { organisation, submit, reason } = options;
      const registration = await contentOf(number, options);
      const body = { registration, submit, reason };
      printOne(await adminOfEnvironment().change('POST', registrationsOf(organisation), body));
    });

  addContentOptions(changing('edit'))
    .description('change a registration; an approved version stays in force until the new one is approved')
    .argument('<id>')
    .option('--number <number>', 'the new number; - reads it from standard input')
    .addHelpText('after', NUMBER_WORDS)
    .addHelpText('after', examples('registrations edit 17 --organisation acme --clients acme-main,acme-2'))
    .action(async (id: string, options: EditOptions & { readonly number?: string }) => {
      const { organisation, reason, number } = options;
      const registration = await contentOf(number, options);
      if (Object.keys(registration).length === 0)
        throw new CommandFailure('give a field to change: see --help', 2);
      const admin = adminOfEnvironment();
      const path = pathOf(organisation, id);
      const { ifUnchanged } = await admin.tagged<Registration>(path);
      printOne(await admin.change('PATCH', path, { registration, reason }, ifUnchanged));
    });

  addContentOptions(command('validate'))
    .description('check a registration and show what is wrong or missing; store nothing')
    .argument('<number>', '- reads it from standard input')
    .addHelpText('after', NUMBER_WORDS)
    .addHelpText(
      'after',
      examples('registrations validate - --organisation acme --basis own --holder "Acme Inc."'),
    )
    .action(async (number: string, options: OrganisationOption & ContentOptions) => {
      const body = { registration: await contentOf(number, options) };
      const path = `${registrationsOf(options.organisation)}/validate`;
      const { valid, reasons } = await adminOfEnvironment().find<Validity>(path, body);
      if (valid) return print('valid\n', { valid, reasons });
      const lines = [`not valid: ${reasons.length} reasons`, ...reasons.map(formatReason)];
      throw new CommandFailure(lines.join('\n'), 1, { code: 'REGISTRATION_INVALID', reasons });
    });

  for (const [action, description] of [
    ['submit', 'submit drafts for review'],
    ['close', 'end registrations for good: their clients may no longer use the numbers'],
  ] as const) {
    changing(action)
      .description(description)
      .argument('<ids...>')
      .addHelpText('after', examples(`registrations ${action} 17 18 --organisation acme`))
      .action(async (ids: string[], { organisation, reason }: ReasonOptions) => {
        const targets = ids.map((id) => ({ organisation, id }));
        print(...formatRegistrations(await act(targets, action, { reason })));
      });
  }

  addImport(registrations);
  addExport(registrations);
}

interface Validity {
  readonly valid: boolean;
  readonly reasons: readonly RegistrationReason[];
}

export interface Target {
  readonly organisation: string;
  readonly id: string;
}

/** Does the same with each registration, in order. A failure names those before it. */
export async function act(
  targets: readonly Target[],
  action: RegistrationAction,
  body: object,
): Promise<Registration[]> {
  const admin = adminOfEnvironment();
  const done: Registration[] = [];
  for (const { organisation, id } of targets) {
    const path = `${pathOf(organisation, id)}/${action}`;
    done.push(
      await admin.change<Registration>('POST', path, body).catch((error: unknown) => {
        throw withDone(error, done);
      }),
    );
  }
  return done;
}

function withDone(error: unknown, done: readonly Registration[]): unknown {
  if (!(error instanceof CommandFailure) || done.length === 0) return error;
  const before = done.map(({ organisation, id, state }) => `  ${organisation}/${id} is ${state}`);
  const message = `${error.message}\nbefore that:\n${before.join('\n')}`;
  return new CommandFailure(message, error.exitCode, error.extras);
}
