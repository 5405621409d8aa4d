/** `numgate notices`: the notices to an organisation, and what became of them. */
import type { Command } from 'commander';
import type { NoticeDetails } from '../../shared/admin/webhooks.ts';
import { NOTICES_PAGE_MAX } from '../../shared/limits/notices.ts';
import type { Notice, NoticePage } from '../../shared/notices/notice.ts';
import { adminOfEnvironment } from '../admin.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { examples, positiveNumber, wholeNumber } from './options.ts';
import { addOrganisationOption, type OrganisationOption, organisationPath } from './organisation-option.ts';
import { formatDeliveries } from './webhook-deliveries.ts';

interface ListOptions extends OrganisationOption {
  readonly after: number;
  readonly limit: number;
}

export function addNotices(program: Command): void {
  const notices = program
    .command('notices')
    .description('show the notices to an organisation, with their answers and deliveries (scope: notices)');

  addOrganisationOption(notices.command('list'), 'notices')
    .description('list notices, oldest first')
    .option('--after <version>', 'only notices after this version', wholeNumber, 0)
    .option('--limit <rows>', 'maximum number of rows', positiveNumber, NOTICES_PAGE_MAX)
    .addHelpText('after', examples('notices list --organisation acme'))
    .action(async ({ organisation, after, limit }: ListOptions) => {
      const found: Notice[] = [];
      let next: number | null = after;
      while (next !== null && found.length < limit) {
        const page: NoticePage = await adminOfEnvironment().get<NoticePage>(pathOf(organisation), {
          ...{ after: next, limit: Math.min(limit - found.length, NOTICES_PAGE_MAX) },
        });
        found.push(...page.notices);
        next = page.next;
      }
      const more = next === null ? '' : `there are more notices: --after ${next} shows them\n`;
      const text = found.length === 0 ? 'no notices\n' : formatTable(NAMES, found.map(rowOf)) + more;
      print(text, { notices: found, next });
    });

  addOrganisationOption(notices.command('show'), 'notices')
    .description('show a notice, its answer, and its deliveries')
    .argument('<version>', 'number of the notice', positiveNumber)
    .addHelpText('after', examples('notices show 17 --organisation acme'))
    .action(async (version: number, { organisation }: OrganisationOption) => {
      print(
        ...formatDetails(await adminOfEnvironment().get<NoticeDetails>(`${pathOf(organisation)}/${version}`)),
      );
    });
}

function pathOf(organisation: string): string {
  return `${organisationPath(organisation)}/notices`;
}

const NAMES = ['notice#', 'at', 'type', 'subject', 'mock', 'answer'];

function rowOf(notice: Notice): (string | number)[] {
  const { version, at, type, subject, mock } = notice;
  return [version, at, type, subject, mock ? 'yes' : '', answerOf(notice)];
}

function answerOf({ respondBy, acknowledgement }: Notice): string {
  if (acknowledgement !== null) return `${counted(acknowledgement.informed, 'subscriber')} informed`;
  return respondBy === null ? '' : `due ${respondBy}`;
}

function formatDetails(notice: NoticeDetails): Report<NoticeDetails> {
  const { data, acknowledgement, deliveries } = notice;
  const answer =
    acknowledgement === null
      ? ''
      : `${count(acknowledgement.informed)} informed at ${acknowledgement.at}${
          acknowledgement.note === null ? '' : `: ${acknowledgement.note}`
        }\n`;
  const sent = deliveries.length === 0 ? 'not sent to a webhook\n' : formatDeliveries(deliveries);
  return [`${formatTable(NAMES, [rowOf(notice)])}${JSON.stringify(data, null, 2)}\n${answer}${sent}`, notice];
}
