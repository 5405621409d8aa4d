/**
 * `numgate text explain`: what a text release says about one text, and why. The release is downloaded to this machine. The text
 * leaves this machine only with `--campaigns`, because only the service has the campaigns and their key.
 */
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { CampaignMatch, MatchedCampaigns } from '../../shared/admin/campaigns.ts';
import { analyseText, type TextAnalysis } from '../../shared/text/analyse-text.ts';
import { parentsOf } from '../../shared/text/host-table.ts';
import { NO_TEXT, type PublishedText } from '../../shared/text/published.ts';
import { readText } from '../../shared/text/text.ts';
import type { HostListInfo, ModelFacts } from '../../shared/text/text-manifest.ts';
import type { Verdict } from '../../shared/verdict.ts';
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
    .addOption(new Option('--model <folder>', 'use only a model, from the folder that text train wrote'))
    .option('--campaigns', 'also send the text to the service, to find its campaign', false)
    .addHelpText('after', examples('text explain --file text.txt', 'text explain --campaigns < text.txt'))
    .action(async (path: string | undefined, { file, model, campaigns }: ExplainOptions) => {
      if (path !== undefined && model !== undefined)
        throw new CommandFailure('give a folder of a text release or --model, not both', 2);
      const published = await publishedOf(path, model, campaigns);
      const content = await readOneText(file);
      const matched = campaigns ? await matchCampaign(adminOfEnvironment(), content) : undefined;
      print(...formatExplanation(explainText(content, published, matched)));
    });
}

/** @param campaigns whether campaigns are looked up, which needs no release */
async function publishedOf(
  path: string | undefined,
  model: string | undefined,
  campaigns: boolean,
): Promise<PublishedText> {
  if (model !== undefined) return openedRelease(readModelFolder(model), null);
  if (path !== undefined) {
    // The argument may be the text itself, so the message must not repeat it.
    if (!existsSync(path))
      throw new CommandFailure(
        'the folder of the text release does not exist. The text is read from standard input or --file',
        2,
      );
    return releaseInFolder(new TextFolder(path));
  }
  const current = await releaseInForce(adminOfEnvironment());
  if (current !== null) return current;
  if (campaigns) return NO_TEXT;
  throw new CommandFailure(
    'no text release is in force: name the folder of a text release, name a model with --model, or look up only campaigns with --campaigns',
  );
}

/** The campaign that the service finds for a text. */
async function matchCampaign(admin: Admin, text: string): Promise<CampaignMatch> {
  const { matches } = await admin.find<MatchedCampaigns>('text/campaigns/match', { texts: [text] });
  return matches[0]!;
}

export interface HostFinding {
  readonly host: string;
  /** The list that decides; null if no list has the host. */
  readonly list: HostListInfo | null;
  /** The entry of the list that matches: the host, or one of its parents. */
  readonly entry: string | null;
}

export interface Explanation {
  readonly release: string | null;
  readonly analysis: TextAnalysis;
  readonly thresholds: ModelFacts['thresholds'] | null;
  readonly hosts: readonly HostFinding[];
  /** Whether the release has host lists. */
  readonly hasLists: boolean;
  /** Undefined if nothing was sent to the service. */
  readonly campaign: CampaignMatch | undefined;
}

/** @param campaign what the service found; undefined if the text was not sent to it */
export function explainText(text: string, published: PublishedText, campaign?: CampaignMatch): Explanation {
  // Campaigns need a key that only the service has.
  const local = { ...published, key: null };
  const listed = new Set(published.hosts === null ? [] : [...published.hosts.table.rows()].map(hostOf));
  const hosts = readText(text).hosts.map((host) => {
    // Analyse a text that has nothing but this host, to find the list that decides at the edge.
    const list = analyseText(`http://${host}/`, local, 0).hosts[0] ?? null;
    return { host, list, entry: parentsOf(host).find((parent) => listed.has(parent)) ?? null };
  });
  return {
    ...{ release: published.release, analysis: analyseText(text, local, 0), hosts, campaign },
    hasLists: published.hosts !== null,
    thresholds: published.model?.info.thresholds ?? null,
  };
}

function hostOf({ host }: { readonly host: string }): string {
  return host;
}

