/**
 * `numgate feed`: follows the feed of another installation, and turns it into lists for `build`. NUMGATE_FEED_KEY has the
 * key of a client of that installation, with the right `feed`.
 */
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LISTS_MAX } from '../../shared/limits/lists.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { checkUrl, LOCAL_HOST, skipProxy } from '../environment.ts';
import { CommandFailure } from '../failure.ts';
import { openVerifiers, readFeedKeys } from '../feed/keys.ts';
import { writeLists } from '../feed/list-files.ts';
import { LIST_DEFAULTS, type ListSettings, planLists } from '../feed/lists.ts';
import { lockFolder } from '../feed/lock.ts';
import { type Pulled, Puller, statePath } from '../feed/puller.ts';
import { FeedSource } from '../feed/source.ts';
import { type PulledState, readState } from '../feed/state-file.ts';
import { planTexts } from '../feed/text-files.ts';
import { FEED } from '../paths.ts';
import { privateFolder } from '../private-files.ts';
import { ownTextKeyId } from '../secrets.ts';
import { counted } from '../terminal/figures.ts';
import { note, print } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { formatPulled, formatStatus } from './feed-report.ts';
import { verifyFeedFiles } from './feed-verify.ts';
import { examples, positiveNumber } from './options.ts';

/** How long a request waits for the next event with --follow, in ms. */
const POLL_MS = 20_000;
/** Pause between two requests while there are events, so that one request gets several events, in ms. */
const GATHER_MS = 1_000;
/** Pause if the service answers a request that should wait at once, in ms. */
const BUSY_MS = 5_000;
/** Default of --every: shortest time between two writes of the lists with --follow, in seconds. */
const LISTS_EVERY_S = 300;

interface KeyOptions {
  readonly jwk?: string;
  readonly verifierKey: readonly string[];
}

interface PullOptions extends KeyOptions {
  readonly out: string;
  readonly follow: boolean;
  readonly every: number;
  readonly listsMax: number;
  readonly unblocks: boolean;
  readonly authority?: string;
  readonly prefix: string;
}

export function addFeed(program: Command): void {
  const feed = program
    .command('feed')
    .description('follow the feed of another installation, and make lists from it');

  addKeyOptions(addOutOption(feed.command('pull')))
    .description('pull the changes of a feed since the last pull, and write lists for build')
    .argument('<url>', 'URL of the other installation', urlOf)
    .option('--follow', 'keep pulling, until Ctrl-C', false)
    .option(
      '--every <seconds>',
      'with --follow: write lists at most this often',
      positiveNumber,
      LISTS_EVERY_S,
    )
    .option('--no-unblocks', 'do not make allow lists of numbers that the other installation unblocked')
    .option('--authority <name>', 'list all entries under this authority, instead of their own', nameOf)
    .option('--prefix <name>', 'prefix of the names of all lists', nameOf, LIST_DEFAULTS.prefix)
    .option('--lists-max <count>', 'maximum number of lists', listCount, LIST_DEFAULTS.listsMax)
    .addHelpText(
      'after',
      `
Environment:
  NUMGATE_FEED_KEY  key of a client of the other installation with the right "feed" (required)
  TEXT_KEY          if set, leave out campaigns that were made with another TEXT_KEY, which this installation cannot recognise

The events must form a chain that leads to a checkpoint that the other installation has signed. If they do not, the pull
fails, and the state and the lists stay unchanged. If a pull is interrupted, the next one continues where it stopped.`,
    )
    .addHelpText(
      'after',
      examples(
        'feed pull https://control.example.com --jwk feed.jwk --verifier-key "example+1f2e3d4c+AbCd…"',
        'build build/feed/current/feed.lists.json',
      ),
    )
    .action(pull);

  addOutOption(feed.command('status'))
    .description('show how far the pulls have got, without contacting the other installation')
    .addHelpText('after', examples('feed status'))
    .action(async ({ out }: { readonly out: string }) => print(...formatStatus(await stateIn(out))));

  addKeyOptions(feed.command('verify'))
    .description('verify kept pages, statements and checkpoints of a feed (works offline)')
    .argument('<files...>', 'pages (JSON) in order, and signed notes')
    .addHelpText(
      'after',
      `
Each page must follow the previous page. Put each checkpoint into a separate file; it must be of one of the events. Prints
which events a checkpoint covers.`,
    )
    .addHelpText(
      'after',
      examples('feed verify page-1.json page-2.json checkpoint.txt --verifier-key "example+1f2e3d4c+AbCd…"'),
    )
    .action(async (files: string[], options: KeyOptions) => {
      print(...(await verifyFeedFiles(files, await keysOf(options))));
    });
}

function addOutOption(command: Command): Command {
  return command.option('--out <folder>', 'folder for the state and the lists', FEED);
}

function addKeyOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--jwk <file>',
        'key that decrypts the feed: a JWK or a JWK Set; without it, the data must not be encrypted',
      ).env('NUMGATE_FEED_JWK'),
    )
    .addOption(
      new Option('--verifier-key <key>', 'public key that verifies the checkpoints (required; repeatable)')
        .argParser((text: string, before: readonly string[] = []) => [...before, text])
        .default([], 'none'),
    );
}

function urlOf(text: string): string {
  const url = new URL(checkUrl(text, '<url>'));
  const isLocal = ['localhost', LOCAL_HOST, '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !isLocal)
    throw new CommandFailure(
      '<url> must begin with https://, because requests carry the key of the client',
      2,
    );
  if (url.username !== '' || url.search !== '' || url.hash !== '')
    throw new CommandFailure('<url> must have no user, query or fragment', 2);
  // Also accept the URL of the feed itself.
  return text.replace(/\/v1\/feed\/?$/, '');
}

function nameOf(text: string): string {
  if (NAME_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('must have only lower case letters, digits and dashes, at most 63');
}

function listCount(text: string): number {
  const value = positiveNumber(text);
  if (value > LISTS_MAX) throw new InvalidArgumentError(`must be at most ${LISTS_MAX}`);
  return value;
}

async function keysOf({ jwk, verifierKey }: KeyOptions) {
  if (verifierKey.length === 0)
    throw new CommandFailure("required option '--verifier-key <key>' not specified", 2);
  return {
    keys: jwk === undefined ? null : await readFeedKeys(jwk),
    verifiers: await openVerifiers(verifierKey),
  };
}

async function pull(url: string, options: PullOptions): Promise<void> {
  const clientKey = process.env.NUMGATE_FEED_KEY?.trim() || null;
  if (clientKey === null) {
    throw new CommandFailure(
      'NUMGATE_FEED_KEY is not set: set it to the key of a client of the other installation that has the right "feed"',
      2,
    );
  }
  const keys = await keysOf(options);
  skipProxy();
  const { out, follow } = options;
  privateFolder(out);
  const unlock = lockFolder(out);
  try {
    // With --follow, a pull also waits for a service that is down for longer.
    const patience = follow ? { patienceMs: Number.POSITIVE_INFINITY } : {};
    const source = new FeedSource({ url, clientKey, ...patience });
    const progress = startProgress('pulling');
    const puller = new Puller({ ...keys, source, folder: out, onProgress: progress.update });
    const first = await puller.pull().finally(() => progress.stop());
    await report(first, options);
    if (follow) await followFeed(puller, options);
  } finally {
    unlock();
  }
}

/** Pulls whenever there are events, and never returns. */
async function followFeed(puller: Puller, options: PullOptions): Promise<void> {
  const everyMs = options.every * 1000;
  let listsAt = performance.now() + everyMs;
  /** The pulls since the lists were last written. */
  const news: Pulled[] = [];
  for (;;) {
    const leftMs = listsAt - performance.now();
    if (news.length > 0 && leftMs <= 0) {
      await report(joined(news.splice(0)), options);
      listsAt = performance.now() + everyMs;
      continue;
    }
    const waitMs = news.length === 0 ? POLL_MS : Math.min(POLL_MS, leftMs);
    const begin = performance.now();
    if (!(await puller.wait(Math.ceil(waitMs)))) {
      // The service has answered at once, because too many consumers wait already.
      if (performance.now() - begin < waitMs / 2) await pause(BUSY_MS);
      continue;
    }
    const pulled = await puller.pull();
    if (pulled.events > 0 || pulled.isSnapshot) news.push(pulled);
    await pause(GATHER_MS);
  }
}

function joined(pulls: readonly Pulled[]): Pulled {
  return {
    state: pulls.at(-1)!.state,
    events: pulls.reduce((sum, { events }) => sum + events, 0),
    isSnapshot: pulls.some(({ isSnapshot }) => isSnapshot),
    bytes: pulls.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Writes the lists, and reports what has changed. */
async function report(pulled: Pulled, options: PullOptions): Promise<void> {
  const { place, entries } = pulled.state;
  const settings: ListSettings = {
    prefix: options.prefix,
    listsMax: options.listsMax,
    unblocks: options.unblocks,
    authority: options.authority ?? null,
  };
  const plan = planLists(entries, settings);
  entries.texts.prune(Date.now());
  const texts = planTexts(entries.texts, await ownTextKeyId(), settings);
  const written = writeLists(options.out, plan, texts, entries, place);
  for (const [code, many] of Object.entries(plan.unknownCodes))
    note(`${counted(many, 'entry')} left out: this version does not know the code ${code}\n`);
  if (texts.foreign > 0)
    note(
      `${counted(texts.foreign, 'campaign')} left out: they were made with another TEXT_KEY. All members of a ` +
        'community must set the same TEXT_KEY\n',
    );
  print(...formatPulled(pulled, plan, texts, written));
}

async function stateIn(folder: string): Promise<PulledState> {
  const path = statePath(folder);
  if (!existsSync(path)) throw new CommandFailure(`${path} does not exist: numgate feed pull creates it`);
  return readState(path);
}
