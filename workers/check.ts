/**
 * `GET` and `POST /v1/check`: one question, one answer.
 */
import { CHECK_BODY_BYTES_MAX } from '../shared/limits.ts';
import { type Asked, NO_DEFAULTS, readQuestion } from '../shared/question.ts';
import type { Blob } from '../shared/release/manifest.ts';
import { type Question, type Snapshot, screen } from '../shared/screen.ts';
import { answerLine, headNames } from './answers.ts';
import { readJson } from './body.ts';
import type { ClientCall } from './call.ts';
import { problem } from './http.ts';
import { ensure } from './shards.ts';

export async function checkPost(call: ClientCall): Promise<Response> {
  const body = await readJson(call.request, CHECK_BODY_BYTES_MAX);
  if (!body.ok) return call.reply.problem(problem(body.code, body.message), call.url.pathname);
  return answer(call, readQuestion(body.value, NO_DEFAULTS, false));
}

export async function checkGet(call: ClientCall): Promise<Response> {
  const params = call.url.searchParams;
  const repeated = [...params.keys()].find((name) => params.getAll(name).length > 1);
  if (repeated !== undefined) {
    const field = repeated.slice(0, 64);
    return call.reply.problem(problem('FIELD_TYPE', `${field} is given twice`, { field }), call.url.pathname);
  }
  return answer(call, readQuestion(Object.fromEntries(params), NO_DEFAULTS, false));
}

async function answer(call: ClientCall, asked: Asked): Promise<Response> {
  const { reply, url, request, client } = call;
  if (asked.error !== null) {
    const { code, field, message } = asked.error;
    return reply.problem(problem(code, message, { field }), url.pathname);
  }
  const refused = call.charge(1);
  if (refused !== null) return refused;
  const snapshot = await call.snapshot();
  await load(call, snapshot, asked.question);
  const answered = screen(asked.question, snapshot, client);
  if (prefersText(request)) return reply.text(answerLine(answered));
  return reply.json({ ...answered, ...headNames(snapshot) });
}

/** Have what this question needs: nothing to do once the release is loaded whole. */
async function load({ env, ctx }: ClientCall, { release }: Snapshot, { from, to }: Question): Promise<void> {
  if (release === null || release.complete) return;
  const { ranges, sources } = release.manifest;
  const needed: (Blob | null)[] = [ranges];
  for (const party of [from, to]) {
    if (party?.kind === 'number') needed.push(release.blobFor(party.n));
    if (party?.kind === 'source') needed.push(sources);
  }
  await ensure(
    release,
    needed.filter((blob) => blob !== null),
    env.LISTS,
    ctx,
  );
}

function prefersText(request: Request): boolean {
  const accept = request.headers.get('accept') ?? '';
  return accept.includes('text/plain') && !accept.includes('json');
}
