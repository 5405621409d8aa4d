/** Makes the samples of each store from the status that the store reports. Pure. */
import type { ReleaseInfo } from '../../shared/admin/releases.ts';
import type { ResponseInfo } from '../../shared/admin/rule-blocks.ts';
import type { StatusInfo } from '../../shared/admin/status.ts';
import { LIVE_ENTRIES_MAX, RULE_ENTRIES_MAX } from '../../shared/limits/control.ts';
import { DATA_CENTRE_BEHIND_MS, DATA_CENTRE_SEEN_MS } from '../../shared/limits/metrics.ts';
import {
  REGISTERED_PAIRS_MAX,
  REGISTRATION_CHANGES_MAX,
  REGISTRATION_REMOVALS_RESERVE,
} from '../../shared/limits/registrations.ts';
import { CHANNELS } from '../../shared/request.ts';
import { endOf } from '../../shared/statistics/month.ts';
import { VERDICTS } from '../../shared/verdict.ts';
import type { AppealFigures } from '../storage/appeals-port.ts';
import type { DriftStatus } from '../storage/drift-port.ts';
import type { FeedStatus } from '../storage/feed-port.ts';
import type { FigureKind, FigureTotals } from '../storage/metrics-port.ts';
import type { RegistryStatus } from '../storage/registry-port.ts';
import type { StatisticsStatus } from '../storage/statistics-port.ts';
import type { Samples } from './exposition.ts';

const ADDITIONS_MAX = REGISTRATION_CHANGES_MAX - REGISTRATION_REMOVALS_RESERVE;

/** @param now ms since 1970 */
export function addCoordinator(samples: Samples, status: StatusInfo, now: number): void {
  const { seq, kvSeq, changedAt, current, candidate, live, clients, listKeys, storageBytes } = status;
  samples.add('head_seq', seq, {});
  samples.add('head_kv_seq', kvSeq, {});
  samples.add('head_changed_timestamp_seconds', secondsOf(changedAt), {});
  samples.addEach('data_centres', 'state', dataCentres(status, now));
  samples.add('list_keys', listKeys?.ids.length ?? null, {});
  samples.add('clients', clients, {});
  addRelease(samples, 'current', current);
  addRelease(samples, 'canary', candidate);
  samples.add('canary_share_ratio', candidate?.share ?? 0, {});
  const { entries, rules = 0, segments } = live;
  samples.addEach('live_entries', 'holder', { people: entries - rules, rules });
  samples.addEach('live_entries_limit', 'holder', { people: LIVE_ENTRIES_MAX, rules: RULE_ENTRIES_MAX });
  samples.add('live_segments', segments, {});
  samples.add('storage_used_bytes', storageBytes ?? null, { store: 'coordinator' });
  samples.add('storage_limit_bytes', status.storageBytesMax ?? null, { store: 'coordinator' });
  addDue(samples, status, new Date(now).toISOString());
  samples.addEach('proposals', 'state', status.proposals ?? {});
  addAudit(samples, status.audit);
}

function addRelease(samples: Samples, slot: 'current' | 'canary', info: ReleaseInfo | null): void {
  if (info === null) return;
  samples.add('release', 1, { slot, release: info.release });
  samples.add('release_promoted_timestamp_seconds', secondsOf(info.promotedAt), { slot });
  samples.add('release_numbers', info.numbers, { slot });
  samples.add('release_size_bytes', info.bytes, { slot });
}

function dataCentres({ propagation, seq, changedAt }: StatusInfo, now: number) {
  const isOld = changedAt !== null && now - Date.parse(changedAt) > DATA_CENTRE_BEHIND_MS;
  const counts = { current: 0, behind: 0 };
  for (const { seq: received, askedAt } of propagation) {
    if (now - Date.parse(askedAt) > DATA_CENTRE_SEEN_MS) continue;
    counts[isOld && received < seq ? 'behind' : 'current']++;
  }
  return counts;
}

/** @param now as RFC 3339 */
function addDue(samples: Samples, { expiring = [], dueQualifications = [] }: StatusInfo, now: string): void {
  for (const kind of ['client', 'token'] as const) {
    const own = expiring.filter((key) => key.kind === kind);
    const ended = own.filter(({ expires }) => expires <= now).length;
    samples.add('keys_expiring', own.length - ended, { kind, state: 'soon' });
    samples.add('keys_expiring', ended, { kind, state: 'ended' });
  }
  for (const due of ['inspection', 'end'] as const) {
    const own = dueQualifications.filter((each) => each.due === due);
    const overdue = own.filter(({ at }) => at <= now).length;
    samples.add('qualifications_due', own.length - overdue, { due, state: 'soon' });
    samples.add('qualifications_due', overdue, { due, state: 'overdue' });
  }
}

