/** `numgate status`: the head according to the coordinator, and the head that each edge uses. */
import type { Command } from 'commander';
import type { MeInfo } from '../../shared/admin/actor.ts';
import type { ListsInfo } from '../../shared/admin/releases.ts';
import type { RegistrationsInfo, StatusInfo } from '../../shared/admin/status.ts';
import type { TextStatus } from '../../shared/admin/text.ts';
import { RULE_ENTRIES_MAX } from '../../shared/limits/control.ts';
import { REGISTERED_WARNING_SHARE, REGISTRATION_BUILD_SHARE } from '../../shared/limits/registrations.ts';
import { inspectionDay } from '../../shared/senders/qualification.ts';
import type { StorageInfo, StorageLevel } from '../../shared/storage-level.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, orNull } from '../failure.ts';
import { count, counted, percent } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatLists } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { formatEnd } from './key-options.ts';
import { examples } from './options.ts';
import { identityOf } from './ownership.ts';
import { edgeOption, type Health, healthOf, urlsOf } from './watch.ts';

type Usage = RegistrationsInfo['used'];

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
      if (silent.length > 0) throw new CommandFailure(`no response from ${silent.join(', ')}: check --url`);
    });
}

export interface Status extends StatusInfo, Pick<ListsInfo, 'lists'> {
  /** The identity behind the token; null if the service is too old to say. */
  readonly me: MeInfo | null;
  /** The state of text risk; null if the service is too old to report it. */
  readonly text: TextStatus | null;
  readonly url: string;
  readonly edges: readonly { readonly url: string; readonly health: Health | null }[];
}

/** @param urls of the edges */
async function loadStatus(admin: Admin, urls: readonly string[]): Promise<Status> {
  const [info, me, text, { lists }, ...edges] = await Promise.all([
    admin.get<StatusInfo>('status'),
    identityOf(admin),
    orNull(admin.get<TextStatus>('text/status')),
    admin.get<ListsInfo>('lists'),
    ...urls.map(async (url) => ({ url, health: await healthOf(url) })),
  ]);
  return { ...info, me, text, lists, url: admin.url, edges };
}

