/**
 * `/v1/appeals`: public routes for people who were blocked. They need no key, so each has a rate limit.
 */
import { type AppealReceived, submitAppealSchema } from '../../shared/appeals/appeal.ts';
import { RECEIVED } from '../../shared/appeals/texts.ts';
import {
  APPEAL_BODY_BYTES_MAX,
  APPEAL_READS_MAX,
  APPEAL_READS_TOTAL_MAX,
  APPEAL_REQUESTS_MAX,
  APPEAL_REQUESTS_TOTAL_MAX,
  APPEAL_TOKEN_CHARS,
  APPEAL_WINDOW_MS,
} from '../../shared/limits/appeals.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { openKeyRing } from '../../shared/set/key-ring.ts';
import type { ControlEnv } from '../env.ts';
import type { RequestContext, Route } from '../http/app.ts';
import { readBody } from '../http/json-body.ts';
import { PublicRoutes } from '../http/public-route.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { APPEALS_NAME, type AppealObject } from '../storage/appeals-port.ts';
import { newChallenge, proofSettings, verifyProof } from './proofs.ts';

const LIMITS = { windowMs: APPEAL_WINDOW_MS, message: 'too many requests: try again later' };

/** The rate limits of this isolate. */
export const appealLimits = {
  submissions: new PublicRoutes({
    ...LIMITS,
    ...{ addressMax: APPEAL_REQUESTS_MAX, totalMax: APPEAL_REQUESTS_TOTAL_MAX },
  }),
  reads: new PublicRoutes({
    ...LIMITS,
    ...{ addressMax: APPEAL_READS_MAX, totalMax: APPEAL_READS_TOTAL_MAX },
  }),
};

/** Deriving keys takes time, so an isolate does it once. */
let opened: { readonly text: string; readonly ring: KeyRing } | null = null;

const submit = appealLimits.submissions.forEverybody(async (context) => {
  const env = context.env as unknown as ControlEnv;
  const read = await readBody(context, submitAppealSchema, APPEAL_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const settings = proofSettings(env);
  if (!settings.ok) return settings;
  const ring = await ringOf(env);
  if (!ring.ok) return ring;
  const proof = await verifyProof(read.value.body.proof, settings.value, ring.value);
  if (!proof.ok) return proof;
  const done = await storeOf(context).submit(read.value.body, proof.value).catch(unavailable);
  if (!done.ok) return done;
  return context.reply.json({ appeal: done.value.token, message: RECEIVED } satisfies AppealReceived, 202);
});

const status = appealLimits.reads.forEverybody(async (context) => {
  const header = context.request.headers.get('authorization') ?? '';
  const [, token = ''] = /^Bearer ([\w-]+)$/i.exec(header) ?? [];
  const store = storeOf(context);
  const known =
    token.length === APPEAL_TOKEN_CHARS ? await store.status(token).then(ok, unavailable) : ok(null);
  if (!known.ok) return known;
  if (known.value !== null) return context.reply.json(known.value);
  const message =
    'send the token of your appeal as "Authorization: Bearer <token>"; the token expires 90 days after the decision';
  return problem('UNAUTHENTICATED', message, { headers: { 'www-authenticate': 'Bearer' } });
});

/** The challenge in the format of ALTCHA's widget. */
const challenge = appealLimits.reads.forEverybody(async ({ env: given, reply }) => {
  const env = given as unknown as ControlEnv;
  const settings = proofSettings(env);
  if (!settings.ok) return settings;
  if (settings.value.kind !== 'work')
    return problem('NOT_FOUND', 'this service requires no proof of work for appeals');
  const ring = await ringOf(env);
  return ring.ok ? reply.json(await newChallenge(ring.value, Date.now())) : ring;
});

async function ringOf({ LIST_KEY: text }: ControlEnv): Promise<Result<KeyRing, Problem>> {
  if (opened?.text === text) return { ok: true, value: opened.ring };
  const ring = await openKeyRing(text ?? '');
  if (!ring.ok) return problem('NOT_CONFIGURED', `LIST_KEY ${ring.message}`);
  opened = { text, ring: ring.value };
  return ring;
}

function unavailable(error: unknown): Problem {
  warnFailed('appealsFailed', error);
  return problem('UNAVAILABLE', 'the store of appeals does not respond: try again');
}

function storeOf({ env }: RequestContext): AppealObject {
  return (env as unknown as ControlEnv).APPEALS.getByName(APPEALS_NAME);
}

export const APPEAL_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/v1/appeals', handle: submit },
  { method: 'GET', path: '/v1/appeals/status', handle: status },
  { method: 'GET', path: '/v1/appeals/challenge', handle: challenge },
];