function addAudit(samples: Samples, { n, checkpoint, exports = [] }: StatusInfo['audit']): void {
  samples.add('audit_records', n, {});
  samples.add('audit_checkpoint_timestamp_seconds', secondsOf(checkpoint?.at ?? null), {});
  for (const { sink, n: exported, failures } of exports) {
    samples.add('audit_unexported_records', Math.max(0, n - exported), { sink });
    samples.add('audit_export_failures', failures, { sink });
  }
}

export function addRegistry(samples: Samples, { changes, waiting, refused, used }: RegistryStatus): void {
  samples.add('registration_changes', changes, {});
  samples.add('registration_changes_limit', ADDITIONS_MAX, {});
  samples.addEach('registration_organisations', 'state', {
    waiting: waiting.length,
    refused: refused.length,
  });
  samples.add('registered_pairs', used.pairs, {});
  samples.add('registered_pairs_limit', REGISTERED_PAIRS_MAX, {});
}

export function addResponse(samples: Samples, info: ResponseInfo): void {
  const { proposed, provisional, confirmed, shadow } = info;
  samples.addEach('rule_blocks', 'stage', { proposed, provisional, confirmed, shadow });
  samples.add('rule_decisions_waiting', info.decisions, {});
  samples.add('rule_blocks_unsent', info.unsent, {});
  samples.add('rule_entries_full', info.rulesFullSince === null ? 0 : 1, {});
}

export function addAppeals(samples: Samples, { open, oldestAt, received, decided }: AppealFigures): void {
  samples.add('appeals_received', received, {});
  samples.addEach('appeals_decided', 'decision', decided);
  samples.add('appeals_open', open, {});
  samples.add('appeals_oldest_timestamp_seconds', secondsOf(oldestAt), {});
}

export function addFeed(samples: Samples, status: FeedStatus): void {
  samples.add('feed_configured', status.isConfigured ? 1 : 0, {});
  if (!status.isConfigured) return;
  samples.add('feed_events', status.position, {});
  samples.add('feed_epoch', status.epoch, {});
  samples.add('feed_entries', status.entries, {});
  samples.add('feed_pending', status.pending, {});
  samples.add('feed_lag_seconds', status.lagMs === null ? null : status.lagMs / 1000, {});
  samples.add('feed_waiting_requests', status.waiting, {});
  samples.add('feed_unnamed', status.unnamed, {});
}

export function addDrift(samples: Samples, status: DriftStatus): void {
  for (const { model, psi } of status.psi) samples.add('text_drift_psi', psi, { model });
  samples.add('text_drift_clients', status.driftingClients, {});
  samples.add('text_scored', status.texts, {});
  samples.add('text_candidates_withdrawn', status.withdrawn, {});
  samples.add('text_drift_refused', status.refused, {});
}

export function addStatistics(samples: Samples, { closed, due }: StatisticsStatus): void {
  samples.add('statistics_closed_timestamp_seconds', closed === null ? null : endOf(closed) / 1000, {});
  samples.add('statistics_months_due', due, {});
}

export function addFigures(samples: Samples, totals: Readonly<Record<FigureKind, FigureTotals>>): void {
  const { usage, reports, registrations, notices } = totals;
  const sum = ({ sums }: FigureTotals, name: string): number => sums[name] ?? 0;
  for (const channel of CHANNELS)
    for (const verdict of VERDICTS)
      samples.add('verdicts', sum(usage, `${channel} ${verdict}`), { channel, verdict });
  samples.add('requests', sum(usage, 'requests'), {});
  samples.add('request_errors', sum(usage, 'errors'), {});
  samples.add('quota_refusals', sum(usage, 'quotaRefusals'), {});
  samples.add('lost_numbers', sum(usage, 'lostNumbers'), {});
  samples.add('usage_reported_timestamp_seconds', seconds(usage.reportedAt), {});
  samples.add('reports_accepted', sum(reports, 'accepted'), {});
  samples.add('reports_withdrawn', sum(reports, 'withdrawn'), {});
  samples.add('reports_over_budget', sum(reports, 'overBudget'), {});
  samples.add('reports_waiting', sum(reports, 'waiting'), {});
  samples.add('registration_batches_unsent', sum(registrations, 'unsent'), {});
  samples.add('notices', sum(notices, 'kept'), {});
  const [pending, failed] = [sum(notices, 'pending'), sum(notices, 'failed')];
  samples.addEach('notice_deliveries', 'state', { pending, failed });
  samples.add('notice_oldest_pending_timestamp_seconds', seconds(notices.waitingSince), {});
  samples.add('notices_overdue', sum(notices, 'overdue'), {});
  for (const state of ['enabled', 'disabled', 'gone'] as const)
    samples.add('webhooks', sum(notices, state), { state });
}

/** @param time RFC 3339 */
function secondsOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time) / 1000;
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
