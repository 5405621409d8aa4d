/**
 * `GET` and `POST` of `/v1/check` and `/v1/gateway/check`: one question, one answer.
 */
import { readQuestion } from '../shared/asked.ts';
import type { Answer } from '../shared/decision.ts';
import { nameOf } from '../shared/fields.ts';
import { CHECK_BODY_BYTES_MAX } from '../shared/limits.ts';
import { parseParty } from '../shared/numbers/parse.ts';
import { isValidNumber } from '../shared/numbers/validity.ts';
import type { Question } from '../shared/question.ts';
import type { Snapshot } from '../shared/snapshot.ts';
import type { Address } from './address.ts';
import { answerLine, headNames, nameHead } from './answers.ts';
import { readJson } from './body.ts';
import { type ClientCall, forClients } from './call.ts';
import { noParameter, type Problem, problem } from './http.ts';
import { after, type MaybePromise } from './maybe-promise.ts';
import type { Kind } from './question-kind.ts';
import { numbersIn } from './quota.ts';
import { neededBy, warm, withValues } from './shards.ts';

/** What a field of `ingress` begins with in an address. */
const INGRESS = 'ingress.';
/**
 * What parameters inherit from: nothing, so that `__proto__` is a name as any other. Not `null`, with which V8 keeps
 * an object as a hash table.
 */
const NOTHING: object = Object.create(null);
/** Parameters that may be numbers. */
const NUMBERS: readonly string[] = ['from', 'to', 'ingress.smsc'];

export const answerPost = (kind: Kind) =>
  forClients(kind.right, async (call) => {
    const { request, reply, url } = call;
    const parameter = noParameter(url);
    if (parameter !== null) return reply.problem(parameter, url.pathname);
    const body = await readJson(request, CHECK_BODY_BYTES_MAX);
    if (!body.ok) return reply.problem(problem(body.code, body.message), url.pathname);
    return answer(call, kind, body.value);
  });

export const answerGet = (kind: Kind) =>
  forClients(kind.right, (call) => {
    const { reply, url } = call;
    const given = fieldsOf(url);
    if ('code' in given) return reply.problem(given, url.pathname);
    return answer(call, kind, given.fields);
  });

/** The fields of a question, as they stand in an address: `ingress.type` is a field of `ingress`. */
function fieldsOf({ parameters }: Address): { readonly fields: Record<string, unknown> } | Problem {
  const fields: Record<string, unknown> = Object.create(NOTHING);
  const ingress: Record<string, unknown> = Object.create(NOTHING);
  for (const [name, value] of parameters) {
    const [into, field] = name.startsWith(INGRESS) ? [ingress, name.slice(INGRESS.length)] : [fields, name];
    if (Object.hasOwn(into, field)) {
      const twice = nameOf(name);
      return problem('FIELD_TYPE', `${twice} is given twice`, { field: twice });
    }
    into[field] = NUMBERS.includes(name) ? withPlus(value) : value;
  }
  // Both forms of it at once are refused with the one that is none.
  if (Object.keys(ingress).length > 0 && !Object.hasOwn(fields, 'ingress')) fields.ingress = ingress;
  return { fields };
}

/** A plus that was not percent-encoded arrives as a space. A space can also be meant, as in ` 112`. */
function withPlus(value: string): string {
  if (!/^ [1-9]/.test(value)) return value;
  const written = `+${value.slice(1)}`;
  const party = parseParty(written);
  return party.kind === 'number' && isValidNumber(party.n) ? written : value;
}

/** Nothing is waited for once the release is in memory; the answer is the one object of the runtime. */
function answer(call: ClientCall, kind: Kind, given: unknown): MaybePromise<Response> {
  const { reply, url, request } = call;
  const refused = call.charge(numbersIn(given));
  if (refused !== null) return refused;
  const asked = readQuestion(given, kind.fields.none, false, kind.fields, call.client.internationalPrefix);
  if (asked.error !== null) {
    const { code, field, message } = asked.error;
    return reply.problem(problem(code, message, { field }), url.pathname);
  }
  return after(call.snapshot(), (snapshot) =>
    after(judged(call, kind, asked.question, snapshot), (answered) => {
      if (!prefersText(request)) return reply.json({ ...answered, ...headNames(snapshot) });
      nameHead(reply, snapshot);
      return reply.text(answerLine(answered));
    }),
  );
}

/** With what the question needs loaded: nothing to do once the release is loaded whole. */
function judged(call: ClientCall, kind: Kind, question: Question, snapshot: Snapshot): MaybePromise<Answer> {
  const { release } = snapshot;
  const tell = (): Answer => kind.tell(question, call.judge(question, snapshot), snapshot, call.client);
  if (release === null || release.complete) return tell();
  return withValues(release, neededBy(question, release), call, tell).then((answered) => {
    // Asked for last: only six reads of a request are under way at once.
    warm(release, call);
    return answered;
  });
}

function prefersText(request: Request): boolean {
  const accept = request.headers.get('accept') ?? '';
  return accept.includes('text/plain') && !accept.includes('json');
}
