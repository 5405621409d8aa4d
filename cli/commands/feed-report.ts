/** Formats the output of `numgate feed`: what a pull has brought, and how far it has come. */
import { resolve } from 'node:path';
import type { WrittenLists } from '../feed/list-files.ts';
import type { ListPlan } from '../feed/lists.ts';
import type { Pulled } from '../feed/puller.ts';
import type { PulledState } from '../feed/state-file.ts';
import type { TextPlan } from '../feed/text-files.ts';
import { count, counted } from '../terminal/figures.ts';
import type { Report } from '../terminal/output.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { formatTable } from '../terminal/table.ts';

export function formatPulled(
  { state: { place, entries }, events, isSnapshot, bytes }: Pulled,
  { unknownCodes }: ListPlan,
  { confirmed, revoked, hostLists, foreign }: TextPlan,
  { catalogue, lists, campaigns, textCatalogue }: WrittenLists,
): Report {
  const { feed, epoch, position } = place;
  const from = isSnapshot ? `a snapshot and ${counted(events, 'event')}` : counted(events, 'event');
  const rows = lists.map(({ name, entries: many }) => [name, count(many)]);
  const text =
    `feed ${feed} at position ${count(position)}: ${from}, ${count(entries.size)} entries\n` +
    (rows.length === 0 ? '' : formatTable(['list', 'entries'], rows)) +
    (rows.length === 0
      ? 'there is nothing to list\n'
      : `  to build with these lists alone: npx numgate build ${shellWord(catalogue)}\n` +
        `  to build with your own, add to your catalogue: "include": [${JSON.stringify(resolve(catalogue))}]\n`) +
    (confirmed.length + revoked.length === 0
      ? ''
      : `${counted(confirmed.length, 'campaign')}, ${count(revoked.length)} revoked: ` +
        `npx numgate text campaigns import ${shellWord(campaigns)}\n`) +
    (hostLists.length === 0
      ? ''
      : `${formatTable(
          ['host list', 'hosts'],
          hostLists.map(({ name, hosts }) => [name, count(hosts.length)]),
        )}  to build with these hosts: npx numgate text build ${shellWord(textCatalogue)} --keep-model\n`);
  return [
    text,
    {
      feed,
      epoch,
      position,
      events,
      isSnapshot,
      bytes,
      entries: entries.size,
      lists,
      unknownCodes,
      catalogue,
      campaigns: { confirmed: confirmed.length, revoked: revoked.length, foreign, file: campaigns },
      hostLists: hostLists.map(({ name, hosts }) => ({ name, hosts: hosts.length })),
      textCatalogue,
    },
  ];
}

export function formatStatus({ place, entries }: PulledState): Report {
  const { url, feed, epoch, position, checkpoint } = place;
  const [campaigns, hosts] = [entries.texts.campaigns.length, entries.texts.hosts.length];
  const effects: Record<string, number> = {};
  for (const [, { kind }] of entries) effects[kind.effect] = (effects[kind.effect] ?? 0) + 1;
  const shown = Object.entries(effects).map(([effect, many]) => `  ${effect}: ${count(many)}\n`);
  const text =
    `feed ${feed} of ${url}\n` +
    `position ${count(position)}, epoch ${count(epoch)}, ${count(entries.size)} entries\n${shown.join('')}` +
    (entries.texts.size === 0 ? '' : `${counted(campaigns, 'campaign')}, ${count(hosts)} hosts of lists\n`);
  return [text, { url, feed, epoch, position, entries: entries.size, effects, campaigns, hosts, checkpoint }];
}
