/**
 * `numgate registrations`: the registered senders of an organisation. A registration becomes valid once a reviewer
 * has approved it (`numgate review`).
 */
import { type Command, Option } from 'commander';
import type { DocumentInfo } from '../../shared/senders/documents.ts';
import {
  BASES,
  type Registration,
  type RegistrationAction,
  type RegistrationEvent,
  type RegistrationPage,
  type RegistrationReason,
  STATES,
} from '../../shared/senders/registration.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { formatReason } from '../problem.ts';
import { counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { addReasonOption, examples, wholeNumber } from './options.ts';
import { addOrganisationOption, type OrganisationOption, registrationsOf } from './organisation-option.ts';
import {
  addContentOptions,
  type ContentOptions,
  contentOf,
  NUMBER_WORDS,
  numberOf,
} from './registration-options.ts';
import { addExport, addImport } from './registrations-import.ts';

interface ListOptions extends OrganisationOption {
  readonly state?: string;
  readonly client?: string;
  readonly basis?: string;
  readonly limit: number;
}

type AddOptions = OrganisationOption & ContentOptions & { readonly submit: boolean; readonly reason: string };
type EditOptions = OrganisationOption & ContentOptions & { readonly reason: string };
type ReasonOptions = OrganisationOption & { readonly reason: string };

export function addRegistrations(program: Command): void {
  const registrations = program
    .command('registrations')
    .description('register the numbers that your clients send from');
  const command = (name: string): Command => addOrganisationOption(registrations.command(name));
  const changing = (name: string): Command => addReasonOption(command(name));
  addReads(command);
  addDocuments(registrations);

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

function addReads(command: (name: string) => Command): void {
  command('list')
    .description('list registrations')
    .addOption(new Option('--state <state>', 'only in this state').choices(STATES))
    .option('--client <id>', 'only those that this client may use')
    .addOption(new Option('--basis <basis>', 'only with this basis').choices(BASES))
    .option('--limit <rows>', 'rows at most; export writes all', wholeNumber, 200)
    .addHelpText('after', examples('registrations list --organisation acme --state needsUpdate'))
    .action(async (options: ListOptions) => print(...formatPage(await listed(options), options.limit)));

  command('show')
    .description('show a registration, and why it was refused')
    .argument('<id>')
    .addHelpText('after', examples('registrations show 17 --organisation acme'))
    .action(async (id: string, { organisation }: OrganisationOption) =>
      printOne(await adminOfEnvironment().get<Registration>(pathOf(organisation, id))),
    );

  command('find')
    .description('find the registrations of a number')
    .argument('<number>', '- reads it from standard input')
    .addHelpText('after', examples('registrations find - --organisation acme'))
    .action(async (word: string, { organisation }: OrganisationOption) => {
      const number = await numberOf(word);
      const path = `${registrationsOf(organisation)}/find`;
      const { registrations } = await adminOfEnvironment().find<Pick<RegistrationPage, 'registrations'>>(
        path,
        {
          number,
        },
      );
      print(...formatRegistrations(registrations));
    });

  command('events')
    .description('list reminders and decisions, oldest first')
    .option('--after <id>', 'only events after this one', wholeNumber, 0)
    .addHelpText('after', examples('registrations events --organisation acme --after 120'))
    .action(async ({ organisation, after }: OrganisationOption & { readonly after: number }) => {
      const path = `${registrationsOf(organisation)}/events`;
      const { events } = await adminOfEnvironment().get<{ events: RegistrationEvent[] }>(path, { after });
      print(...formatEvents(events));
    });
}

function addDocuments(registrations: Command): void {
  registrations
    .command('documents')
    .description('show which documents a registration needs')
    .addHelpText('after', examples('registrations documents'))
    .action(async () =>
      print(...formatDocuments(await adminOfEnvironment().get<DocumentInfo>('registrations/documents'))),
    );
}

async function listed({ organisation, limit, ...filters }: ListOptions): Promise<RegistrationPage> {
  const admin = adminOfEnvironment();
  const query = Object.fromEntries(Object.entries(filters).filter(([, value]) => typeof value === 'string'));
  const registrations: Registration[] = [];
  let next: string | null = null;
  do {
    const page: RegistrationPage = await admin.get(registrationsOf(organisation), {
      ...query,
      after: next,
      limit,
    });
    registrations.push(...page.registrations);
    next = page.next;
  } while (next !== null && registrations.length < limit);
  return { registrations: registrations.slice(0, limit), next };
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

function pathOf(organisation: string, id: string): string {
  return `${registrationsOf(organisation)}/${encodeURIComponent(id)}`;
}

const COLUMNS = ['id', 'reference', 'number', 'basis', 'holder', 'clients', 'state', 'version#', 'ends'];

export function formatRegistrations(registrations: readonly Registration[]): Report {
  const rows = registrations.map(
    ({ id, reference, number, basis, holder, clients, state, version, endsAt, mock }) => [
      ...[id, reference ?? '', number, basis, holder.name, clients.join(' ')],
      ...[mock === true ? `${state} (mock)` : state, version, endsAt ?? ''],
    ],
  );
  return [rows.length === 0 ? 'no registrations\n' : formatTable(COLUMNS, rows), { registrations }];
}

function formatPage({ registrations, next }: RegistrationPage, limit: number): Report {
  const [text] = formatRegistrations(registrations);
  const more = next === null ? '' : `there are more than ${limit}: --limit, or export, shows the others\n`;
  return [text + more, { registrations, next }];
}

function printOne(registration: Registration): void {
  const { organisation, id, state, version, approvedVersion, reasons, publication } = registration;
  const name = styleText('bold', `${organisation}/${id}`);
  const inForce =
    approvedVersion === null
      ? 'no version is in force'
      : `version ${approvedVersion} is in force${publication === 'published' ? ', at the edge' : ` (${publication})`}`;
  const lines = [`${name} is ${state}, version ${version}; ${inForce}`, ...reasons.map(formatReason)];
  print(`${formatRegistrations([registration])[0]}${lines.join('\n')}\n`, registration);
}

function formatEvents(events: readonly RegistrationEvent[]): Report {
  const rows = events.map(({ id, at, type, registration, state, days }) => [
    ...[String(id), at, type, registration, state],
    days === undefined ? '' : `in ${days} days`,
  ]);
  const names = ['event', 'at', 'type', 'registration', 'state', ''];
  return [rows.length === 0 ? 'no events\n' : formatTable(names, rows), { events }];
}

function formatDocuments(info: DocumentInfo): Report {
  const rules = info.rules.map(({ basis, holder, line, proofs }) => [
    basis,
    holder,
    line ?? 'all',
    proofs.join(' '),
  ]);
  const documents = info.documents.map(({ kind, name, nameKo }) => [kind, name, nameKo]);
  const text = formatTable(['basis', 'holder', 'line', 'proofs'], rules);
  return [`${text}${formatTable(['proof', 'document', ''], documents)}`, info];
}
