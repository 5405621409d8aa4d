/** `numgate status`: the head according to the coordinator, and the head that each edge uses. */
import type { Command } from 'commander';
import type { ListsInfo, StatusInfo } from '../../shared/admin.ts';
import type { StorageInfo, StorageLevel } from '../../shared/storage-level.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count, percent } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatLists } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { examples } from './options.ts';
import { edgeOption, type Health, healthOf, urlsOf } from './watch.ts';

export function addStatus(program: Command): void {
  program
    .command('status')
    .addOption(edgeOption())
    .description('show the current state, and the state that each edge uses')
    .addHelpText('after', examples('status --url https://edge-1.example --url https://edge-2.example'))
    .action(async ({ url }: { url: string[] }) => {
      const status = await loadStatus(adminOfEnvironment(), urlsOf(url));
      print(...formatStatus(status));
      const silent = status.edges.filter(({ health }) => health === null).map((edge) => edge.url);
      if (silent.length > 0) throw new CommandFailure(`no response from ${silent.join(', ')}`);
    });
}

export interface Status extends StatusInfo, Pick<ListsInfo, 'lists'> {
  readonly url: string;
  readonly edges: readonly { readonly url: string; readonly health: Health | null }[];
}

/** @param urls of the edges */
async function loadStatus(admin: Admin, urls: readonly string[]): Promise<Status> {
  const [info, { lists }, ...edges] = await Promise.all([
    admin.get<StatusInfo>('status'),
    admin.get<ListsInfo>('lists'),
    ...urls.map(async (url) => ({ url, health: await healthOf(url) })),
  ]);
  return { ...info, lists, url: admin.url, edges };
}

export function formatStatus(status: Status): Report {
  const { current, candidate, seq, changedAt, lists, live, clients, kvSeq, audit, edges } = status;
  const { trimmedTo = 0 } = audit;
  const lines = [
    current === null
      ? 'no release is current: npx numgate build, prove, push'
      : `${styleText('bold', current.release)} is current since ${current.promotedAt}, by ${current.by}`,
    ...(candidate === null
      ? []
      : [
          `${styleText('bold', candidate.release)} is the canary in ${percent(candidate.share)} of the data centres`,
        ]),
    `seq ${seq}${changedAt === null ? '' : `, changed ${changedAt}`}; the copy in KV has ${kvSeq}`,
    `${count(live.entries)} live entries in ${live.segments} segments, ${live.tail} unsealed; ${count(clients)} clients`,
    `audit log: ${count(audit.n)} records, last hash ${audit.hash}` +
      (trimmedTo === 0 ? '' : `; records up to ${count(trimmedTo)} were trimmed`),
    ...storageLines(status),
    ...proposalLines(status),
    ...status.propagation.map(
      ({ dataCentre, seq: received, askedAt }) =>
        `data centre ${dataCentre} received seq ${received} at ${askedAt}`,
    ),
    ...edges.map(({ url, health }) =>
      health === null
        ? styleText('yellow', `${url} does not respond`)
        : `${url} uses ${health.release ?? 'no release'}, seq ${health.seq ?? 'none'} (${String(health.status)})`,
    ),
  ];
  return [`${lists.length === 0 ? '' : formatLists(lists)}${lines.join('\n')}\n`, status];
}

function proposalLines({ proposals = {} }: Pick<StatusInfo, 'proposals'>): string[] {
  const { pending = 0, unreviewed = 0, revertFailed = 0 } = proposals;
  const line = (many: number, what: string): string[] => (many === 0 ? [] : [`${count(many)} ${what}`]);
  return [
    ...line(pending, 'proposals wait for a second person: npx numgate proposals list'),
    ...line(unreviewed, 'break-glass changes wait for a review: npx numgate proposals list').map((text) =>
      styleText('yellow', text),
    ),
    ...line(revertFailed, 'break-glass changes could not be taken back: npx numgate proposals list').map(
      (text) => styleText('red', text),
    ),
  ];
}

const STORAGE_ADVICE: Readonly<Record<StorageLevel, string | null>> = {
  normal: null,
  warning: 'more than half',
  critical: 'and will soon reject blocks and releases',
  full: 'and rejects blocks and releases',
};

function storageLines({ storageBytes, storageBytesMax, storageLevel = 'normal' }: StorageInfo): string[] {
  if (storageBytes === undefined || storageBytesMax === undefined) return [];
  const megabytes = (bytes: number): string => count(Math.ceil(bytes / 1_000_000));
  const line = `the coordinator stores ${megabytes(storageBytes)} of ${megabytes(storageBytesMax)} MB`;
  // A newer service may report another level.
  const advice = STORAGE_ADVICE[storageLevel] ?? null;
  if (advice === null) return [line];
  const colour = storageLevel === 'warning' ? 'yellow' : 'red';
  return [styleText(colour, `${line}, ${advice}: run audit export, then audit trim`)];
}
