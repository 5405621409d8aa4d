/**
 * `numgate text campaigns`: campaigns of reported texts, and the decisions that people make about them. A confirmed campaign
 * blocks texts like its own until its end.
 */
import { type Command, Option } from 'commander';
import {
  CAMPAIGN_IMPORT_RESULTS,
  type CampaignAction,
  type EnrolledCampaigns,
  type ImportedCampaigns,
  type MatchedCampaigns,
} from '../../shared/admin/campaigns.ts';
import { CAMPAIGN_STATES, type CampaignInfo, type CampaignState } from '../../shared/admin/text.ts';
import { parseCampaignId } from '../../shared/text/campaign-id.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { untilOf } from '../import/dates.ts';
import { counted } from '../terminal/figures.ts';
import { print, printPart, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { changeCampaigns, inPieces, CAMPAIGNS_PATH as PATH } from '../text/campaign-requests.ts';
import { type Located, readCampaignTexts, readFeedCampaigns } from '../text/campaign-texts.ts';
import { examples, positiveNumber, requireReason } from './options.ts';
import { pagesOf } from './pages.ts';

interface ListOptions {
  readonly state?: CampaignState;
  readonly limit: number;
}

interface ChangeOptions {
  readonly overrideAuthority?: readonly string[];
  readonly reason: string;
}

interface AddOptions extends ChangeOptions {
  readonly file?: string;
  readonly fingerprint?: readonly string[];
  readonly keyId?: string;
  readonly until?: string;
}

export function addTextCampaigns(text: Command): void {
  const campaigns = text
    .command('campaigns')
    .description('list, confirm, reject and revoke campaigns of reported texts (scope: text)');

  campaigns
    .command('list')
    .description('list campaigns, oldest first')
    .addOption(new Option('--state <state>', 'only campaigns in this state').choices(CAMPAIGN_STATES))
    .option('--limit <rows>', 'maximum number of rows', positiveNumber, 200)
    .addHelpText('after', examples('text campaigns list --state confirmed', 'text campaigns list --json'))
    .action(async ({ state, limit }: ListOptions) => {
      const filter = state === undefined ? {} : { state };
      const admin = adminOfEnvironment();
      const { items, next } = await pagesOf<CampaignInfo>(admin, PATH, 'campaigns', limit, filter);
      print(...formatList(items, next));
    });

  campaigns
    .command('show')
    .description('show a campaign and its fingerprint')
    .argument('<id>', 'such as c-17', campaignId)
    .addHelpText('after', examples('text campaigns show c-17'))
    .action(async (id: string) =>
      print(...formatCampaign(await adminOfEnvironment().get<CampaignInfo>(`${PATH}/${id}`))),
    );

  addAuthority(requireReason(campaigns.command('add')))
    .description('confirm campaigns of given texts: similar texts are blocked until the end')
    .option('--file <file>', 'texts, one per line; .ndjson has objects with "text"; - is standard input')
    .addOption(
      new Option('--fingerprint <base64>', 'a fingerprint of 128 bytes instead of a text; repeatable')
        .conflicts('file')
        .argParser((value: string, before: readonly string[] = []) => [...before, value]),
    )
    .option('--key-id <id>', 'ID of the TEXT_KEY of the fingerprints, from text status')
    .option(
      '--until <end>',
      'when the campaign ends: 30d, a date or a time, at most 90 days ahead (required)',
    )
    .addHelpText(
      'after',
      `
The texts are sent to the service, which computes their fingerprints and keeps nothing else. Similar texts become one
campaign. Write line breaks as spaces: fingerprints ignore them.`,
    )
    .addHelpText('after', examples('text campaigns add --file texts.txt --until 30d --reason "ticket 4711"'))
    .action(async (options: AddOptions) => print(...formatAdded(await enrol(adminOfEnvironment(), options))));

  for (const [action, description, example] of [
    [
      'reject',
      'reject an observed campaign: rules can no longer confirm it',
      'reject c-17 --reason "a bank"',
    ],
    ['revoke', 'end a confirmed campaign at once', 'revoke c-17 --reason "a delivery notice of the post"'],
  ] as const) {
    addAuthority(requireReason(campaigns.command(action)))
      .description(description)
      .argument('<id...>', 'such as c-17', campaignIds)
      .addHelpText('after', examples(`text campaigns ${example}`))
      .action(async (ids: readonly string[], options: ChangeOptions) =>
        change(ids, action, fieldsOf(options)),
      );
  }

  addAuthority(requireReason(campaigns.command('confirm')))
    .description('confirm a campaign, or change the end of a confirmed campaign')
    .argument('<id...>', 'such as c-17', campaignIds)
    .option(
      '--until <end>',
      'when the campaign ends: 30d, a date or a time, at most 90 days ahead (required)',
    )
    .addHelpText('after', examples('text campaigns confirm c-17 --until 30d --reason "seen by the desk"'))
    .action(async (ids: readonly string[], options: ChangeOptions & { readonly until?: string }) =>
      change(ids, 'confirm', { until: endOf(options), ...fieldsOf(options) }),
    );

  campaigns
    .command('match')
    .description(
      'find the campaigns of texts, and whether the texts are blocked; the texts are sent to the service',
    )
    .requiredOption(
      '--file <file>',
      'texts, one per line; .ndjson has objects with "text"; - is standard input',
    )
    .addHelpText('after', examples('text campaigns match --file texts.txt'))
    .action(async ({ file }: { readonly file: string }) =>
      print(...formatMatches(await match(adminOfEnvironment(), await readCampaignTexts(file)))),
    );

  requireReason(campaigns.command('import'))
    .description('import the campaigns that numgate feed pull wrote; your own decisions stay')
    .argument('<file>', 'campaigns.ndjson')
    .addHelpText('after', examples('text campaigns import campaigns.ndjson --reason "the feed of KISA"'))
    .action(async (file: string, { reason }: ChangeOptions) => {
      const admin = adminOfEnvironment();
      const results = await inPieces(await readFeedCampaigns(file), async (campaigns) => {
        const body = { campaigns, reason };
        return (await admin.change<ImportedCampaigns>('POST', `${PATH}/import`, body)).results;
      });
      print(...formatImported(results));
    });
}

function addAuthority(command: Command): Command {
  return command.option(
    '--override-authority <name>',
    'also change campaigns of this authority; repeatable; requires the scope override',
    (name: string, before: readonly string[] = []) => [...before, name],
  );
}

function fieldsOf({ overrideAuthority, reason }: ChangeOptions): object {
  return overrideAuthority === undefined ? { reason } : { overrideAuthorities: overrideAuthority, reason };
}

function endOf({ until }: { readonly until?: string }): string {
  if (until === undefined) throw new CommandFailure("required option '--until <end>' not specified", 2);
  const end = untilOf(until, new Date());
  if (end === undefined) throw new CommandFailure('--until must be at most 90 days ahead', 2);
  return end;
}

async function enrol(admin: Admin, options: AddOptions): Promise<EnrolledCampaigns> {
  const { file, fingerprint = [], keyId } = options;
  const common = { until: endOf(options), ...fieldsOf(options) };
  if (file === undefined && fingerprint.length === 0)
    throw new CommandFailure('name a file of texts with --file, or a --fingerprint', 2);
  if (file === undefined && keyId === undefined)
    throw new CommandFailure('--fingerprint requires --key-id: see numgate text status', 2);
  const field = file === undefined ? 'fingerprints' : 'texts';
  const items: readonly Located<unknown>[] =
    file === undefined
      ? fingerprint.map((each, at) => ({
          item: { fingerprint: each, textKeyId: keyId },
          where: `--fingerprint ${at + 1}`,
        }))
      : await readCampaignTexts(file);
  const campaigns = await inPieces(items, async (some) => {
    const body = { [field]: some, ...common };
    return (await admin.change<EnrolledCampaigns>('POST', PATH, body)).campaigns;
  });
  return { campaigns };
}

async function match(admin: Admin, located: readonly Located<string>[]): Promise<MatchedCampaigns> {
  const matches = await inPieces(
    located,
    async (texts) => (await admin.find<MatchedCampaigns>(`${PATH}/match`, { texts })).matches,
    false,
  );
  return { matches };
}

async function change(ids: readonly string[], action: CampaignAction, body: object): Promise<void> {
  const onChanged = (campaign: CampaignInfo): void => printPart(`${campaign.id} is ${stateOf(campaign)}\n`);
  print('', { campaigns: await changeCampaigns(adminOfEnvironment(), ids, action, body, onChanged) });
}

function campaignId(text: string): string {
  if (parseCampaignId(text) === null) throw new CommandFailure('<id> must be a campaign, such as c-17', 2);
  return text;
}

function campaignIds(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, campaignId(text)];
}

