/**
 * `numgate organisations`: the organisations that clients, tokens and signing keys belong to. Only the token `root` may change
 * them, because an organisation decides what its tokens and keys may change.
 */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type * as v from 'valibot';
import type { ChangeDone } from '../../shared/admin/change.ts';
import type { Client } from '../../shared/clients.ts';
import { CERTIFICATE_APPROVALS, type Organisation, organisationSchema } from '../../shared/organisations.ts';
import { PARTNER_KINDS, type PartnerKind } from '../../shared/reports/partner.ts';
import type { PartnerSettings } from '../../shared/reports/partner-settings.ts';
import { ROLES, type Role } from '../../shared/roles.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, hasCode, validate } from '../failure.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { requireSetting } from './key-options.ts';
import { addReasonOption, commaList, examples, NONE, wholeNumber, withNulls } from './options.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

/** Settings that `add` and `set` can change. */
type OrganisationSettings = Partial<Omit<Organisation, 'id' | 'state'>>;

/** The options that together make the field `partner` of an organisation. */
interface PartnerOptions {
  readonly partnerKind?: PartnerKind;
  readonly partnerWeight?: number;
  readonly partnerSlices?: number;
  readonly partnerReportsPerDay?: number;
  readonly partnerMock?: boolean;
}

type ChangeOptions = WaitOptions & { readonly reason: string };
type SetOptions = ChangeOptions & OrganisationSettings & PartnerOptions;

export function addOrganisations(program: Command): void {
  const organisations = program
    .command('organisations')
    .description('manage organisations, which own clients, tokens and signing keys');
  const changing = (name: string): Command => addWaitOptions(addReasonOption(organisations.command(name)));

  organisations
    .command('list')
    .description('list organisations')
    .addHelpText('after', examples('organisations list'))
    .action(async () => {
      const { organisations: all } = await adminOfEnvironment().get<{ organisations: Organisation[] }>(
        'organisations',
      );
      print(...formatOrganisations(all));
    });

  organisations
    .command('show')
    .description('show an organisation and its clients')
    .argument('<id>')
    .addHelpText('after', examples('organisations show ktoa'))
    .action(async (id: string) => {
      const admin = adminOfEnvironment();
      const { value } = await load(admin, id);
      const { clients } = await admin.get<{ clients: Client[] }>('clients');
      const members = clients.filter(({ organisation }) => organisation === id).map((client) => client.id);
      print(...formatOrganisation(value, members));
    });

  addSettingOptions(changing('add'))
    .description('add an organisation')
    .argument('<id>', 'lower case letters, digits and dashes')
    .addHelpText(
      'after',
      examples('organisations add ktoa --display-name KTOA --authority ktoa --roles association'),
    )
    .action(async (id: string, options: SetOptions) => {
      const { reason, wait, url, ...settings } = options;
      const given = { displayName: id, ...withPartner(withNulls(settings), null), id };
      const { seq } = await put(adminOfEnvironment(), given, reason, { 'if-none-match': '*' }).catch(
        (error: unknown) => {
          if (!hasCode(error, 'PRECONDITION_FAILED')) throw error;
          throw new CommandFailure(
            `organisation ${id} already exists: use organisations set to change it`,
            4,
          );
        },
      );
      await printChange([`${id} added (seq ${seq})\n`, { id, seq }], { wait, url });
    });

  addSettingOptions(changing('set'))
    .description('change an organisation; other settings stay unchanged')
    .argument('<id>')
    .addHelpText('after', examples('organisations set default --authority kisa'))
    .action(async (id: string, options: SetOptions, command: Command) => {
      const { reason, wait, url, ...settings } = options;
      requireSetting(command, settings);
      const seq = await change(id, withNulls(settings), reason);
      await printChange([`${id} changed (seq ${seq})\n`, { id, seq }], { wait, url });
    });

  changing('suspend')
    .description('stop the tokens, client keys and signing keys of an organisation')
    .argument('<id>')
    .option('--undo', 'make the organisation active again', false)
    .addHelpText('after', examples('organisations suspend acme --reason "contract breach" --wait'))
    .action(async (id: string, { reason, undo, ...options }: ChangeOptions & { readonly undo: boolean }) => {
      const state = undo ? 'active' : 'suspended';
      const seq = await change(id, { state }, reason);
      await printChange([`${id} is ${state} (seq ${seq})\n`, { id, state, seq }], options);
    });

  changing('remove')
    .description('remove an organisation that has no clients, tokens or signing keys')
    .argument('<id>')
    .addHelpText('after', examples('organisations remove acme --reason "contract ended"'))
    .action(async (id: string, { reason, ...options }: ChangeOptions) => {
      const { seq } = await adminOfEnvironment().change<ChangeDone>('DELETE', pathOf(id), { reason });
      await printChange([`${id} removed (seq ${seq})\n`, { id, removed: true, seq }], options);
    });
}

