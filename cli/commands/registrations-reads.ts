/** The commands of `numgate registrations` that change nothing. */
import { type Command, Option } from 'commander';
import type { AuditRecord } from '../../shared/audit.ts';
import { REGISTRATIONS_PAGE_MAX } from '../../shared/limits/registrations.ts';
import type { DocumentInfo } from '../../shared/senders/documents.ts';
import {
  BASES,
  type Registration,
  type RegistrationEvent,
  type RegistrationPage,
  STATES,
} from '../../shared/senders/registration.ts';
import { isInForce } from '../../shared/senders/registration-states.ts';
import { adminOfEnvironment } from '../admin.ts';
import { formatReason } from '../problem.ts';
import { print, type Report, writeLine } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { auditLines } from './audit-lines.ts';
import { examples, positiveNumber, wholeNumber } from './options.ts';
import {
  addTargetOption,
  type OrganisationOption,
  pathOf,
  registrationsOf,
  targetOf,
} from './organisation-option.ts';
import { numberOf } from './registration-options.ts';

interface ListFilter extends OrganisationOption {
  readonly state?: string | null;
  readonly client?: string | null;
  readonly basis?: string | null;
  readonly operation?: number | null;
  readonly limit: number;
}

/** @param command adds a command for one organisation */
export function addReads(registrations: Command, command: (name: string) => Command): void {
  addDocuments(registrations);

  command('list')
    .description('list registrations')
    .addOption(new Option('--state <state>', 'only registrations in this state').choices(STATES))
    .option('--client <id>', 'only registrations that this client may use')
    .addOption(new Option('--basis <basis>', 'only registrations with this basis').choices(BASES))
    .option(
      '--operation <n>',
      'only registrations that this block of terminated numbers has suspended',
      wholeNumber,
    )
    .option('--limit <rows>', 'maximum number of rows; export writes all', positiveNumber, 200)
    .addHelpText('after', examples('registrations list --organisation acme --state needsUpdate'))
    .action(async (options: ListFilter) => print(...formatPage(await listed(options), options.limit)));

  addTargetOption(registrations.command('show'))
    .description('show a registration with its documents, who has claimed it, and why it was refused')
    .argument('<id>', 'such as 17, or acme/17')
    .addHelpText('after', examples('registrations show 17 --organisation acme', 'registrations show acme/17'))
    .action(async (word: string, { organisation }: Partial<OrganisationOption>) =>
      printOne(await adminOfEnvironment().get<Registration>(pathOf(targetOf(word, organisation)))),
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
      const [text, value] = formatRegistrations(registrations);
      const isFull = registrations.length >= REGISTRATIONS_PAGE_MAX;
      print(isFull ? `${text}there may be more: use list --state to see all\n` : text, value);
    });

  addTargetOption(registrations.command('history'))
    .description('list the audit records of a registration')
    .argument('<id>', 'such as 17, or acme/17')
    .addHelpText('after', examples('registrations history 17 --organisation acme'))
    .action(async (word: string, { organisation }: Partial<OrganisationOption>) => {
      const path = `${pathOf(targetOf(word, organisation))}/history`;
      const pageAfter = async (n: number): Promise<AuditRecord[]> =>
        (await adminOfEnvironment().get<{ records: AuditRecord[] }>(path, { after: n })).records;
      print(...formatHistory(await allAfter(0, pageAfter, ({ n }) => n)));
    });

  command('audit')
    .description('write the audit chain of all registrations to standard output, as input for audit verify')
    .option('--after <n>', 'only records after record n', wholeNumber, 0)
    .addHelpText('after', examples('registrations audit --organisation acme > acme.ndjson'))
    .action(async ({ organisation, after }: OrganisationOption & { readonly after: number }) => {
      const path = `${registrationsOf(organisation)}/audit`;
      for await (const line of auditLines(adminOfEnvironment(), after, path)) await writeLine(line);
    });

  command('events')
    .description('list reminders and decisions, oldest first')
    .option('--after <id>', 'only events after this ID', wholeNumber, 0)
    .addHelpText('after', examples('registrations events --organisation acme --after 120'))
    .action(async ({ organisation, after }: OrganisationOption & { readonly after: number }) => {
      const path = `${registrationsOf(organisation)}/events`;
      const pageAfter = async (id: number): Promise<RegistrationEvent[]> =>
        (await adminOfEnvironment().get<{ events: RegistrationEvent[] }>(path, { after: id })).events;
      print(...formatEvents(await allAfter(after, pageAfter, ({ id }) => id)));
    });
}

