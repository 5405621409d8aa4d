/**
 * `/v1/admin/status`, `/v1/admin/audit`, `/v1/admin/guards`: status, audit log and guard settings.
 */
import { putGuardsSchema, trimAuditSchema } from '../../shared/admin.ts';
import { PAGE_MAX } from '../../shared/limits.ts';
import { parametersOf } from '../http/parameters.ts';
import { forAdmins, forChanges, toResponse } from './context.ts';

export const status = forAdmins('read', async ({ reply, coordinator: authority }) =>
  reply.json(await authority.status()),
);

/** A page of the audit log as NDJSON. An empty page is the end. */
export const audit = forAdmins('read', async ({ reply, url, coordinator: authority }) => {
  const parameters = parametersOf(url, { after: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { after = 0, limit = PAGE_MAX } = parameters.value.number;
  return reply.ndjson(await authority.audit(after, Math.max(1, Math.min(limit, PAGE_MAX))));
});

export const trimAudit = forChanges('root', trimAuditSchema, async (context, changeRequest, { n, hash }) =>
  toResponse(context, await context.coordinator.trimAudit(changeRequest, n, hash)),
);

export const getGuards = forAdmins('read', async ({ reply, coordinator: authority }) =>
  reply.json(await authority.guards()),
);

export const putGuards = forChanges('releases', putGuardsSchema, async (context, changeRequest, { guards }) =>
  toResponse(context, await context.coordinator.putGuards(changeRequest, guards)),
);
