/**
 * Routes that need no client: whether the service is fit to answer, and what it offers.
 */

import { MISSING_NAMED_MAX } from '../shared/limits.ts';
import type { Address } from './address.ts';
import { headNames } from './answers.ts';
import { type Call, currentHead } from './call.ts';
import type { Pinned } from './head.ts';
import { type Problem, problem } from './http.ts';
import openapi from './openapi.json' with { type: 'json' };
import { unloadable } from './shards.ts';

/**
 * 200 with the head once there is a release, 503 before. `degraded` where values of the release cannot be
 * loaded, which is 503 on `?strict`. It finds out by itself, also where nothing was asked about yet.
 */
export async function health(call: Call): Promise<Response> {
  const { reply, url } = call;
  const fail = (why: Problem): Response => reply.problem(why, url.pathname);
  const strict = isStrict(url);
  if (typeof strict !== 'boolean') return fail(strict);
  const pinned = await currentHead(call);
  if (pinned instanceof Response) return pinned;
  const { snapshot } = pinned;
  const { release, seq } = snapshot;
  if (release === null) {
    return fail(problem('UNAVAILABLE', 'no release is loaded: push one', { extras: { seq } }));
  }
  const { keys, lacking } = await unloadableKeys(pinned, call);
  const names = headNames(snapshot);
  if (keys.length === 0) return reply.json({ status: names.stale ? 'stale' : 'ok', ...names });
  const missing = keys.slice(0, MISSING_NAMED_MAX);
  if (!strict) return reply.json({ status: 'degraded', ...names, missing });
  const count = `${keys.length} value${keys.length === 1 ? '' : 's'}`;
  const path = `build/releases/${lacking ?? release}`;
  const message = `${count} of the release cannot be loaded: upload it again with "push ${path} --all"`;
  return fail(problem('DEGRADED', message, { extras: { seq, missing } }));
}

/** Whether the parameter `strict` is there; other parameters are ignored, as load balancers add some. */
function isStrict({ parameters }: Address): boolean | Problem {
  const [, value] = [...parameters].find(([name]) => name === 'strict') ?? [null, 'false'];
  if (value === 'false') return false;
  if (value === '' || value === 'true') return true;
  return problem('FIELD_VALUE', '"strict" must be "true", "false" or without a value', { field: 'strict' });
}

interface Unloadable {
  readonly keys: readonly string[];
  /** The first release that lacks one of them. */
  readonly lacking: string | null;
}

/** KV keys of the values that cannot be loaded: of the release that serves, and of one that is to take its place. */
async function unloadableKeys({ snapshot, pending }: Pinned, call: Call): Promise<Unloadable> {
  const releases = [...new Set([snapshot.release, pending])].filter((release) => release !== null);
  const blobs = await Promise.all(releases.map((release) => unloadable(release, call)));
  const lacking = releases.find((_, index) => blobs[index]!.length > 0)?.manifest.release ?? null;
  return { keys: [...new Set(blobs.flat().map(({ key }) => key))], lacking };
}

export async function describe({ reply }: Call): Promise<Response> {
  return reply.json(openapi);
}
