/** The routes of webhooks, of notices, and of the hosts that webhooks may go to. */
import type { Route } from '../http/app.ts';
import * as webhooks from './webhooks.ts';

const ORGANISATION = '/v1/admin/organisations/:organisation';

export const WEBHOOK_ROUTES: readonly Route[] = [
  { method: 'PUT', path: '/v1/admin/organisations/:id/webhook-hosts', handle: webhooks.putWebhookHosts },
  { method: 'GET', path: `${ORGANISATION}/webhooks`, handle: webhooks.listWebhooks },
  { method: 'POST', path: `${ORGANISATION}/webhooks`, handle: webhooks.addWebhook },
  { method: 'GET', path: `${ORGANISATION}/webhooks/audit`, handle: webhooks.webhookAudit },
  { method: 'GET', path: `${ORGANISATION}/webhooks/:id`, handle: webhooks.getWebhook },
  { method: 'DELETE', path: `${ORGANISATION}/webhooks/:id`, handle: webhooks.removeWebhook },
  { method: 'POST', path: `${ORGANISATION}/webhooks/:id/enable`, handle: webhooks.enableWebhook },
  { method: 'POST', path: `${ORGANISATION}/webhooks/:id/disable`, handle: webhooks.disableWebhook },
  { method: 'POST', path: `${ORGANISATION}/webhooks/:id/rotate`, handle: webhooks.rotateWebhook },
  { method: 'POST', path: `${ORGANISATION}/webhooks/:id/test`, handle: webhooks.testWebhook },
  { method: 'POST', path: `${ORGANISATION}/webhooks/:id/replay`, handle: webhooks.replayWebhook },
  { method: 'GET', path: `${ORGANISATION}/webhooks/:id/deliveries`, handle: webhooks.listDeliveries },
  { method: 'GET', path: `${ORGANISATION}/notices`, handle: webhooks.listNotices },
  { method: 'GET', path: `${ORGANISATION}/notices/:version`, handle: webhooks.getNotice },
];