/** Everything after a place, page by page. An empty page ends the list. */
async function allAfter<Value>(
  first: number,
  pageAfter: (place: number) => Promise<Value[]>,
  placeOf: (value: Value) => number,
): Promise<Value[]> {
  const all: Value[] = [];
  for (let page = await pageAfter(first); page.length > 0; page = await pageAfter(placeOf(all.at(-1)!)))
    all.push(...page);
  return all;
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

export async function listed({
  organisation,
  limit,
  state = null,
  client = null,
  basis = null,
  operation = null,
}: ListFilter): Promise<RegistrationPage> {
  const admin = adminOfEnvironment();
  const query = { state, client, basis, operation };
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
  const more =
    next === null ? '' : `there are more than ${limit}: raise --limit, or use export, to see the others\n`;
  return [text + more, { registrations, next }];
}

export function printOne(registration: Registration): void {
  const { organisation, id, state, version, approvedVersion, reasons, claimedBy, claimedUntil } =
    registration;
  const name = styleText('bold', `${organisation}/${id}`);
  const inForce = isInForce(registration)
    ? `version ${approvedVersion} is in force${formatPlace(registration)}`
    : 'no version is in force';
  const claim = claimedBy === null ? [] : [`  claimed by ${visible(claimedBy)} until ${claimedUntil}`];
  const lines = [
    `${name} is ${state}, version ${version}; ${inForce}`,
    ...claim,
    ...reasons.map(formatReason),
    '',
  ];
  const text = formatRegistrations([registration])[0] + formatProofs(registration);
  print(text + lines.join('\n') + formatOthers(registration), registration);
}

function formatProofs({ proofs }: Registration): string {
  const rows = proofs.map(({ kind, sha256, reference, expires }) => [
    ...[kind, sha256, reference ?? '', expires ?? ''],
  ]);
  return rows.length === 0 ? '' : formatTable(['proof', 'SHA-256', 'reference', 'ends'], rows);
}

/** Warns of other registrations of the same numbers, which a reviewer must know before a decision. */
export function formatOthers({ organisation, id, basis, others }: Registration): string {
  if (others === null)
    return `${styleText('yellow', 'warning')}: other registrations of the number could not be read: show ${organisation}/${id} again\n`;
  if (others === undefined || others.length === 0) return '';
  const lines = others.map((other) => {
    const isDisputed = other.basis === 'own' && basis === 'own' && other.organisation !== organisation;
    const state = other.inForce ? `${other.state}, in force` : other.state;
    const words = `${other.organisation}/${other.id}: ${other.number}, ${other.basis}, ${visible(other.holder.name)}, ${state}`;
    return isDisputed
      ? `  ${words}; ${styleText('red', 'both organisations claim the number as their own')}`
      : `  ${words}`;
  });
  const title = `${styleText('yellow', 'warning')}: ${organisation}/${id} is not the only registration of its numbers:`;
  return `${[title, ...lines].join('\n')}\n`;
}

function formatPlace({ mock, publication }: Registration): string {
  if (mock === true) return ' as a mock, which no check uses';
  return publication === 'published' ? ', at the edge' : ` (${publication})`;
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

function formatHistory(records: readonly AuditRecord[]): Report {
  const rows = records.map(({ n, at, actor, action, reason }) => [String(n), at, actor, action, reason]);
  return [formatTable(['record', 'at', 'actor', 'action', 'reason'], rows), { records }];
}
