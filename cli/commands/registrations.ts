/**
 * `numgate registrations`: the registered senders of an organisation. A registration becomes valid once a reviewer
 * has approved it (`numgate review`).
 */
import type { Command } from 'commander';
import type { Registration, RegistrationReason } from '../../shared/senders/registration.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { formatReason } from '../problem.ts';
import { counted } from '../terminal/figures.ts';
import { print } from '../terminal/output.ts';
import { addReasonOption, examples } from './options.ts';
import {
  addOrganisationOption,
  addTargetOption,
  type OrganisationOption,
  pathOf,
  registrationsOf,
  targetOf,
} from './organisation-option.ts';
import { act, given } from './registration-actions.ts';
import { addContentOptions, type ContentOptions, contentOf, NUMBER_WORDS } from './registration-options.ts';
import { addExport, addImport } from './registrations-import.ts';
import { addReads, printOne } from './registrations-reads.ts';

type AddOptions = OrganisationOption & ContentOptions & { readonly submit: boolean; readonly reason: string };
type EditOptions = TargetOptions & ContentOptions & { readonly number?: string };
interface TargetOptions extends Partial<OrganisationOption> {
  readonly reason: string;
}

export function addRegistrations(program: Command): void {
  const registrations = program
    .command('registrations')
    .description('register the numbers that your clients send from');
  const command = (name: string): Command => addOrganisationOption(registrations.command(name));
  const changing = (name: string): Command => addReasonOption(addTargetOption(registrations.command(name)));
  addReads(registrations, command);

  addContentOptions(addReasonOption(command('add')))
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
    .argument('<id>', 'such as 17, or acme/17')
    .option('--number <number>', 'the new number; - reads it from standard input')
    .addHelpText('after', NUMBER_WORDS)
    .addHelpText('after', examples('registrations edit 17 --organisation acme --clients acme-main,acme-2'))
    .action(async (word: string, options: EditOptions) => {
      const { organisation, reason, number } = options;
      const path = pathOf(targetOf(word, organisation));
      const admin = adminOfEnvironment();
      const { value, ifUnchanged } = await admin.tagged<Registration>(path);
      const registration = await contentOf(number, options, value.holder);
      if (Object.keys(registration).length === 0)
        throw new CommandFailure('give at least one field to change: see --help', 2);
      printOne(await admin.change('PATCH', path, { registration, reason }, ifUnchanged));
    });

  addContentOptions(command('validate'))
    .description('check a registration and show what is wrong or missing, without storing it')
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
      const lines = [`not valid: ${counted(reasons.length, 'reason')}`, ...reasons.map(formatReason)];
      throw new CommandFailure(lines.join('\n'), 1, { code: 'REGISTRATION_INVALID', reasons });
    });

  for (const [action, description] of [
    ['submit', 'submit drafts for review'],
    ['close', 'end registrations for good: their clients may no longer use the numbers'],
  ] as const) {
    changing(action)
      .description(description)
      .argument('<ids...>', 'such as 17, or acme/17; - reads them from standard input')
      .addHelpText('after', examples(`registrations ${action} 17 18 --organisation acme`))
      .action(async (words: string[], { organisation, reason }: TargetOptions) => {
        await act(await given(words, (word) => targetOf(word, organisation)), action, { reason });
      });
  }

  addImport(registrations);
  addExport(registrations);
}

interface Validity {
  readonly valid: boolean;
  readonly reasons: readonly RegistrationReason[];
}
