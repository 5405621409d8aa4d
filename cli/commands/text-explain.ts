/**
 * `numgate text explain`: what a text release says about one text, and why. The release comes to this machine; the text
 * leaves it only with `--campaigns`, because only the service has the campaigns and their key.
 */
import { type Command, Option } from 'commander';
import type { CampaignMatch, MatchedCampaigns } from '../../shared/admin/campaigns.ts';
import { analyseText, type TextAnalysis } from '../../shared/text/analyse-text.ts';
import type { PublishedText } from '../../shared/text/published.ts';
import { readText } from '../../shared/text/text.ts';
import type { HostListInfo, ModelFacts } from '../../shared/text/text-manifest.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { print, type Report } from '../terminal/output.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { readModelFolder } from '../text/model-folder.ts';
import { readOneText } from '../text/one-text.ts';
import { openedRelease, releaseInFolder, releaseInForce } from '../text/open-release.ts';
import { TextFolder } from '../text/text-folder.ts';
import { formatThresholds } from '../text/text-report.ts';
import { examples } from './options.ts';

interface ExplainOptions {
  readonly file?: string;
  readonly model?: string;
  readonly campaigns: boolean;
}

export function addTextExplain(text: Command): void {
  text
    .command('explain')
    .description('explain the score, the band, the hosts and the campaign of one text, on this machine')
    .argument('[folder]', 'folder of a text release (default: the release in force)')
    .option('--file <file>', 'the text (default: standard input)')
    .addOption(new Option('--model <folder>', 'only a model that text train wrote'))
    .option('--campaigns', 'also send the text to the service, to find its campaign', false)
    .addHelpText('after', examples('text explain --file text.txt', 'text explain --campaigns < text.txt'))
    .action(async (path: string | undefined, { file, model, campaigns }: ExplainOptions) => {
      if (path !== undefined && model !== undefined)
        throw new CommandFailure('give a folder of a text release or --model, not both', 2);
      const published = await publishedOf(path, model);
      const content = await readOneText(file);
      const matched = campaigns ? await matchCampaign(adminOfEnvironment(), content) : undefined;
      print(...formatExplanation(explainText(content, published, matched)));
    });
}

async function publishedOf(path: string | undefined, model: string | undefined): Promise<PublishedText> {
  if (model !== undefined) return openedRelease(readModelFolder(model), null);
  if (path !== undefined) return releaseInFolder(new TextFolder(path));
  const current = await releaseInForce(adminOfEnvironment());
  if (current !== null) return current;
  throw new CommandFailure('no text release is in force: name the folder of one, or a model with --model');
}

/** Campaign of a text, as the service finds it. */
async function matchCampaign(admin: Admin, text: string): Promise<CampaignMatch> {
  const { matches } = await admin.find<MatchedCampaigns>('text/campaigns/match', { texts: [text] });
  return matches[0]!;
}

export interface HostFinding {
  readonly host: string;
  /** The list that decides, or null if none has the host. */
  readonly list: HostListInfo | null;
}

export interface Explanation {
  readonly release: string | null;
  readonly analysis: TextAnalysis;
  readonly thresholds: ModelFacts['thresholds'] | null;
  readonly hosts: readonly HostFinding[];
  /** Undefined if nothing was sent to the service. */
  readonly campaign: CampaignMatch | undefined;
}

/** @param campaign what the service found; undefined if the text was not sent to it */
export function explainText(text: string, published: PublishedText, campaign?: CampaignMatch): Explanation {
  // Campaigns need a key that only the service has.
  const local = { ...published, key: null };
  const hosts = readText(text).hosts.map((host) => ({
    host,
    // As the edge decides about a text that has nothing but this host.
    list: analyseText(`http://${host}/`, local, 0).hosts[0] ?? null,
  }));
  return {
    ...{ release: published.release, analysis: analyseText(text, local, 0), hosts, campaign },
    thresholds: published.model?.info.thresholds ?? null,
  };
}

export function formatExplanation(explanation: Explanation): Report {
  const { release, analysis, thresholds, hosts, campaign } = explanation;
  const { score, band, reasons, model } = analysis;
  const lines = [
    release === null ? `model ${visible(model ?? '')}, not in a release` : `${styleText('bold', release)}`,
    score === null || thresholds === null
      ? 'no model: no score'
      : `score ${score}, band ${styleText('bold', band!)}: model ${visible(model!)}, ${formatThresholds(thresholds)}`,
    ...(reasons.length === 0 ? [] : [`  what raised it most: ${reasons.join(', ')}`]),
    ...(hosts.length === 0 ? ['no host'] : hosts.map(formatHost)),
    formatCampaign(campaign),
    effectOf(explanation),
    campaign === undefined
      ? 'the text was not sent anywhere'
      : 'the text was sent to the service, which does not keep it',
  ];
  const value = {
    ...{ release, model, score, band, reasons, thresholds },
    hosts: hosts.map(({ host, list }) => ({ host, list: list?.name ?? null, effect: list?.effect ?? null })),
    campaign: campaign?.campaign ?? null,
    sent: campaign !== undefined,
  };
  return [`${lines.join('\n')}\n`, value];
}

function formatCampaign(match: CampaignMatch | undefined): string {
  if (match === undefined) return 'campaign: not looked up; --campaigns sends the text to the service';
  const { campaign, blocks, hasFingerprint } = match;
  if (!hasFingerprint) return 'campaign: none; the text is too short to be recognised';
  if (campaign === null) return 'campaign: none';
  return `campaign: ${campaign}, which ${blocks ? 'blocks now' : 'does not block'}`;
}

function formatHost({ host, list }: HostFinding): string {
  return list === null
    ? `host ${visible(host)}: on no list`
    : `host ${visible(host)}: ${list.effect} by list ${visible(list.name)} of ${visible(list.authority)}`;
}

/** What a check of the text can lead to. Numbers and settings of a client decide the rest. */
function effectOf({ analysis, hosts, campaign }: Explanation): string {
  const effects = hosts.flatMap(({ list }) => (list === null ? [] : [list.effect]));
  if (effects.includes('block')) return 'a check: block, TEXT_HOST_LISTED';
  if (campaign?.blocks === true && !analysis.onlyAllowedHosts) return 'a check: block, TEXT_CAMPAIGN';
  if (effects.includes('label')) return 'a check: label, TEXT_HOST_LISTED';
  if (analysis.band === 'suspicious')
    return 'a check: label, TEXT_SUSPICIOUS, for clients with "onSuspiciousText": "label"; for others no effect';
  return 'a check: nothing against the text';
}