function stateOf({ state, until, rule, stage }: CampaignInfo): string {
  if (state !== 'confirmed') return state;
  const how = rule === null ? '' : ` by ${rule} (${stage})`;
  return `confirmed${how} until ${until}`;
}

function formatList(campaigns: readonly CampaignInfo[], next: string | null): Report {
  const rows = campaigns.map(({ id, state, authority, rule, reports, firstSeen, lastSeen, until }) => [
    ...[
      id,
      state,
      state === 'observed' ? '' : (rule ?? authority),
      reports,
      firstSeen,
      lastSeen,
      until ?? '',
    ],
  ]);
  const names = ['campaign', 'state', 'by', 'reports#', 'first seen', 'last seen', 'until'];
  const more = next === null ? '' : 'there are more: raise --limit to see them\n';
  return [rows.length === 0 ? 'no campaigns\n' : formatTable(names, rows) + more, { campaigns, next }];
}

function formatCampaign(campaign: CampaignInfo): Report<CampaignInfo> {
  const { id, authority, firstSeen, lastSeen, reports, reporters, changed, fingerprint, textKeyId } =
    campaign;
  const lines = [
    `${styleText('bold', id)} of ${authority} is ${stateOf(campaign)}`,
    ...(changed ? [`changed by ${changed.by} at ${changed.at}: ${changed.reason}`] : []),
    `seen from ${firstSeen} to ${lastSeen} in ${counted(reports, 'report')}`,
    ...(reporters === null ? [] : [`${counted(reporters, 'distinct reporter')} when a rule decided`]),
    `fingerprint of TEXT_KEY ${textKeyId}:`,
    `  ${fingerprint}`,
  ];
  return [`${lines.join('\n')}\n`, campaign];
}

