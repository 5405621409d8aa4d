/**
 * `GET` and `POST /v1/check`: one question, one answer.
 */
import { CHECK_BODY_BYTES_MAX } from '../shared/limits.ts';
import { type Asked, NO_DEFAULTS, nameOf, readQuestion } from '../shared/question.ts';
import type { Blob } from '../shared/release/manifest.ts';
import type { Question, Snapshot } from '../shared/screen.ts';
import { answerLine, headNames, nameHead } from './answers.ts';
import { readJson } from './body.ts';
import type { ClientCall } from './call.ts';
import { noParameter, problem } from './http.ts';
import { ensure, ensureAll } from './shards.ts';

export async function checkPost(call: ClientCall): Promise<Response> {
  const parameter = noParameter(call.url);
  if (parameter !== null) return call.reply.problem(parameter, call.url.pathname);
  const body = await readJson(call.request, CHECK_BODY_BYTES_MAX);
  if (!body.ok) return call.reply.problem(problem(body.code, body.message), call.url.pathname);
  return answer(call, readQuestion(body.value, NO_DEFAULTS, false));
}

export async function checkGet(call: ClientCall): Promise<Response> {
  // Without a prototype: `__proto__` is a name as any other.
  const given: Record<string, string> = Object.create(null);
  for (const [name, value] of call.url.searchParams) {
    if (Object.hasOwn(given, name)) {
      const field = nameOf(name);
      return call.reply.problem(
        problem('FIELD_TYPE', `${field} is given twice`, { field }),
        call.url.pathname,
      );
    }
    // A plus that was not percent-encoded comes as a space; no number begins with one.
    given[name] = value.replace(/^ (?=[1-9])/, '+');
  }
  return answer(call, readQuestion(given, NO_DEFAULTS, false));
}

async function answer(call: ClientCall, asked: Asked): Promise<Response> {
  const { reply, url, request } = call;
  if (asked.error !== null) {
    const { code, field, message } = asked.error;
    return reply.problem(problem(code, message, { field }), url.pathname);
  }
  const refused = call.charge(1);
  if (refused !== null) return refused;
  const snapshot = await call.snapshot();
  await load(call, snapshot, asked.question);
  const answered = call.screen(asked.question, snapshot);
  if (prefersText(request)) {
    nameHead(reply, snapshot);
    return reply.text(answerLine(answered));
  }
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
  // Asked for last: only six reads of a request are under way at once.
  ctx.waitUntil(ensureAll(release, env.LISTS, ctx));
}

function prefersText(request: Request): boolean {
  const accept = request.headers.get('accept') ?? '';
  return accept.includes('text/plain') && !accept.includes('json');
}
