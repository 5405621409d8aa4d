/** `numgate rules rehearse`: what a rule would have blocked, over the reports that are kept. */
import { type Command, InvalidArgumentError } from 'commander';
import type { RehearsalPage, RehearsedSenders } from '../../shared/admin/rules.ts';
import type { RuleSettings } from '../../shared/reports/rule.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { secondsOf } from '../import/dates.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { formatTable } from '../terminal/table.ts';
import { examples } from './options.ts';
import { addRuleArguments, type BaseOptions, type Given, loadRule, wantedSettings } from './rule-settings.ts';

/** The sum of all pages. */
export type Rehearsal = Omit<RehearsalPage, 'progress' | 'next'> & { readonly rule: RuleSettings };

export function addRehearse(rules: Command): void {
  addRuleArguments(rules.command('rehearse'))
    .description('show what a rule, or a change to it, would have done with the kept reports (scope: rules)')
    .option('--since <date>', 'only reports since: 2026-11-24 (in Korea), or a time', time)
    .addHelpText(
      'after',
      examples('rules rehearse kr-50', 'rules rehearse kr-50 distinct=40 --since 2026-11-01'),
    )
    .action(async (id: string, given: Given | [], options: BaseOptions & { readonly since?: string }) => {
      const admin = adminOfEnvironment();
      const { value: inForce } = await loadRule(admin, id);
      if (inForce === null && Object.keys({ ...options, ...given }).every((name) => name === 'since')) {
        throw new CommandFailure(`there is no rule ${id}: see npx numgate rules list, or give its fields`, 1);
      }
      const rule = await wantedSettings(admin, id, inForce, { ...given }, options);
      print(...formatRehearsal(id, await rehearseAll(admin, rule, options.since ?? null)));
    });
}

function time(text: string): string {
  const seconds = secondsOf(text.trim());
  if (seconds === null) {
    throw new InvalidArgumentError('must be a date such as 2026-11-24, or a time (RFC 3339)');
  }
  return new Date(seconds * 1000).toISOString();
}

async function rehearseAll(admin: Admin, rule: RuleSettings, since: string | null): Promise<Rehearsal> {
  const progress = startProgress('rehearsing');
  const pages: RehearsalPage[] = [];
  try {
    for (let after: string | null = null; ; ) {
      const page: RehearsalPage = await admin.find('rules/rehearse', { rule, since, after });
      pages.push(page);
      progress.update(page.progress);
      if (page.next === null) break;
      after = page.next;
    }
  } finally {
    progress.stop();
  }
  return { rule, ...sumPages(pages) };
}

export function sumPages(pages: readonly RehearsalPage[]): Omit<Rehearsal, 'rule'> {
  const senders = new Map<RehearsedSenders['sender'], RehearsedSenders>();
  const blockedBy: Record<string, number> = {};
  const total = (of: (page: RehearsalPage) => number) => pages.reduce((sum, page) => sum + of(page), 0);
  for (const page of pages) {
    for (const { sender, fires, blocked, appealed, missed } of page.senders) {
      const before = senders.get(sender) ?? { sender, fires: 0, blocked: 0, appealed: 0, missed: 0 };
      senders.set(sender, {
        sender,
        fires: before.fires + fires,
        blocked: before.blocked + blocked,
        appealed: before.appealed + appealed,
        missed: before.missed + missed,
      });
    }
    for (const [id, many] of Object.entries(page.blockedBy)) blockedBy[id] = (blockedBy[id] ?? 0) + many;
  }
  return {
    subjects: total(({ subjects }) => subjects),
    reports: total(({ reports }) => reports),
    senders: [...senders.values()].toSorted((a, b) => b.fires - a.fires || (a.sender < b.sender ? -1 : 1)),
    blockedBy,
    unreadable: total(({ unreadable }) => unreadable),
  };
}

const NAMES: Partial<Record<RehearsedSenders['sender'], string>> = {
  ...{ krMobile: 'Korean mobile', krFixed: 'Korean fixed', krVoip: 'Korean 070', krTollFree: 'Korean 080' },
  ...{
    krRepresentative: 'Korean 15xx',
    krPersonal: 'Korean 050',
    krPremium: 'Korean 060',
    krOther: 'Korean, other',
  },
  ...{ foreign: 'overseas', senderId: 'sender ID', campaign: 'campaign of texts' },
};

export function formatRehearsal(id: string, rehearsal: Rehearsal): Report<Rehearsal> {
  const { subjects, reports, senders, blockedBy, unreadable } = rehearsal;
  const rows = senders.map(({ sender, fires, blocked, appealed, missed }) => [
    ...[NAMES[sender] ?? sender, fires, blocked, appealed, missed],
  ]);
  const sum = (of: (senders: RehearsedSenders) => number) =>
    senders.reduce((total, each) => total + of(each), 0);
  const fires = sum((each) => each.fires);
  const names = ['sender', 'would fire#', 'blocked then#', 'appeal accepted#', 'only then#'];
  const table =
    rows.length === 0
      ? ''
      : formatTable(names, [
          ...rows,
          [
            'all',
            fires,
            sum((each) => each.blocked),
            sum((each) => each.appealed),
            sum((each) => each.missed),
          ],
        ]);
  const then = Object.entries(blockedBy).map(([rule, many]) => `${count(many)} by ${rule}`);
  const lines = [
    `${id} would have fired for ${counted(fires, 'sender')}, of ${count(subjects)} with enough reports (${counted(reports, 'report')})`,
    ...(then.length === 0 ? [] : [`of these, rules blocked at the time: ${then.join(', ')}`]),
    "computed with today's weights; for protected, registered and certified senders, the rule would only have proposed a block",
    ...(unreadable === 0
      ? []
      : [`${counted(unreadable, 'sender')} could not be read: the key of reports was lost`]),
  ];
  return [`${table}${lines.join('\n')}\n`, rehearsal];
}
