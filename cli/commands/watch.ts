/** `numgate watch`: polls edges until a change is visible on all of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { CommandFailure } from '../failure.ts';

/** Response timeout and pause between two requests, in ms. */
const ANSWER_WAIT_MS = 3_000;
const INTERVAL_MS = 250;

/** The `/healthz` response of an edge. `healthOf` returns null if the edge did not respond. */
export type Health = Readonly<Record<string, unknown>> & {
  readonly seq?: number;
  readonly release?: string | null;
};

export async function healthOf(url: string): Promise<Health | null> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/healthz`, {
      signal: AbortSignal.timeout(ANSWER_WAIT_MS),
    });
    return (await response.json()) as Health;
  } catch {
    return null;
  }
}

/** An edge shows a change. */
export interface EdgeSighting {
  readonly url: string;
  readonly seq: number;
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
      if ((health?.seq ?? -1) >= seq) {
        return { url, seq: health!.seq!, release: health!.release ?? null, afterMs };
      }
      if (afterMs > timeoutMs) {
        const shown = health === null ? 'does not answer' : `shows seq ${health.seq ?? 'none'}`;
        throw new CommandFailure(
          `${url} ${shown} after ${Math.round(afterMs / 1000)} s: seq ${seq} is not visible there`,
        );
      }
      await pause(INTERVAL_MS);
    }
  };
  return Promise.all(urls.map(watchOne));
}

/** Reports every change of the head that an edge uses, without end. */
export async function watchChanges(
  urls: readonly string[],
  onChange: (seen: Omit<EdgeSighting, 'seq'> & { readonly seq: number | null }) => void,
): Promise<void> {
  const begin = Date.now();
  const watchOne = async (url: string): Promise<void> => {
    let last = '';
    for (;;) {
      const health = await healthOf(url);
      const shown = { url, seq: health?.seq ?? null, release: health?.release ?? null };
      if (JSON.stringify(shown) !== last) onChange({ ...shown, afterMs: Date.now() - begin });
      last = JSON.stringify(shown);
      await pause(INTERVAL_MS);
    }
  };
  await Promise.all(urls.map(watchOne));
}
