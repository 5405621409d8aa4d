/** The routes of text releases and campaigns. */
import type { Route } from '../http/app.ts';
import * as text from './text.ts';
import * as campaigns from './text-campaigns.ts';

export const TEXT_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/admin/text/status', handle: text.status },
  { method: 'GET', path: '/v1/admin/text/audit', handle: text.textAudit },
  { method: 'GET', path: '/v1/admin/text/releases', handle: text.listReleases },
  { method: 'POST', path: '/v1/admin/text/releases', handle: text.pushRelease },
  { method: 'GET', path: '/v1/admin/text/releases/:release', handle: text.getRelease },
  { method: 'GET', path: '/v1/admin/text/releases/:release/manifest', handle: text.getManifest },
  { method: 'GET', path: '/v1/admin/text/releases/:release/plan', handle: text.planRelease },
  { method: 'POST', path: '/v1/admin/text/releases/:release/promote', handle: text.promoteRelease },
  { method: 'POST', path: '/v1/admin/text/releases/:release/withdraw', handle: text.withdrawRelease },
  { method: 'POST', path: '/v1/admin/text/rollback', handle: text.rollBack },
  { method: 'GET', path: '/v1/admin/text/values/:digest', handle: text.getValue },
  { method: 'GET', path: '/v1/admin/text/campaigns', handle: campaigns.listCampaigns },
  { method: 'POST', path: '/v1/admin/text/campaigns', handle: campaigns.enrolCampaigns },
  { method: 'POST', path: '/v1/admin/text/campaigns/match', handle: campaigns.matchCampaigns },
  { method: 'POST', path: '/v1/admin/text/campaigns/import', handle: campaigns.importCampaigns },
  { method: 'GET', path: '/v1/admin/text/campaigns/:id', handle: campaigns.getCampaign },
  { method: 'POST', path: '/v1/admin/text/campaigns/:id/confirm', handle: campaigns.confirmCampaign },
  { method: 'POST', path: '/v1/admin/text/campaigns/:id/reject', handle: campaigns.rejectCampaign },
  { method: 'POST', path: '/v1/admin/text/campaigns/:id/revoke', handle: campaigns.revokeCampaign },
];
