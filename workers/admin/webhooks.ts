/**
 * `/v1/admin/organisations/{organisation}/webhooks` and `…/notices`: the webhooks, notices and deliveries of an
 * organisation. For its own tokens; tokens with the scope `override` act for other organisations too.
 */
import type * as v from 'valibot';
import type { WebhookInfo } from '../../shared/admin/webhooks.ts';
import {
  addWebhookSchema,
  changeWebhookSchema,
  DELIVERY_STATES,
  enableWebhookSchema,
  replaySchema,
  webhookHostsChangeSchema,
} from '../../shared/admin/webhooks.ts';
import { oneOf } from '../../shared/fields.ts';
import { DELIVERIES_PAGE_MAX, NOTICES_PAGE_MAX } from '../../shared/limits/notices.ts';
import { checkWebhookUrl } from '../../shared/notices/webhook-url.ts';
import type { Organisation } from '../../shared/organisations.ts';
import { ok, type Result } from '../../shared/result.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import type { ChangeRequest } from '../coordinator/change-request.ts';
import type { ControlEnv } from '../env.ts';
import type { Handler } from '../http/app.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { NoticeStore } from '../notices/notice-store.ts';
import { versionOf } from '../storage/precondition.ts';
import { type AdminContext, forAdmins, forChanges, pageLimit } from './context.ts';

/** The store's methods as RPC calls. */
type NoticeStub = {
  [Name in keyof NoticeStore]: NoticeStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

interface Receiver {
  readonly organisation: Organisation;
  readonly store: NoticeStub;
}

/** The organisation in the path, if the actor may see its notices. @param isAuditor may see those of others too */
async function receiverOf(
  { params, actor, env, coordinator }: AdminContext,
  isAuditor = false,
): Promise<Result<Receiver, Problem>> {
  const id = params.organisation!;
  const isOwn = actor.organisation === id;
  if (!actor.root && !isOwn && !isAuditor && !actor.scopes.includes('override')) {
    const message = 'webhooks and notices of other organisations need the scope "override"';
    return problem('PERMISSION_DENIED', message);
  }
  const organisation = NAME_PATTERN.test(id) ? await coordinator.organisation(id) : null;
  if (organisation === null) return problem('ORGANISATION_UNKNOWN', 'no organisation has this id');
  return ok({ organisation, store: noticeStore(env as unknown as ControlEnv, id) });
}

export function noticeStore({ NOTICES }: ControlEnv, organisation: string): NoticeStub {
  return NOTICES.getByName(organisation) as unknown as NoticeStub;
}

export const listWebhooks = forAdmins('notices', async (context) => {
  const receiver = await receiverOf(context);
  if (!receiver.ok) return receiver;
  return ok<{ webhooks: readonly WebhookInfo[] }>({ webhooks: await receiver.value.store.webhooks() });
});

export const getWebhook = forAdmins('notices', async (context) => {
  const receiver = await receiverOf(context);
  return receiver.ok ? receiver.value.store.webhook(context.params.id!) : receiver;
});

/** Only this response and that of a rotation contain the secret. */
export const addWebhook = forChanges('notices', addWebhookSchema, async (context) => {
  const receiver = await receiverOf(context);
  if (!receiver.ok) return receiver;
  const { organisation, store } = receiver.value;
  const { url: given, types } = context.body;
  const isLocal = (context.env as unknown as ControlEnv).PLATFORM !== 'cloudflare';
  // Organisations that were stored before this field existed have no hosts.
  const url = checkWebhookUrl(given, organisation.webhookHosts ?? [], isLocal);
  if (!url.ok) return problem(url.code, url.message, { field: 'url' });
  return store.addWebhook(context.change, organisation.id, { url: url.value, types });
});

/** A route that changes one webhook. */
function forWebhook<Schema extends v.GenericSchema<unknown, { reason: string }>, Value>(
  schema: Schema,
  change: (
    store: NoticeStub,
    request: ChangeRequest,
    id: string,
    body: v.InferOutput<Schema>,
  ) => Promise<Result<Value, Problem>>,
): Handler {
  return forChanges('notices', schema, async (context) => {
    const receiver = await receiverOf(context);
    if (!receiver.ok) return receiver;
    return change(receiver.value.store, context.change, context.params.id!, context.body);
  });
}

export const removeWebhook = forWebhook(changeWebhookSchema, (store, request, id) =>
  store.removeWebhook(request, id),
);

export const enableWebhook = forWebhook(enableWebhookSchema, (store, request, id, { skip }) =>
  store.enableWebhook(request, id, skip),
);

export const disableWebhook = forWebhook(changeWebhookSchema, (store, request, id) =>
  store.disableWebhook(request, id),
);

export const rotateWebhook = forWebhook(changeWebhookSchema, (store, request, id) =>
  store.rotateWebhook(request, id),
);

export const testWebhook = forWebhook(changeWebhookSchema, (store, request, id) =>
  store.testWebhook(request, id),
);

export const replayWebhook = forWebhook(replaySchema, (store, request, id, { version, since }) =>
  store.replay(request, id, { version, since }),
);

/** Newest first. */
export const listDeliveries = forAdmins('notices', async (context) => {
  const parameters = parametersOf(context.url, { state: 'text', before: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const state = text.state === undefined ? ok(null) : oneOf(DELIVERY_STATES, 'state', text.state);
  if (!state.ok) return state;
  const receiver = await receiverOf(context);
  if (!receiver.ok) return receiver;
  const limit = Math.max(1, Math.min(number.limit ?? DELIVERIES_PAGE_MAX, DELIVERIES_PAGE_MAX));
  return receiver.value.store.deliveries(context.params.id!, state.value, number.before ?? null, limit);
});

/** The audit chain of the organisation's webhooks, as NDJSON. An empty page is the end. */
export const webhookAudit = forAdmins(
  ['notices', 'read'],
  async (context) => {
    const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit } = parameters.value.number;
    const receiver = await receiverOf(context, context.actor.scopes.includes('read'));
    return receiver.ok ? ok(await receiver.value.store.audit(after, pageLimit(limit))) : receiver;
  },
  (reply, records) => reply.ndjson(records),
);

/** Oldest first. */
export const listNotices = forAdmins('notices', async (context) => {
  const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const receiver = await receiverOf(context);
  if (!receiver.ok) return receiver;
  const { after = 0, limit = NOTICES_PAGE_MAX } = parameters.value.number;
  return ok(await receiver.value.store.page(after, Math.max(1, Math.min(limit, NOTICES_PAGE_MAX))));
});

export const getNotice = forAdmins('notices', async (context) => {
  const receiver = await receiverOf(context);
  if (!receiver.ok) return receiver;
  const { version = '' } = context.params;
  if (!/^[1-9]\d{0,14}$/.test(version))
    return problem('NOTICE_UNKNOWN', 'the organisation has no notice with this version');
  return receiver.value.store.noticeDetails(Number(version));
});

/** Needs the scope `clients`, because an organisation may not choose its own webhook hosts. */
export const putWebhookHosts = forChanges('clients', webhookHostsChangeSchema, async (context) => {
  const { coordinator, reply, params, condition, change, body } = context;
  const before = await coordinator.organisation(params.id!);
  if (before === null) return problem('ORGANISATION_UNKNOWN', 'no organisation has this id');
  const organisation = { ...before, webhookHosts: body.webhookHosts };
  const match = condition.match ?? versionOf(before);
  const done = await coordinator.putOrganisation(change, before.id, organisation, { match, absent: false });
  if (done.ok) reply.header('etag', `"${versionOf(organisation)}"`);
  return done;
});
