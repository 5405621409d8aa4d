/**
 * The routes of the control plane.
 */
import type { Route } from '../http/app.ts';
import * as appeals from './appeals.ts';
import * as clients from './clients.ts';
import * as credentials from './credentials.ts';
import * as entries from './entries.ts';
import * as evidence from './evidence.ts';
import { makeEvidenceFile } from './evidence-files.ts';
import * as monitoring from './monitoring.ts';
import { numberEvent } from './number-events.ts';
import * as passport from './passport.ts';
import * as proposals from './proposals.ts';
import * as qualifications from './qualifications.ts';
import * as registrations from './registrations.ts';
import * as bulk from './registrations-bulk.ts';
import { registrationPairs } from './registry.ts';
import * as releases from './releases.ts';
import * as ruleBlocks from './rule-blocks.ts';
import { rehearseRule } from './rule-rehearsal.ts';
import * as rules from './rules.ts';
import * as settings from './settings.ts';
import * as statistics from './statistics.ts';
import { textDrift } from './text-drift.ts';
import { TEXT_ROUTES } from './text-routes.ts';
import { usage } from './usage.ts';
import { WEBHOOK_ROUTES } from './webhook-routes.ts';

export const ADMIN_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/admin/status', handle: monitoring.status },
  { method: 'GET', path: '/v1/admin/me', handle: monitoring.me },
  { method: 'GET', path: '/v1/admin/enumeration', handle: monitoring.detections },
  { method: 'GET', path: '/v1/admin/audit', handle: monitoring.audit },
  { method: 'GET', path: '/v1/audit/checkpoint', handle: evidence.checkpoint },
  { method: 'GET', path: '/v1/admin/audit/checkpoints', handle: evidence.checkpoints },
  { method: 'GET', path: '/v1/admin/audit/proof', handle: evidence.proof },
  { method: 'POST', path: '/v1/admin/audit/trim', handle: monitoring.trimAudit },
  { method: 'POST', path: '/v1/admin/evidence-files', handle: makeEvidenceFile },
  { method: 'GET', path: '/v1/admin/blocks', handle: monitoring.blocks },
  { method: 'GET', path: '/v1/admin/usage', handle: usage },
  { method: 'GET', path: '/v1/admin/text/drift', handle: textDrift },
  { method: 'GET', path: '/v1/admin/guards', handle: settings.getGuards },
  { method: 'PUT', path: '/v1/admin/guards', handle: settings.putGuards },
  { method: 'GET', path: '/v1/admin/canaries', handle: settings.getCanaries },
  { method: 'PUT', path: '/v1/admin/canaries', handle: settings.putCanaries },
  { method: 'GET', path: '/v1/admin/policy', handle: settings.getPolicy },
  { method: 'PUT', path: '/v1/admin/policy', handle: settings.putPolicy },
  { method: 'POST', path: '/v1/admin/list-key', handle: settings.rotateListKey },
  { method: 'GET', path: '/v1/admin/rules', handle: rules.listRules },
  { method: 'POST', path: '/v1/admin/rules/rehearse', handle: rehearseRule },
  { method: 'GET', path: '/v1/admin/rules/:id', handle: rules.getRule },
  { method: 'PUT', path: '/v1/admin/rules/:id', handle: rules.putRule },
  { method: 'DELETE', path: '/v1/admin/rules/:id', handle: rules.removeRule },
  { method: 'GET', path: '/v1/admin/rules/:id/versions', handle: rules.ruleVersions },
  { method: 'GET', path: '/v1/admin/approvals', handle: proposals.getApprovals },
  { method: 'PUT', path: '/v1/admin/approvals', handle: proposals.putApprovals },
  { method: 'GET', path: '/v1/admin/proposals', handle: proposals.listProposals },
  { method: 'GET', path: '/v1/admin/proposals/:id', handle: proposals.getProposal },
  { method: 'DELETE', path: '/v1/admin/proposals/:id', handle: proposals.withdraw },
  { method: 'POST', path: '/v1/admin/proposals/:id/approve', handle: proposals.approve },
  { method: 'POST', path: '/v1/admin/proposals/:id/reject', handle: proposals.reject },
  { method: 'GET', path: '/v1/admin/lists', handle: releases.listLists },
  { method: 'GET', path: '/v1/admin/releases', handle: releases.listReleases },
  { method: 'POST', path: '/v1/admin/releases', handle: releases.stageRelease },
  { method: 'GET', path: '/v1/admin/releases/:release/manifest', handle: releases.getManifest },
  { method: 'GET', path: '/v1/admin/releases/:release/plan', handle: releases.planRelease },
  { method: 'POST', path: '/v1/admin/releases/:release/promote', handle: releases.promoteRelease },
  { method: 'POST', path: '/v1/admin/rollback', handle: releases.rollback },
  { method: 'GET', path: '/v1/admin/values/shard/:digest', handle: releases.getValue },
  { method: 'GET', path: '/v1/admin/entries', handle: entries.listEntries },
  { method: 'POST', path: '/v1/admin/entries', handle: entries.changeEntries },
  { method: 'POST', path: '/v1/admin/entries/find', handle: entries.findEntries },
  { method: 'POST', path: '/v1/admin/operations/:operation/undo', handle: entries.undoOperation },
  { method: 'GET', path: '/v1/admin/organisations', handle: clients.listOrganisations },
  { method: 'GET', path: '/v1/admin/organisations/:id', handle: clients.getOrganisation },
  { method: 'PUT', path: '/v1/admin/organisations/:id', handle: clients.putOrganisation },
  { method: 'DELETE', path: '/v1/admin/organisations/:id', handle: clients.removeOrganisation },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:id/qualification',
    handle: qualifications.getQualification,
  },
  {
    method: 'PUT',
    path: '/v1/admin/organisations/:id/qualification',
    handle: qualifications.putQualification,
  },
  { method: 'GET', path: '/v1/admin/qualifications', handle: qualifications.listQualifications },
  { method: 'GET', path: '/v1/admin/registrations/documents', handle: registrations.documents },
  { method: 'POST', path: '/v1/admin/registrations/number-events', handle: numberEvent },
  { method: 'POST', path: '/v1/admin/registrations/pairs', handle: registrationPairs },
  { method: 'GET', path: '/v1/admin/registrations/queue', handle: registrations.reviewQueue },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/registrations',
    handle: registrations.listRegistrations,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/registrations',
    handle: registrations.createRegistration,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/registrations/validate',
    handle: registrations.validateRegistration,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/registrations/find',
    handle: registrations.findRegistrations,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/registrations/import',
    handle: bulk.importRegistrations,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/registrations/export',
    handle: bulk.exportRegistrations,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/registrations/events',
    handle: registrations.registrationEvents,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/registrations/audit',
    handle: registrations.registrationAudit,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/registrations/:id',
    handle: registrations.getRegistration,
  },
  {
    method: 'PATCH',
    path: '/v1/admin/organisations/:organisation/registrations/:id',
    handle: registrations.editRegistration,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/registrations/:id/history',
    handle: registrations.registrationHistory,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/registrations/:id/:action',
    handle: registrations.actOnRegistration,
  },
  { method: 'GET', path: '/v1/admin/issuers', handle: credentials.listIssuers },
  { method: 'GET', path: '/v1/admin/issuers/:id', handle: credentials.getIssuer },
  { method: 'PUT', path: '/v1/admin/issuers/:id', handle: credentials.putIssuer },
  { method: 'DELETE', path: '/v1/admin/issuers/:id', handle: credentials.removeIssuer },
  { method: 'GET', path: '/v1/admin/passport/roots', handle: passport.listRoots },
  { method: 'GET', path: '/v1/admin/passport/roots/:id', handle: passport.getRoot },
  { method: 'PUT', path: '/v1/admin/passport/roots/:id', handle: passport.putRoot },
  { method: 'DELETE', path: '/v1/admin/passport/roots/:id', handle: passport.removeRoot },
  { method: 'GET', path: '/v1/admin/passport/certificates', handle: passport.listCertificates },
  { method: 'GET', path: '/v1/admin/passport/certificates/:id', handle: passport.getCertificate },
  { method: 'PUT', path: '/v1/admin/passport/certificates/:id', handle: passport.putCertificate },
  { method: 'DELETE', path: '/v1/admin/passport/certificates/:id', handle: passport.removeCertificate },
  { method: 'GET', path: '/v1/admin/status-lists', handle: credentials.listStatusLists },
  { method: 'POST', path: '/v1/admin/status-lists', handle: credentials.pushStatusList },
  { method: 'GET', path: '/v1/admin/credentials/audit', handle: credentials.credentialsAudit },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/certificates',
    handle: credentials.listCertificates,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/certificates',
    handle: credentials.addCertificate,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/certificates/:digest',
    handle: credentials.getCertificate,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/delegations',
    handle: credentials.listDelegations,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/delegations',
    handle: credentials.proposeDelegation,
  },
  {
    method: 'GET',
    path: '/v1/admin/organisations/:organisation/delegations/:id',
    handle: credentials.getDelegation,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/delegations/:id/accept',
    handle: credentials.acceptDelegation,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/delegations/:id/confirm',
    handle: credentials.confirmDelegation,
  },
  {
    method: 'POST',
    path: '/v1/admin/organisations/:organisation/delegations/:id/:action',
    handle: credentials.moveDelegation,
  },
  { method: 'GET', path: '/v1/admin/clients', handle: clients.listClients },
  { method: 'GET', path: '/v1/admin/clients/:id', handle: clients.getClient },
  { method: 'PUT', path: '/v1/admin/clients/:id', handle: clients.putClient },
  { method: 'DELETE', path: '/v1/admin/clients/:id', handle: clients.removeClient },
  { method: 'POST', path: '/v1/admin/clients/:id/feed-key', handle: clients.issueFeedKey },
  { method: 'GET', path: '/v1/admin/tokens', handle: clients.listTokens },
  { method: 'PUT', path: '/v1/admin/tokens/:id', handle: clients.putToken },
  { method: 'DELETE', path: '/v1/admin/tokens/:id', handle: clients.removeToken },
  { method: 'GET', path: '/v1/admin/rule-blocks', handle: ruleBlocks.listRuleBlocks },
  { method: 'GET', path: '/v1/admin/rule-blocks/audit', handle: ruleBlocks.ruleBlockAudit },
  { method: 'POST', path: '/v1/admin/rule-blocks/find', handle: ruleBlocks.findRuleBlocks },
  { method: 'GET', path: '/v1/admin/rule-blocks/:id', handle: ruleBlocks.getRuleBlock },
  { method: 'POST', path: '/v1/admin/rule-blocks/:id/:action', handle: ruleBlocks.actOnRuleBlock },
  { method: 'GET', path: '/v1/admin/partners', handle: ruleBlocks.listPartners },
  { method: 'GET', path: '/v1/admin/partners/:organisation', handle: ruleBlocks.getPartner },
  { method: 'POST', path: '/v1/admin/partners/:organisation/withdraw', handle: ruleBlocks.withdrawReports },
  { method: 'GET', path: '/v1/admin/appeals', handle: appeals.listAppeals },
  { method: 'GET', path: '/v1/admin/appeals/summary', handle: appeals.appealSummary },
  { method: 'GET', path: '/v1/admin/appeals/audit', handle: appeals.appealAudit },
  { method: 'GET', path: '/v1/admin/appeals/:id', handle: appeals.getAppeal },
  { method: 'POST', path: '/v1/admin/appeals/:id/claim', handle: appeals.claimAppeal },
  { method: 'POST', path: '/v1/admin/appeals/:id/release', handle: appeals.releaseAppeal },
  { method: 'POST', path: '/v1/admin/appeals/:id/accept', handle: appeals.acceptAppeal },
  { method: 'POST', path: '/v1/admin/appeals/:id/reject', handle: appeals.rejectAppeal },
  ...WEBHOOK_ROUTES,
  ...TEXT_ROUTES,
  { method: 'GET', path: '/v1/admin/statistics', handle: statistics.statisticsStatus },
  { method: 'GET', path: '/v1/admin/statistics/:month', handle: statistics.monthVersions },
  { method: 'POST', path: '/v1/admin/statistics/:month/corrections', handle: statistics.correctMonth },
  { method: 'GET', path: '/v1/statistics', handle: statistics.listMonths },
  { method: 'GET', path: '/v1/statistics/:month', handle: statistics.getMonth },
  { method: 'GET', path: '/v1/statistics/:month/:table', handle: statistics.getTable },
  { method: 'GET', path: '/v1/statistics/:month/:table/trace', handle: statistics.traceTable },
];