export function formatExplanation(explanation: Explanation): Report {
  const { release, analysis, thresholds, hosts, hasLists, campaign } = explanation;
  const check = checkOf(explanation);
  const { score, band, reasons, model } = analysis;
  const lines = [
    formatSource(release, model),
    score === null || thresholds === null
      ? 'no model: no score'
      : `score ${score}, band ${styleText('bold', band!)}: model ${visible(model!)}, ${formatThresholds(thresholds)}`,
    ...(reasons.length === 0 ? [] : [`  what raised it most: ${reasons.join(', ')}`]),
    ...(hosts.length === 0 ? ['no host'] : hosts.map((found) => formatHost(found, hasLists))),
    ...(hasLists ? [] : ['no host list was looked up']),
    formatCampaign(campaign),
    formatCheck(check, hasLists),
    campaign === undefined
      ? 'the text was not sent anywhere'
      : 'the text was sent to the service, which does not keep it',
  ];
  const value = {
    ...{ release, model, score, band, reasons, thresholds },
    ...{ check, hostListsLookedUp: hasLists },
    hosts: hosts.map(({ host, list, entry }) => ({
      ...{ host, list: list?.name ?? null, effect: list?.effect ?? null },
      ...{ authority: list?.authority ?? null, entry },
    })),
    campaign: campaign?.campaign ?? null,
    campaignState: campaignStateOf(campaign),
    sent: campaign !== undefined,
  };
  return [`${lines.join('\n')}\n`, value];
}

function formatSource(release: string | null, model: string | null): string {
  if (release !== null) return styleText('bold', release);
  return model === null ? 'no text release is in force' : `model ${visible(model)}, not in a release`;
}

type CampaignState = 'notLookedUp' | 'tooShort' | 'none' | 'blocks' | 'doesNotBlock';

function campaignStateOf(match: CampaignMatch | undefined): CampaignState {
  if (match === undefined) return 'notLookedUp';
  if (!match.hasFingerprint) return 'tooShort';
  if (match.campaign === null) return 'none';
  return match.blocks ? 'blocks' : 'doesNotBlock';
}

function formatCampaign(match: CampaignMatch | undefined): string {
  const words = {
    notLookedUp: 'not looked up; --campaigns sends the text to the service',
    tooShort: 'none; the text is too short to be recognised',
    none: 'none',
    blocks: `${match?.campaign}, which blocks now`,
    doesNotBlock: `${match?.campaign}, which does not block`,
  };
  return `campaign: ${words[campaignStateOf(match)]}`;
}

function formatHost({ host, list, entry }: HostFinding, hasLists: boolean): string {
  if (!hasLists) return `host ${visible(host)}`;
  if (list === null) return `host ${visible(host)}: on no list`;
  const as = entry === null || entry === host ? '' : `, which lists ${visible(entry)}`;
  return `host ${visible(host)}: ${list.effect} by list ${visible(list.name)} of ${visible(list.authority)}${as}`;
}

/** The verdict and code that the text can lead to in a check. Numbers and settings of a client decide the rest. */
interface Check {
  readonly verdict: Verdict;
  /** Null if nothing that was looked at speaks against the text. */
  readonly code: 'TEXT_HOST_LISTED' | 'TEXT_CAMPAIGN' | 'TEXT_SUSPICIOUS' | null;
}

function checkOf({ analysis, hosts, campaign }: Explanation): Check {
  const effects = hosts.flatMap(({ list }) => (list === null ? [] : [list.effect]));
  if (effects.includes('block')) return { verdict: 'block', code: 'TEXT_HOST_LISTED' };
  if (campaign?.blocks === true && !analysis.onlyAllowedHosts)
    return { verdict: 'block', code: 'TEXT_CAMPAIGN' };
  if (effects.includes('label')) return { verdict: 'label', code: 'TEXT_HOST_LISTED' };
  if (analysis.band === 'suspicious') return { verdict: 'label', code: 'TEXT_SUSPICIOUS' };
  return { verdict: 'allow', code: null };
}

function formatCheck({ verdict, code }: Check, hasLists: boolean): string {
  if (code === null)
    return hasLists
      ? 'a check would find nothing against the text'
      : 'a check would find nothing against the text in what was looked up';
  const clients =
    code === 'TEXT_SUSPICIOUS'
      ? ', for clients with "onSuspiciousText": "label"; no effect for other clients'
      : '';
  return `a check would return ${verdict}, ${code}${clients}`;
}
