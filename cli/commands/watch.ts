/** `numgate watch`: follows the state of edges until a change is visible on all of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { checkUrl, serviceUrl } from '../environment.ts';
import { CommandFailure } from '../failure.ts';
import { print } from '../terminal/output.ts';
import { examples, wholeNumber } from './options.ts';

/** Longest wait for a change to become visible, in seconds. */
export const WAIT_SECONDS = 120;
/** Response timeout and pause between two requests, in ms. */
const RESPONSE_WAIT_MS = 3_000;
const INTERVAL_MS = 250;

interface WatchOptions {
  readonly url: readonly string[];
  readonly seq?: number;
  readonly timeout?: number;
}

export function addWatch(program: Command): void {
  program
    .command('watch')
    .addOption(edgeOption())
    .description('follow the state of edges, until they show a change or until Ctrl-C')
    .option('--seq <number>', 'stop when every edge shows this change', wholeNumber)
    .option(
      '--timeout <seconds>',
      `with --seq: give up after this long (default: ${WAIT_SECONDS})`,
      wholeNumber,
    )
    .addHelpText('after', examples('watch --seq 1842'))
    .action(async ({ url, seq, timeout }: WatchOptions) => {
      const urls = urlsOf(url);
      if (seq === undefined && timeout !== undefined) throw new CommandFailure('--timeout requires --seq', 2);
      if (seq === undefined) return watchChanges(urls);
      const visible = await watchUntil(urls, seq, (timeout ?? WAIT_SECONDS) * 1000);
      print(visible.map(formatSighting).join(''), { seq, visible });
    });
}

export function edgeOption(): Option {
  return new Option('--url <edge>', 'URL of an edge; repeatable')
    .argParser((text: string, before: readonly string[]) => [...before, checkUrl(text, '--url')])
    .default([], 'NUMGATE_URL');
}

/** The edges that the option names, or else the service. */
export function urlsOf(url: readonly string[]): readonly string[] {
  return url.length === 0 ? [serviceUrl()] : url;
}

/** The `/healthz` response of an edge. `healthOf` returns null if the edge did not respond. */
export type Health = Readonly<Record<string, unknown>> & {
  readonly seq?: number;
  readonly release?: string | null;
};

export async function healthOf(url: string): Promise<Health | null> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/healthz`, {
      signal: AbortSignal.timeout(RESPONSE_WAIT_MS),
    });
    return (await response.json()) as Health;
  } catch {
    return null;
  }
}

/** What an edge shows. `seq` is null if it has no data or does not respond. */
export interface EdgeSighting<Seq extends number | null = number> {
  readonly url: string;
  readonly seq: Seq;
  readonly release: string | null;
  /** Time since the watch began. */
  readonly afterMs: number;
}

/** Waits until every edge shows this change or a later one. @throws CommandFailure on timeout */
export async function watchUntil(
  urls: readonly string[],
  seq: number,
  timeoutMs: number,
): Promise<EdgeSighting[]> {
  const begin = Date.now();
  const watchOne = async (url: string): Promise<EdgeSighting> => {
    for (;;) {
      const health = await healthOf(url);
      const afterMs = Date.now() - begin;
      const { seq: shown = null, release = null } = health ?? {};
      if (shown !== null && shown >= seq) return { url, seq: shown, release, afterMs };
      if (afterMs > timeoutMs) {
        const state = health === null ? 'does not respond' : `shows seq ${shown ?? 'none'}`;
        const seconds = Math.round(afterMs / 1000);
        throw new CommandFailure(`${url} ${state} after ${seconds} s: seq ${seq} is not visible there`);
      }
      await pause(INTERVAL_MS);
    }
  };
  return Promise.all(urls.map(watchOne));
}

/** Prints every change of the head that an edge uses, and never returns. */
async function watchChanges(urls: readonly string[]): Promise<void> {
  const begin = Date.now();
  const watchOne = async (url: string): Promise<void> => {
    let last = '';
    for (;;) {
      const { seq = null, release = null } = (await healthOf(url)) ?? {};
      const shown = { url, seq, release };
      if (JSON.stringify(shown) !== last) {
        const sighting = { ...shown, afterMs: Date.now() - begin };
        print(formatSighting(sighting), sighting);
      }
      last = JSON.stringify(shown);
      await pause(INTERVAL_MS);
    }
  };
  await Promise.all(urls.map(watchOne));
}

export function formatSighting({ url, seq, release, afterMs }: EdgeSighting<number | null>): string {
  const seconds = (afterMs / 1000).toFixed(1);
  if (seq === null) return `${seconds} s  ${url} has no data or does not respond\n`;
  return `${seconds} s  ${url} shows seq ${seq}, release ${release ?? 'none'}\n`;
}
