/**
 * Every metric, in output order. A name ends with its unit; the samples of a counter end in `_total`. Labels
 * have few values, and never contain a number, a client or an organisation.
 */

export interface Family {
  readonly type: 'gauge' | 'counter' | 'info';
  readonly help: string;
  readonly labels: readonly string[];
  readonly unit?: 'seconds' | 'bytes' | 'ratio';
}

export const FAMILIES = {
  up: {
    ...{ type: 'gauge', labels: ['store'] },
    help: 'Whether the store answered. Otherwise, the metrics of the store are missing.',
  },

  verdicts: {
    ...{ type: 'counter', labels: ['channel', 'verdict'] },
    help: 'Screened requests and items, by the verdict that the client received.',
  },
  requests: { type: 'counter', labels: [], help: 'Requests of clients with an accepted key.' },
  request_errors: {
    type: 'counter',
    labels: [],
    help: 'Requests that were answered with 4xx or 5xx.',
  },
  quota_refusals: {
    type: 'counter',
    labels: [],
    help: 'Requests that were refused because they exceeded the quota.',
  },
  lost_numbers: {
    ...{ type: 'counter', labels: [] },
    help: 'Checked numbers that were never counted, because their counts could not be sent.',
  },
  usage_reported_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the counters of any client last reported. Counts are about 20 s behind, and up to 80 s under constant traffic.',
  },

  head_seq: { type: 'gauge', labels: [], help: 'Version of the head.' },
  head_kv_seq: { type: 'gauge', labels: [], help: 'Version of the copy of the head in KV.' },
  head_changed_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the head last changed.',
  },
  data_centres: {
    ...{ type: 'gauge', labels: ['state'] },
    help: 'Data centres that polled in the last five minutes. A data centre is behind if it lacks a head that is older than a minute.',
  },
  list_keys: { type: 'gauge', labels: [], help: 'Keys in LIST_KEY: 2 during a rotation.' },
  clients: { type: 'gauge', labels: [], help: 'Clients in the directory.' },

  release: { type: 'info', labels: ['slot', 'release'], help: 'The current release, and the canary.' },
  release_promoted_timestamp_seconds: {
    ...{ type: 'gauge', labels: ['slot'], unit: 'seconds' },
    help: 'When the release was promoted.',
  },
  release_numbers: { type: 'gauge', labels: ['slot'], help: 'Numbers of the release.' },
  release_size_bytes: {
    ...{ type: 'gauge', labels: ['slot'], unit: 'bytes' },
    help: 'Size of the release.',
  },
  canary_share_ratio: {
    ...{ type: 'gauge', labels: [], unit: 'ratio' },
    help: 'Share of the data centres that use the canary.',
  },

  live_entries: {
    type: 'gauge',
    labels: ['holder'],
    help: 'Entries of the live layer, by holder: people or rules.',
  },
  live_entries_limit: {
    ...{ type: 'gauge', labels: ['holder'] },
    help: 'Number of entries from which new entries are refused.',
  },
  live_segments: { type: 'gauge', labels: [], help: 'Sealed segments of the live layer.' },
  storage_used_bytes: {
    ...{ type: 'gauge', labels: ['store'], unit: 'bytes' },
    help: 'Size of the database of the store.',
  },
  storage_limit_bytes: {
    ...{ type: 'gauge', labels: ['store'], unit: 'bytes' },
    help: 'Maximum size of the database of the store.',
  },

  keys_expiring: {
    ...{ type: 'gauge', labels: ['kind', 'state'] },
    help: 'Keys of clients and tokens that expire within 30 days (soon), or expired in the last 30 days (ended); at most 100.',
  },
  qualifications_due: {
    ...{ type: 'gauge', labels: ['due', 'state'] },
    help: 'Inspections and ends of qualifications that are overdue, or due within 30 days (soon); at most 100.',
  },
  proposals: { type: 'gauge', labels: ['state'], help: 'Proposals that wait for a person.' },

  audit_records: { type: 'counter', labels: [], help: 'Records of the audit log.' },
  audit_checkpoint_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the newest checkpoint of the audit log was made.',
  },
  audit_unexported_records: {
    ...{ type: 'gauge', labels: ['sink'] },
    help: 'Records that were not exported to the sink yet.',
  },
  audit_export_failures: {
    ...{ type: 'gauge', labels: ['sink'] },
    help: 'Consecutive failures of the export.',
  },

  registration_changes: {
    ...{ type: 'gauge', labels: [] },
    help: 'Changes of registered senders that at least one readable release does not contain.',
  },
  registration_changes_limit: {
    ...{ type: 'gauge', labels: [] },
    help: 'Number of changes from which additions wait.',
  },
  registration_organisations: {
    ...{ type: 'gauge', labels: ['state'] },
    help: 'Organisations whose registrations wait for room (waiting), or with a batch that the registry refuses (refused).',
  },
  registration_batches_unsent: {
    ...{ type: 'gauge', labels: [] },
    help: 'Batches of registrations that were not sent to the registry yet.',
  },
  registered_pairs: {
    type: 'gauge',
    labels: [],
    help: 'Registered pairs of a client and a number.',
  },
  registered_pairs_limit: { type: 'gauge', labels: [], help: 'Maximum number of pairs in a release.' },

  reports_accepted: { type: 'counter', labels: [], help: 'Reports from partners that were acknowledged.' },
  reports_withdrawn: { type: 'counter', labels: [], help: 'Reports that were withdrawn.' },
  reports_over_budget: {
    type: 'counter',
    labels: [],
    help: 'Reports beyond the budgets of their reporters, which do not count.',
  },
  reports_waiting: {
    ...{ type: 'gauge', labels: [] },
    help: 'Reports and withdrawals that are not counted yet.',
  },
  rule_blocks: {
    ...{ type: 'gauge', labels: ['stage'] },
    help: 'Rule blocks that have not ended, without those of mock partners.',
  },
  rule_decisions_waiting: {
    type: 'gauge',
    labels: [],
    help: 'Decisions of rules that wait for their facts.',
  },
  rule_blocks_unsent: {
    ...{ type: 'gauge', labels: [] },
    help: 'Rule blocks whose newest state was not sent to the live layer yet.',
  },
  rule_entries_full: {
    ...{ type: 'gauge', labels: [] },
    help: '1 while the live layer has no room for more blocks of rules.',
  },

  appeals_received: { type: 'counter', labels: [], help: 'Appeals against blocks.' },
  appeals_decided: { type: 'counter', labels: ['decision'], help: 'Decided appeals.' },
  appeals_open: { type: 'gauge', labels: [], help: 'Appeals that wait for a decision.' },
  appeals_oldest_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the oldest open appeal was received.',
  },

  feed_configured: {
    type: 'gauge',
    labels: [],
    help: 'Whether SHARING_KEY is set. Without it there is no feed.',
  },
  feed_events: { type: 'counter', labels: [], help: 'Events of the feed in all epochs.' },
  feed_epoch: { type: 'gauge', labels: [], help: 'Epoch of the feed.' },
  feed_entries: { type: 'gauge', labels: [], help: 'Entries in the snapshot of the feed.' },
  feed_pending: {
    ...{ type: 'gauge', labels: [] },
    help: 'Numbers, sender IDs and hosts that the feed has yet to look up in a new release.',
  },
  feed_lag_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'Time since the feed had last read all changes.',
  },
  feed_waiting_requests: {
    ...{ type: 'gauge', labels: [] },
    help: 'Requests that wait for the next event.',
  },
  feed_unnamed: {
    ...{ type: 'gauge', labels: [] },
    help: 'Restored sources without their text, which the feed cannot name.',
  },

  text_drift_psi: {
    ...{ type: 'gauge', labels: ['model'] },
    help: 'Population stability index of the scores of today, compared with the previous 7 days: docs/text.md, "Drift".',
  },
  text_drift_clients: {
    ...{ type: 'gauge', labels: [] },
    help: 'Clients whose scores have drifted today.',
  },
  text_scored: { type: 'gauge', labels: [], help: 'Texts that were scored today (Asia/Seoul).' },
  text_candidates_withdrawn: {
    ...{ type: 'counter', labels: [] },
    help: 'Canaries that were withdrawn because their rate of suspicious texts rose sharply.',
  },
  text_drift_refused: {
    ...{ type: 'counter', labels: [] },
    help: 'Rows of scores that were not stored, because there was no room.',
  },

  notices: { type: 'gauge', labels: [], help: 'Notices that are kept.' },
  notice_deliveries: {
    ...{ type: 'gauge', labels: ['state'] },
    help: 'Deliveries to webhooks: pending, or given up (failed).',
  },
  notice_oldest_pending_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the oldest notice with a pending delivery was stored.',
  },
  notices_overdue: {
    ...{ type: 'gauge', labels: [] },
    help: 'Guidance that its receiver did not acknowledge in time.',
  },
  webhooks: { type: 'gauge', labels: ['state'], help: 'Webhooks, by state.' },

  statistics_closed_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'End of the newest month whose tables are closed.',
  },
  statistics_months_due: {
    ...{ type: 'gauge', labels: [] },
    help: 'Months that should be closed but are not.',
  },
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof FAMILIES;
export type LabelsOf<Name extends FamilyName> = Readonly<
  Record<(typeof FAMILIES)[Name]['labels'][number], string>
>;
