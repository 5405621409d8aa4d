/**
 * `numgate qualifications`: the graded state of relays and resellers (전송자격인증), which the regulator sets.
 */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { ChangeDone } from '../../shared/admin/change.ts';
import {
  inspectionDay,
  maySend,
  QUALIFICATION_STATES,
  type QualificationInfo,
  type QualificationSettings,
  type QualificationState,
} from '../../shared/senders/qualification.ts';
import { type Admin, adminOfEnvironment, type Query, type Tagged } from '../admin.ts';
import { hasCode } from '../failure.ts';
import { secondsOf } from '../import/dates.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { examples, NONE, requireReason, share, withNulls } from './options.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

interface ListOptions {
  readonly state?: string;
  readonly inspectionDueBefore?: string;
}

type SetOptions = WaitOptions & { readonly reason: string } & Partial<Omit<QualificationSettings, 'state'>>;

export function addQualifications(program: Command): void {
  const qualifications = program
    .command('qualifications')
    .description('list, show and set the qualification of organisations that send');

  qualifications
    .command('list')
    .description('list qualifications')
    .addOption(
      new Option('--state <state>', 'only qualifications in this state').choices(QUALIFICATION_STATES),
    )
    .option(
      '--inspection-due-before <date>',
      'only qualifications whose next inspection is due before this date',
      time,
    )
    .addHelpText('after', examples('qualifications list --state suspended'))
    .action(async ({ state, inspectionDueBefore }: ListOptions) => {
      const query = { state: state ?? null, inspectionDueBefore: inspectionDueBefore ?? null };
      print(...formatQualifications(await loadAll(adminOfEnvironment(), query)));
    });

  qualifications
    .command('show')
    .description('show the qualification of an organisation')
    .argument('<organisation>')
    .addHelpText('after', examples('qualifications show acme'))
    .action(async (organisation: string) => {
      const info = await adminOfEnvironment().get<QualificationInfo>(pathOf(organisation));
      print(...formatQualification(info));
    });

  addWaitOptions(requireReason(qualifications.command('set')))
    .description('set the qualification; dates that you leave out stay as they are (scope: qualification)')
    .argument('<organisation>')
    .addArgument(new Argument('<state>').choices(QUALIFICATION_STATES))
    .option('--factor <share>', 'with rateReduced: the remaining share of the usual rate, such as 0.5', share)
    .option('--inspected-at <date>', 'last inspection: 2026-11-24 (in Korea), a time, or none', timeOrNone)
    .option('--next-inspection-by <date>', 'when the next inspection is due, or none', timeOrNone)
    .option('--valid-until <date>', 'when the certification ends automatically, or none', timeOrNone)
    .addHelpText(
      'after',
      examples(
        'qualifications set acme certified --next-inspection-by 2027-11-24 --reason "committee 2026-11"',
        'qualifications set acme rateReduced --factor 0.5 --reason "notice 4711" --wait',
      ),
    )
    .action(async (organisation: string, state: QualificationState, options: SetOptions) => {
      const { reason, wait, url, ...given } = options;
      const admin = adminOfEnvironment();
      const { value: before, ifUnchanged } = await load(admin, organisation);
      const settings = settingsAfter(before, state, withNulls(given));
      const path = pathOf(organisation);
      const { seq } = await admin.change<ChangeDone>('PUT', path, { ...settings, reason }, ifUnchanged);
      const done = { organisation, ...settings, seq };
      await printChange([`${organisation} is ${state} (seq ${seq})\n`, done], { wait, url });
    });
}

/** The settings to send: the given ones, and the current values of all others that apply to the new state. */
export function settingsAfter(
  before: QualificationInfo | null,
  state: QualificationState,
  given: Partial<QualificationSettings>,
): QualificationSettings {
  const kept = {
    factor: before?.state === state ? before.factor : null,
    inspectedAt: before?.inspectedAt ?? null,
    nextInspectionBy: before?.nextInspectionBy ?? null,
    // A new certification does not take over the end of the expired one.
    validUntil:
      before?.state !== 'expired' && (maySend(state) || state === 'suspended')
        ? (before?.validUntil ?? null)
        : null,
  };
  return { ...kept, ...given, state };
}

/** The current qualification, with the conditions that let a change replace exactly this one. */
async function load(admin: Admin, organisation: string): Promise<Tagged<QualificationInfo | null>> {
  return admin.tagged<QualificationInfo>(pathOf(organisation)).catch((error: unknown) => {
    if (!hasCode(error, 'QUALIFICATION_UNKNOWN')) throw error;
    return { value: null, ifUnchanged: { 'if-none-match': '*' } };
  });
}

async function loadAll(admin: Admin, query: Query): Promise<QualificationInfo[]> {
  const all: QualificationInfo[] = [];
  for (let after: string | null = null; ; ) {
    const page: { qualifications: QualificationInfo[]; next: string | null } = await admin.get(
      'qualifications',
      { ...query, after },
    );
    all.push(...page.qualifications);
    if (page.next === null) return all;
    after = page.next;
  }
}

function pathOf(organisation: string): string {
  return `organisations/${encodeURIComponent(organisation)}/qualification`;
}

function time(text: string): string {
  const seconds = secondsOf(text.trim());
  if (seconds === null)
    throw new InvalidArgumentError('must be a date such as 2026-11-24, or a time (RFC 3339)');
  return new Date(seconds * 1000).toISOString();
}

function timeOrNone(text: string): string | typeof NONE {
  return text === 'none' ? NONE : time(text);
}

function formatQualifications(qualifications: readonly QualificationInfo[]): Report {
  const names = ['organisation', 'state', 'factor#', 'since', 'inspected', 'next inspection', 'valid until'];
  const rows = qualifications.map((each) => [
    ...[each.organisation, each.state, each.factor ?? '', each.since],
    ...[inspectionDay(each.inspectedAt) ?? '', inspectionDay(each.nextInspectionBy) ?? ''],
    each.validUntil ?? '',
  ]);
  return [formatTable(names, rows), { qualifications }];
}

function formatQualification(info: QualificationInfo): Report {
  const { organisation, state, factor, since, inspectedAt, nextInspectionBy, validUntil } = info;
  const rows = [
    ['state', state],
    ...(factor === null ? [] : [['factor', String(factor)]]),
    ['since', since],
    ['inspected', inspectionDay(inspectedAt) ?? 'never'],
    ['next inspection', inspectionDay(nextInspectionBy) ?? 'no date'],
    ['valid until', validUntil ?? 'no end'],
  ];
  return [formatTable([organisation, ''], rows), info];
}
