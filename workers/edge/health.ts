/**
 * Routes that need no client: the health check and the API description.
 */

import { MISSING_NAMED_MAX } from '../../shared/limits.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { RequestUrl } from '../http/request-url.ts';
import openapi from '../openapi.json' with { type: 'json' };
import { currentHead, type RequestContext } from './context.ts';
import { headVersion } from './format.ts';
import type { PinnedHead } from './head/head-reader.ts';
import { unloadable } from './head/shards.ts';

/**
 * 200 with the head once there is a release, 503 before. `degraded` if values of the release cannot be
 * loaded; with `?strict`, that is 503. It tries values itself, including those that no request has needed
 * yet.
 */
export async function health(context: RequestContext): Promise<Response> {
  const { reply, url } = context;
  const fail = (why: Problem): Response => reply.problem(why, url.pathname);
  const strict = isStrict(url);
  if (typeof strict !== 'boolean') return fail(strict);
  const pinned = await currentHead(context);
  if (pinned instanceof Response) return pinned;
  const { snapshot } = pinned;
  const { release, seq } = snapshot;
  if (release === null) {
    return fail(problem('UNAVAILABLE', 'no release is loaded: push one', { extras: { seq } }));
  }
  const { keys, lacking } = await unloadableKeys(pinned, context);
  const names = headVersion(snapshot);
  if (keys.length === 0) return reply.json({ status: names.stale ? 'stale' : 'ok', ...names });
  const missing = keys.slice(0, MISSING_NAMED_MAX);
  if (!strict) return reply.json({ status: 'degraded', ...names, missing });
  const count = `${keys.length} value${keys.length === 1 ? '' : 's'}`;
  const path = `build/releases/${lacking ?? release}`;
  const message = `${count} of the release cannot be loaded: upload it again with "push ${path} --all"`;
  return fail(problem('DEGRADED', message, { extras: { seq, missing } }));
}

/**
 * Whether the parameter `strict` is present. Other parameters are ignored, because some load balancers add
 * them.
 */
function isStrict({ parameters }: RequestUrl): boolean | Problem {
  const [, value] = [...parameters].find(([name]) => name === 'strict') ?? [null, 'false'];
  if (value === 'false') return false;
  if (value === '' || value === 'true') return true;
  return problem('FIELD_VALUE', '"strict" must be "true", "false" or without a value', { field: 'strict' });
}

interface Unloadable {
  readonly keys: readonly string[];
  /** The first release that lacks one of the values. */
  readonly lacking: string | null;
}

/** KV keys of the values that cannot be loaded, for the release in use and the one that is to replace it. */
async function unloadableKeys(
  { snapshot, pending }: PinnedHead,
  context: RequestContext,
): Promise<Unloadable> {
  const releases = [...new Set([snapshot.release, pending])].filter((release) => release !== null);
  const blobs = await Promise.all(releases.map((release) => unloadable(release, context)));
  const lacking = releases.find((_, index) => blobs[index]!.length > 0)?.manifest.release ?? null;
  return { keys: [...new Set(blobs.flat().map(({ key }) => key))], lacking };
}

export async function describe({ reply }: RequestContext): Promise<Response> {
  return reply.json(openapi);
}