function formatAdded({ campaigns }: EnrolledCampaigns): Report<EnrolledCampaigns> {
  const distinct = new Map(campaigns.map((campaign) => [campaign.id, campaign]));
  const lines = [...distinct.values()].map((campaign) => `${campaign.id} is ${stateOf(campaign)}`);
  return [
    `${counted(campaigns.length, 'text')} in ${counted(distinct.size, 'campaign')}\n${lines.join('\n')}\n`,
    { campaigns },
  ];
}

function formatMatches({ matches }: MatchedCampaigns): Report<MatchedCampaigns> {
  const rows = matches.map(({ campaign, blocks, hasFingerprint }, index) => [
    index + 1,
    campaign ?? (hasFingerprint ? 'none' : 'too short'),
    blocks ? 'yes' : 'no',
  ]);
  return [formatTable(['text#', 'campaign', 'blocked'], rows), { matches }];
}

function formatImported(results: ImportedCampaigns['results']): Report<ImportedCampaigns> {
  const lines = CAMPAIGN_IMPORT_RESULTS.flatMap((result) => {
    const many = results.filter((each) => each.result === result).length;
    return many === 0 ? [] : [`${result}: ${many}`];
  });
  const note = results.some(({ result }) => result === 'foreignKey')
    ? ['foreignKey: made with another TEXT_KEY. All members of a community must set the same TEXT_KEY.']
    : [];
  return [`${[...lines, ...note].join('\n')}\n`, { results }];
}
