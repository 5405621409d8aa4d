/**
 * Routes that need no client: whether the service is fit to answer, and what it offers.
 */

import { headNames } from './answers.ts';
import { type Call, currentSnapshot } from './call.ts';
import { problem } from './http.ts';
import openapi from './openapi.json' with { type: 'json' };

/** 200 with the head once there is data, 503 before. */
export async function health(call: Call): Promise<Response> {
  const snapshot = await currentSnapshot(call);
  if (snapshot instanceof Response) return snapshot;
  if (snapshot.release === null) {
    const { seq } = snapshot;
    const unavailable = problem('UNAVAILABLE', 'no release is loaded: push one', { extras: { seq } });
    return call.reply.problem(unavailable, call.url.pathname);
  }
  const names = headNames(snapshot);
  return call.reply.json({ status: names.stale ? 'stale' : 'ok', ...names });
}

export async function describe({ reply }: Call): Promise<Response> {
  return reply.json(openapi);
}
