/** The routes of webhooks, notices, and the hosts that webhooks may go to. */
import type { Route } from '../http/app.ts';
import * as webhooks from './webhooks.ts';

export const WEBHOOK_ROUTES: readonly Route[] = [
  { method: 'PUT', path: '/v1/admin/organisations/:id/webhook-hosts', handle: webhooks.putWebhookHosts },
  { method: 'GET', path: '/v1/admin/organisations/:organisation/webhooks', handle: webhooks.listWebhooks },
  { method: 'POST', path: '/v1/admin/organisations/:organisation/webhooks', handle: webhooks.addWebhook },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/webhooks/audit',
    handle: webhooks.webhookAudit,
  },
  { method: 'GET', path: '/v1/admin/organisations/:organisation/webhooks/:id', handle: webhooks.getWebhook },
  {
    method: 'DELETE',
    path: '/v1/admin/organisations/:organisation/webhooks/:id',
    handle: webhooks.removeWebhook,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/webhooks/:id/enable',
    handle: webhooks.enableWebhook,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/webhooks/:id/disable',
    handle: webhooks.disableWebhook,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/webhooks/:id/rotate',
    handle: webhooks.rotateWebhook,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/webhooks/:id/test',
    handle: webhooks.testWebhook,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/webhooks/:id/replay',
    handle: webhooks.replayWebhook,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/webhooks/:id/deliveries',
    handle: webhooks.listDeliveries,
  },
  { method: 'GET', path: '/v1/admin/organisations/:organisation/notices', handle: webhooks.listNotices },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/notices/:version',
    handle: webhooks.getNotice,
  },
];
