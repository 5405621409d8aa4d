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
import { adminOfEnvironment, Unreachable } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { formatReason } from '../problem.ts';
import { counted } from '../terminal/figures.ts';
import { INPUT, linesOfInput } from '../terminal/input.ts';
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
      const admin = adminOfEnvironment();
      const path = pathOf(organisation, id);
      const { value, ifUnchanged } = await admin.tagged<Registration>(path);
      const registration = await contentOf(number, options, value.holder);
      if (Object.keys(registration).length === 0)
        throw new CommandFailure('give a field to change: see --help', 2);
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
      const lines = [`not valid: ${counted(reasons.length, 'reason')}`, ...reasons.map(formatReason)];
      throw new CommandFailure(lines.join('\n'), 1, { code: 'REGISTRATION_INVALID', reasons });
    });

  for (const [action, description] of [
    ['submit', 'submit drafts for review'],
    ['close', 'end registrations for good: their clients may no longer use the numbers'],
  ] as const) {
    changing(action)
      .description(description)
      .argument('<ids...>', '- reads them from standard input')
      .addHelpText('after', examples(`registrations ${action} 17 18 --organisation acme`))
      .action(async (ids: string[], { organisation, reason }: ReasonOptions) => {
        await act(await given(ids, (id) => ({ organisation, id })), action, { reason });
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

/** @param words IDs, or - for those on standard input, one a line */
export async function given<Value>(
  words: readonly string[],
  parse: (word: string) => Value,
): Promise<Value[]> {
  const all = words.includes(INPUT) ? (await linesOfInput()).filter((line) => line !== '') : words;
  if (all.length === 0) throw new CommandFailure('standard input is empty', 2);
  return all.map(parse);
}

/**
 * Does the same with each registration, in order, also after a refusal. Prints what became of each.
 * @throws CommandFailure if one was refused, with all that were
 */
export async function act(
  targets: readonly Target[],
  action: RegistrationAction,
  body: object,
): Promise<void> {
  const admin = adminOfEnvironment();
  const done: Registration[] = [];
  const failed: Refused[] = [];
  for (const { organisation, id } of targets) {
    const path = `${pathOf(organisation, id)}/${action}`;
    const result = await admin.change<Registration>('POST', path, body).catch((error: unknown) => error);
    if (!(result instanceof Error)) {
      done.push(result as Registration);
      continue;
    }
    // Alone, or without a service, there is nothing to go on with.
    if (!(result instanceof CommandFailure) || targets.length === 1) throw result;
    failed.push({ organisation, id, failure: result });
    if (result instanceof Unreachable) break;
  }
  if (failed.length === 0) return print(...formatRegistrations(done));
  const lines = [
    ...done.map(({ organisation, id, state }) => `${organisation}/${id} is ${state}`),
    ...failed.map(({ organisation, id, failure }) => `${organisation}/${id}: ${failure.message}`),
  ];
  const left = targets.length - done.length - failed.length;
  if (left > 0) lines.push(`${counted(left, 'registration')} left out`);
  throw new CommandFailure(lines.join('\n'), 1, {
    registrations: done,
    failed: failed.map(({ failure, ...target }) => ({
      ...target,
      message: failure.message,
      ...failure.extras,
    })),
  });
}

interface Refused extends Target {
  readonly failure: CommandFailure;
}
