/**
 * `/v1/admin/appeals`: the queue of appeals against blocks, and decisions on them.
 */
import { acceptAppealSchema, claimAppealSchema, rejectAppealSchema } from '../../shared/admin/appeals.ts';
import { oneOf } from '../../shared/fields.ts';
import { APPEALS_PAGE_MAX } from '../../shared/limits/appeals.ts';
import { ok } from '../../shared/result.ts';
import type { AppealStore } from '../appeals/appeal-store.ts';
import type { ControlEnv } from '../env.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { APPEALS_NAME } from '../storage/appeals-port.ts';
import { type AdminContext, forAdmins, forChanges, pageLimit } from './context.ts';

/** The store's methods as RPC calls. */
type AppealsStub = {
  [Name in keyof AppealStore]: AppealStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

/** Values of the parameter `show`: undecided appeals, decided appeals, or all appeals. */
const SHOWN = ['open', 'decided', 'all'] as const;

function storeOf({ env }: AdminContext): AppealsStub {
  return (env as unknown as ControlEnv).APPEALS.getByName(APPEALS_NAME) as unknown as AppealsStub;
}

/** Oldest first. */
export const listAppeals = forAdmins('appeals', async (context) => {
  const parameters = parametersOf(context.url, { show: 'text', after: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const show = oneOf(SHOWN, 'show', text.show ?? 'open');
  if (!show.ok) return show;
  const isOpen = show.value === 'all' ? null : show.value === 'open';
  const limit = Math.max(1, Math.min(number.limit ?? APPEALS_PAGE_MAX, APPEALS_PAGE_MAX));
  return ok(await storeOf(context).page(context.actor, isOpen, number.after ?? 0, limit));
});

export const appealSummary = forAdmins('appeals', async (context) =>
  ok(await storeOf(context).summary(context.actor)),
);

/** The audit chain of appeals, as NDJSON, with keyed numbers. An empty page is the end. */
export const appealAudit = forAdmins(
  ['read', 'appeals'],
  async (context) => {
    const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit } = parameters.value.number;
    return ok(await storeOf(context).audit(after, pageLimit(limit)));
  },
  (reply, records) => reply.ndjson(records),
);

export const getAppeal = forAdmins('appeals', async (context) => {
  const id = idOf(context);
  return id === null ? unknown() : storeOf(context).details(context.actor, id);
});

export const claimAppeal = forChanges('appeals', claimAppealSchema, async (context) => {
  const id = idOf(context);
  return id === null ? unknown() : storeOf(context).claim(context.change, id);
});

export const releaseAppeal = forChanges('appeals', claimAppealSchema, async (context) => {
  const id = idOf(context);
  return id === null ? unknown() : storeOf(context).release(context.change, id);
});

/** Lifts the block at once. The response contains the change of the head. */
export const acceptAppeal = forChanges('appeals', acceptAppealSchema, async (context) => {
  const id = idOf(context);
  if (id === null) return unknown();
  const { reason: _, ...options } = context.body;
  return storeOf(context).accept(context.change, id, options);
});

export const rejectAppeal = forChanges('appeals', rejectAppealSchema, async (context) => {
  const id = idOf(context);
  return id === null ? unknown() : storeOf(context).reject(context.change, id, context.body.code);
});

/** The ID in the path, or null if it is malformed. */
function idOf({ params }: AdminContext): number | null {
  return /^[1-9]\d{0,14}$/.test(params.id!) ? Number(params.id) : null;
}

function unknown(): Problem {
  return problem('APPEAL_UNKNOWN', 'no appeal that you may see has this id');
}