export function formatStatus(status: Status): Report {
  const { current, candidate, seq, changedAt, lists, live, clients, kvSeq, audit, edges } = status;
  const { trimmedTo = 0 } = audit;
  const { expiring = [] } = status;
  const lines = [
    current === null
      ? 'no release is current: run npx numgate build, prove and push'
      : `${styleText('bold', current.release)} is current since ${current.promotedAt}, by ${current.by}`,
    ...(candidate === null
      ? []
      : [
          `${styleText('bold', candidate.release)} is the canary in ${percent(candidate.share)} of the data centres`,
        ]),
    `seq ${seq}${changedAt === null ? '' : `, changed ${changedAt}`}; the copy in KV has ${kvSeq}`,
    `${count(live.entries)} live ${live.entries === 1 ? 'entry' : 'entries'} in ${counted(live.segments, 'segment')}, ` +
      `${live.tail} unsealed${live.rules ? `, ${count(live.rules)} of rules` : ''}; ${counted(clients, 'client')}`,
    `audit log: ${count(audit.n)} records, last hash ${audit.hash}` +
      (trimmedTo === 0 ? '' : `; records up to ${count(trimmedTo)} were trimmed`),
    ...evidenceLines(audit),
    ...storageLines(status),
    ...registrationLines(status),
    ...responseLines(status),
    ...textLines(status),
    ...rotationLines(status),
    ...(status.me === null ? [] : [formatIdentity(status.me)]),
    ...expiring.map(({ kind, id, expires }) => styleText('yellow', `${kind} ${id} ${formatEnd(expires)}`)),
    ...dueLines(status),
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

function formatIdentity({ name, organisation, authority, scopes }: MeInfo): string {
  if (organisation === null) return `signed in as ${name}, for all authorities`;
  const lists = authority === null ? 'has no authority' : `may change lists and entries of ${authority}`;
  return `signed in as ${name} of ${organisation}, which ${lists}; scopes: ${scopes.join(', ') || 'none'}`;
}

/** The newest checkpoint, and how far the log was exported. Older services report neither. */
function evidenceLines({ n, checkpoint, checkpointKey, exports = [] }: StatusInfo['audit']): string[] {
  const none = checkpointKey ? 'no checkpoint yet' : 'no checkpoints: CHECKPOINT_KEY is not set';
  return [
    ...(checkpoint === undefined
      ? []
      : [
          checkpoint === null
            ? none
            : `last checkpoint: ${count(checkpoint.size)} records, at ${checkpoint.at}`,
        ]),
    ...exports.map(({ sink, n: exported, at, error, failures }) => {
      const line = `export to ${sink}: ${count(exported)} of ${count(n)} records${at === null ? '' : `, at ${at}`}`;
      return error === null
        ? line
        : styleText('yellow', `${line}; ${count(failures)} failed attempts: ${error}`);
    }),
  ];
}

/** Inspections and ends of qualifications. Older services do not report them. */
function dueLines({ dueQualifications = [] }: StatusInfo): string[] {
  return dueQualifications.map(({ organisation, due, at }) => {
    if (due === 'end') return styleText('yellow', `the qualification of ${organisation} ends at ${at}`);
    const isOverdue = Date.parse(at) <= Date.now();
    const words = isOverdue ? 'is overdue since' : 'is due by';
    return styleText(
      isOverdue ? 'red' : 'yellow',
      `the inspection of ${organisation} ${words} ${inspectionDay(at)}`,
    );
  });
}

/** Returns no lines without registered senders. Older services do not report them. */
function registrationLines({ registrations }: StatusInfo): string[] {
  if (registrations === undefined || registrations.version === 0) return [];
  const { refused, used } = registrations;
  return [
    ...changeLines(registrations),
    usageLine(used),
    ...refused.map(({ organisation, since }) =>
      styleText(
        'red',
        `the registry has refused the changes of ${organisation} since ${since} because of a defect in the service: newer changes of ${organisation} are not published`,
      ),
    ),
  ];
}

/** The registered senders in force, which the next build takes. */
function usageLine({ pairs, pairsMax, ranges, rangesMax, mostPairs, mostRanges }: Usage): string {
  const line =
    `registered senders in force: ${count(pairs)} of ${count(pairsMax)} pairs of number and client, ` +
    `${count(ranges)} of ${count(rangesMax)} ranges`;
  const warnings = [
    ...(pairs < pairsMax * REGISTERED_WARNING_SHARE
      ? []
      : [`most pairs: ${mostPairs.map((each) => `${each.organisation} ${count(each.pairs)}`).join(', ')}`]),
    ...(ranges < rangesMax * REGISTERED_WARNING_SHARE
      ? []
      : [
          `most ranges: ${mostRanges.map((each) => `${each.organisation} ${count(each.ranges)}`).join(', ')}`,
        ]),
  ];
  if (warnings.length === 0) return line;
  return styleText('yellow', [line, ...warnings, 'above these limits, builds fail'].join('; '));
}

/** The changes since the releases, and the room for them. */
function changeLines(registrations: RegistrationsInfo): string[] {
  const { version, changes, additionsMax, changesMax, waiting } = registrations;
  const line = `registered senders: version ${version}, ${count(changes)} of ${count(additionsMax)} changes since the releases`;
  const isFull = changes >= changesMax;
  const who = waiting.map(({ organisation, since }) => `${organisation} since ${since}`).join(', ');
  if (waiting.length > 0 || isFull) {
    const what = isFull ? 'nothing more is published' : 'additions wait';
    const whose = who === '' ? '' : ` (${who})`;
    return [styleText('red', `${line}; ${what}${whose}: build, push and promote a release, three times`)];
  }
  if (changes < additionsMax * REGISTRATION_BUILD_SHARE) return [line];
  return [styleText('yellow', `${line}: build, push and promote a release soon`)];
}

/** The state of rule blocks. Omits the counts before the first rule block. Older services do not report any of this. */
function responseLines({ response, live }: StatusInfo): string[] {
  if (response === undefined) return [];
  const { proposed, provisional, confirmed, shadow, decisions, unsent, rulesFullSince, keyIds } = response;
  const waiting = decisions + unsent;
  const isUnused = proposed + provisional + confirmed + shadow + waiting === 0;
  const line =
    `rule blocks: ${count(provisional)} provisional, ${count(confirmed)} confirmed; ` +
    `${count(live.rules ?? 0)} of ${count(RULE_ENTRIES_MAX)} live entries of rules`;
  return [
    ...(isUnused ? [] : [waiting === 0 ? line : `${line}; ${counted(waiting, 'change')} not sent yet`]),
    ...(proposed === 0
      ? []
      : [
          styleText(
            'yellow',
            `${counted(proposed, 'rule block')} wait${proposed === 1 ? 's' : ''} for a person: npx numgate rule-blocks list --state proposed`,
          ),
        ]),
    ...(rulesFullSince === null
      ? []
      : [
          styleText(
            'red',
            `rules have proposed blocks instead of setting them since ${rulesFullSince}, because there is no room: build and push a release`,
          ),
        ]),
    ...(keyIds.length > 0
      ? []
      : [styleText('red', 'the key of reports is lost: LIST_KEY lacks the key that opens it')]),
  ];
}

/** Returns no lines if text risk was never used. */
function textLines({ text }: Status): string[] {
  if (text === null || text.version === 0) return [];
  const { version, published, current, candidate, campaigns } = text;
  const canary =
    candidate === null
      ? ''
      : `; ${candidate.release} is the canary in ${percent(candidate.share)} of the data centres`;
  const line =
    `text risk: ${current === null ? 'no release' : `release ${current}`}${canary}; ` +
    counted(campaigns.confirmed ?? 0, 'confirmed campaign');
  if (published === version) return [line];
  return [
    styleText('yellow', `${line}; the data centres still get state ${published} instead of ${version}`),
  ];
}

/** The next step of an unfinished rotation of LIST_KEY. */
function rotationLines({ listKeys, current }: StatusInfo): string[] {
  if (listKeys === undefined || listKeys.ids.length < 2) return [];
  const { ids, rotated } = listKeys;
  const isMoved = rotated?.to === ids[0] && (current === null || current.keyId === ids[0]);
  const next = isMoved ? 'finish' : 'rotate <catalogue> --reason "…"';
  const line = `LIST_KEY is being rotated: the service has the keys ${ids.join(', ')}; next: npx numgate list-key ${next}`;
  return [styleText('yellow', line)];
}

function proposalLines({ proposals = {} }: Pick<StatusInfo, 'proposals'>): string[] {
  const { pending = 0, unreviewed = 0, revertFailed = 0 } = proposals;
  const line = (many: number, one: string, several: string): string[] =>
    many === 0 ? [] : [`${count(many)} ${many === 1 ? one : several}: npx numgate proposals list`];
  const [change, changes] = ['break-glass change', 'break-glass changes'];
  return [
    ...line(pending, 'proposal waits for a second person', 'proposals wait for a second person'),
    ...line(unreviewed, `${change} waits for a review`, `${changes} wait for a review`).map((text) =>
      styleText('yellow', text),
    ),
    ...line(revertFailed, `${change} could not be reverted`, `${changes} could not be reverted`).map((text) =>
      styleText('red', text),
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
