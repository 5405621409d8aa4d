/**
 * `/healthz`: whether this isolate has the data to answer from.
 */

import { type FieldError, fieldError } from '../../shared/fields.ts';
import { MISSING_NAMED_MAX } from '../../shared/limits/edge.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { Answer, RequestContext } from '../http/app.ts';
import { problem } from '../http/reply.ts';
import type { RequestUrl } from '../http/request-url.ts';
import type { PinnedHead } from './head/head-reader.ts';
import { unloadable } from './head/shards.ts';
import { headVersion } from './head-version.ts';
import { currentIsolate } from './isolate.ts';

/**
 * 200 with the head version once there is a release, 503 before. `degraded` if values of the release cannot be loaded;
 * with `?strict`, that is 503. Tries to load values, including those that no request has needed yet. Also names refused
 * values of the text release and the campaigns, but never answers 503 for them, because checks continue.
 */
export async function health(context: RequestContext): Promise<Answer> {
  const { reply, url } = context;
  const strict = isStrict(url);
  if (!strict.ok) return strict;
  const isolate = currentIsolate();
  const loadContext = await isolate.loadContext(context);
  if (!loadContext.ok) return loadContext;
  const pinned = await isolate.head.pin(loadContext.value);
  const { release, seq } = pinned.snapshot;
  const keyIds = loadContext.value.secrets.keys.ids;
  if (release === null)
    return problem('UNAVAILABLE', 'no release is loaded: push one', { extras: { seq, keyIds } });
  const [{ keys, lacking }, textProblems] = await Promise.all([
    unloadableKeys(pinned, context),
    isolate.head.text.problems(loadContext.value),
  ]);
  const version = {
    ...{ ...headVersion(pinned.snapshot), keyIds },
    ...(textProblems.length === 0 ? {} : { textProblems }),
  };
  if (keys.length === 0) {
    const status = version.stale ? 'stale' : 'ok';
    return reply.json({ status: textProblems.length === 0 ? status : 'degraded', ...version });
  }
  const missing = keys.slice(0, MISSING_NAMED_MAX);
  if (!strict.value) return reply.json({ status: 'degraded', ...version, missing });
  const count = `${keys.length} value${keys.length === 1 ? '' : 's'}`;
  const path = `build/releases/${lacking ?? release.manifest.release}`;
  const message = `${count} of the release cannot be loaded: upload it again with "push ${path} --all"`;
  return problem('DEGRADED', message, { extras: { seq, missing } });
}

/**
 * Whether the parameter `strict` is present. Other parameters are ignored, because some load balancers add
 * them.
 */
function isStrict({ parameters }: RequestUrl): Result<boolean, FieldError> {
  const [, value] = [...parameters].find(([name]) => name === 'strict') ?? [null, 'false'];
  if (value === 'false') return ok(false);
  if (value === '' || value === 'true') return ok(true);
  return fieldError('FIELD_VALUE', 'strict', 'must be "true" or "false", or have no value');
}

/** KV keys of the values that cannot be loaded, of the release in use and of the release that will replace it. */
async function unloadableKeys({ snapshot, pending }: PinnedHead, context: RequestContext) {
  const releases = [...new Set([snapshot.release, pending])].filter((release) => release !== null);
  const blobs = await Promise.all(releases.map((release) => unloadable(release, context)));
  /** The first release that lacks one of the values. */
  const lacking = releases.find((_, index) => blobs[index]!.length > 0)?.manifest.release ?? null;
  return { keys: [...new Set(blobs.flat().map(({ key }) => key))], lacking };
}
