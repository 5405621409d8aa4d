/**
 * The files of a pull for text risk, beside its lists: `campaigns.ndjson` for `numgate text campaigns import`, one file for
 * each host list, and the catalogue `feed.text.json` for `numgate text build`.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CampaignEntry } from '../../shared/feed/entry.ts';
import { HOST_LISTS_MAX } from '../../shared/limits/text.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import type { Effect } from '../../shared/verdict.ts';
import { CommandFailure } from '../failure.ts';
import type { ListSettings } from './lists.ts';
import type { FeedTexts } from './texts.ts';

export const CAMPAIGNS = 'campaigns.ndjson';
export const TEXT_CATALOGUE = 'feed.text.json';

interface HostList {
  readonly name: string;
  readonly effect: Effect;
  readonly authority: string;
  /** Each host once, in order. */
  readonly hosts: readonly string[];
}

export interface TextPlan {
  readonly confirmed: readonly CampaignEntry[];
  readonly revoked: readonly CampaignEntry[];
  readonly hostLists: readonly HostList[];
  /** Number of campaigns of another TEXT_KEY, which are left out. */
  readonly foreign: number;
}

/**
 * @param textKeyId ID of the own TEXT_KEY; null if it is unknown here, and then all campaigns are written
 * @throws CommandFailure if the hosts need too many lists
 */
export function planTexts(texts: FeedTexts, textKeyId: string | null, settings: ListSettings): TextPlan {
  const isOwn = (campaign: CampaignEntry): boolean => textKeyId === null || campaign.textKeyId === textKeyId;
  const { campaigns, revoked, hosts } = texts;
  const groups = new Map<string, Omit<HostList, 'hosts'> & { readonly hosts: Set<string> }>();
  for (const { host, effect, authority: own } of hosts) {
    if (effect === 'allow' && !settings.unblocks) continue;
    const authority = settings.authority ?? own;
    const name = listName(settings.prefix, effect, authority);
    const group = groups.get(name) ?? { name, effect, authority, hosts: new Set() };
    groups.set(name, group);
    group.hosts.add(host);
  }
  if (groups.size > HOST_LISTS_MAX)
    throw new CommandFailure(
      `the feed needs ${groups.size} host lists (one for each effect and authority), more than ${HOST_LISTS_MAX}: ` +
        'use --authority <name> to list all hosts under one authority',
    );
  return {
    confirmed: campaigns.filter(isOwn),
    revoked: revoked.filter(isOwn),
    hostLists: [...groups.values()]
      .map((group) => ({ ...group, hosts: [...group.hosts] }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    foreign: campaigns.filter((campaign) => !isOwn(campaign)).length,
  };
}

function listName(prefix: string, effect: Effect, authority: string): string {
  const words = [prefix, 'hosts', ...(effect === 'block' ? [] : [effect]), authority].join('-');
  if (NAME_PATTERN.test(words)) return words;
  const digest = createHash('sha256').update(words).digest('hex').slice(0, 8);
  return `${words.slice(0, 54)}-${digest}`;
}

/** @param folder of the lists @param at when the state was read, RFC 3339 @returns a digest, for the name of the folder */
export function writeTextFiles(folder: string, plan: TextPlan, at: string): string {
  const digest = createHash('sha256');
  const write = (file: string, text: string): void => {
    digest.update(`${file}\n${text}`);
    writeFileSync(join(folder, file), text, { mode: 0o600, flush: true });
  };
  const lines = [
    ...plan.confirmed.map((campaign) => lineOf(campaign, 'confirmed')),
    ...plan.revoked.map((campaign) => lineOf(campaign, 'revoked')),
  ];
  write(CAMPAIGNS, lines.join(''));
  for (const { name, hosts } of plan.hostLists)
    write(fileOf(name), hosts.map((host) => `${host}\n`).join(''));
  const hostLists = plan.hostLists.map(({ name, effect, authority }) => ({
    ...{ name, file: fileOf(name), effect, authority, asOf: at, fromFeed: true },
  }));
  write(TEXT_CATALOGUE, `${JSON.stringify({ hostLists }, null, 2)}\n`);
  return digest.digest('hex');
}

function fileOf(list: string): string {
  return `${list}.txt`;
}

/** A line in the form that `numgate text campaigns import` reads. */
function lineOf({ subject: _, ...campaign }: CampaignEntry, state: 'confirmed' | 'revoked'): string {
  return `${JSON.stringify({ state, ...campaign })}\n`;
}