function addSettingOptions(command: Command): Command {
  return command
    .option('--display-name <name>', 'name that people see (default: the ID)')
    .option('--authority <name>', 'name under which it vouches for lists; none for no authority', authority)
    .option('--roles <list>', `roles that its tokens may have: any of ${ROLES.join(', ')}`, commaList)
    .option('--contact <text>', 'how to contact the organisation')
    .option(
      '--sender-code <code>',
      'code that identifies it in its texts and tokens; none for no code',
      senderCode,
    )
    .option(
      '--reseller',
      'count its sender code among resellers in statistics, because it resells the service of relays',
    )
    .option('--no-reseller', 'count its sender code among relays in statistics')
    .addOption(
      new Option(
        '--certificate-approval <how>',
        'whether a valid certificate approves a registration, or a reviewer must approve it',
      ).choices(CERTIFICATE_APPROVALS),
    )
    .option(
      '--declared-numbers <numbers>',
      'numbers that its clients check on an ordinary day; none removes the declaration',
      declared,
    )
    .addOption(
      new Option(
        '--partner-kind <kind>',
        'make it a partner; the kind says where its reports come from',
      ).choices(PARTNER_KINDS),
    )
    .option('--partner-weight <weight>', 'weight of its reports, 0.25 to 2 (default: 1)', decimal)
    .option(
      '--partner-slices <slices>',
      'number of objects that share its reports; cannot be changed later',
      wholeNumber,
    )
    .option('--partner-reports-per-day <reports>', 'reports that it may send per day', wholeNumber)
    .option(
      '--partner-mock',
      'make it a partner for tests, which reports only test numbers; cannot be changed later',
    );
}

function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('must be a number');
  return value;
}

/** The settings, with `partner` in place of its options. @param before current settings of the partner; null for none */
function withPartner(
  given: OrganisationSettings & PartnerOptions,
  before: PartnerSettings | null,
): OrganisationSettings {
  const { partnerKind, partnerWeight, partnerSlices, partnerReportsPerDay, partnerMock, ...settings } = given;
  const options = {
    ...(partnerKind === undefined ? {} : { kind: partnerKind }),
    ...(partnerWeight === undefined ? {} : { weight: partnerWeight }),
    ...(partnerSlices === undefined ? {} : { slices: partnerSlices }),
    ...(partnerReportsPerDay === undefined ? {} : { reportsPerDay: partnerReportsPerDay }),
    ...(partnerMock === undefined ? {} : { mock: partnerMock }),
  };
  if (Object.keys(options).length === 0) return settings;
  if (before === null && partnerKind === undefined) {
    throw new CommandFailure(
      'the organisation is not a partner yet: make it a partner with --partner-kind',
      2,
    );
  }
  // `put` validates the whole organisation.
  return { ...settings, partner: { ...before, ...options } as PartnerSettings };
}

function declared(text: string): number | typeof NONE {
  return text === 'none' ? NONE : wholeNumber(text);
}

function senderCode(text: string): string | typeof NONE {
  return text === 'none' ? NONE : text;
}

function authority(text: string): string | typeof NONE {
  if (text === 'none') return NONE;
  if (NAME_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('must have only lower case letters, digits and dashes, at most 63');
}

function load(admin: Admin, id: string) {
  return admin.tagged<Organisation>(pathOf(id));
}

/** @returns the `seq` of the change */
async function change(
  id: string,
  settings: Partial<Organisation> & PartnerOptions,
  reason: string,
): Promise<number> {
  const admin = adminOfEnvironment();
  const { value, ifUnchanged } = await load(admin, id);
  const changed = { ...value, ...withPartner(settings, value.partner ?? null) };
  return (await put(admin, changed, reason, ifUnchanged)).seq;
}

function put(
  admin: Admin,
  given: v.InferInput<typeof organisationSchema>,
  reason: string,
  conditions: Readonly<Record<string, string>>,
): Promise<ChangeDone> {
  const organisation = validate(organisationSchema, given, { whole: 'the organisation' });
  return admin.change('PUT', pathOf(organisation.id), { organisation, reason }, conditions);
}

function pathOf(id: string): string {
  return `organisations/${encodeURIComponent(id)}`;
}

function formatOrganisations(organisations: readonly Organisation[]): Report {
  const rows = organisations.map(({ id, displayName, authority: name, roles, contact, state }) => [
    ...[id, displayName, name ?? '', roles.join(' '), contact, state],
  ]);
  const names = ['organisation', 'name', 'authority', 'roles', 'contact', 'state'];
  return [formatTable(names, rows), { organisations }];
}

function formatPartner({ kind, weight, slices, reportsPerDay, mock }: PartnerSettings): string {
  const bounds = `weight ${weight}, ${slices} slices, ${reportsPerDay} reports per day`;
  return `${kind}${mock ? ', mock' : ''}: ${bounds}`;
}

function formatOrganisation(organisation: Organisation, clients: readonly string[]): Report {
  const {
    id,
    displayName,
    authority: name,
    roles,
    contact,
    state,
    senderCode,
    // Older services do not return all of the fields below.
    reseller = false,
    certificateApproval = 'review',
    declaredNumbers,
    partner = null,
    webhookHosts = [],
  } = organisation;
  const orNone = (words: readonly string[]): string => (words.length === 0 ? 'none' : words.join(' '));
  const rows = [
    ...[
      ['name', displayName],
      ['authority', name ?? 'none'],
      ['roles', orNone(roles as readonly Role[])],
    ],
    ...[
      ['contact', contact === '' ? 'none' : contact],
      ['state', state],
      ['sender code', senderCode === null ? 'none' : `${senderCode}${reseller ? ' (reseller)' : ''}`],
      ['valid certificates', certificateApproval === 'approve' ? 'approve registrations' : 'are reviewed'],
      // Services before 0.2.0 do not return `declaredNumbers`.
      ['declared numbers per day', (declaredNumbers ?? null) === null ? 'none' : String(declaredNumbers)],
      ['partner', partner === null ? 'no' : formatPartner(partner)],
      ['webhook hosts', orNone(webhookHosts)],
      ['clients', orNone(clients)],
    ],
  ];
  return [formatTable([id, ''], rows), { ...organisation, clients }];
}
