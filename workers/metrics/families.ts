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
    help: 'Whether the store answered: without it, its metrics are missing.',
  },

  verdicts: {
    ...{ type: 'counter', labels: ['channel', 'verdict'] },
    help: 'Requests and items that were screened, by the verdict that the client received.',
  },
  requests: { type: 'counter', labels: [], help: 'Requests of clients with an accepted key.' },
  request_errors: {
    type: 'counter',
    labels: [],
    help: 'Those of the requests that were answered 4xx or 5xx.',
  },
  quota_refusals: { type: 'counter', labels: [], help: 'Those of the errors that exceeded the quota.' },
  lost_numbers: {
    ...{ type: 'counter', labels: [] },
    help: 'Checked numbers whose counts were given up, because they could not be sent.',
  },
  usage_reported_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the counters of a client last reported: counts are some 20 s behind, and up to 80 s at constant traffic.',
  },

  head_seq: { type: 'gauge', labels: [], help: 'Version of the head.' },
  head_kv_seq: { type: 'gauge', labels: [], help: 'Version of the copy of the head in KV.' },
  head_changed_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the head last changed.',
  },
  data_centres: {
    ...{ type: 'gauge', labels: ['state'] },
    help: 'Data centres that polled in the last five minutes: current, or behind a head that is older than a minute.',
  },
  list_keys: { type: 'gauge', labels: [], help: 'Keys in LIST_KEY: 2 while it is rotated.' },
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
    help: 'Entries of the live layer: of people, of rules.',
  },
  live_entries_limit: {
    ...{ type: 'gauge', labels: ['holder'] },
    help: 'From this many entries on, further ones are refused.',
  },
  live_segments: { type: 'gauge', labels: [], help: 'Sealed segments of the live layer.' },
  storage_used_bytes: {
    ...{ type: 'gauge', labels: ['store'], unit: 'bytes' },
    help: 'Size of the database of the store.',
  },
  storage_limit_bytes: {
    ...{ type: 'gauge', labels: ['store'], unit: 'bytes' },
    help: 'The largest size.',
  },

  keys_expiring: {
    ...{ type: 'gauge', labels: ['kind', 'state'] },
    help: 'Keys of clients and tokens that end within 30 days (soon), or ended in the last 30 days (ended); at most 100.',
  },
  qualifications_due: {
    ...{ type: 'gauge', labels: ['due', 'state'] },
    help: 'Inspections and ends of qualifications that are overdue, or due within 30 days (soon); at most 100.',
  },
  proposals: { type: 'gauge', labels: ['state'], help: 'Proposals in which a person still has to act.' },

  audit_records: { type: 'counter', labels: [], help: 'Records of the audit log.' },
  audit_checkpoint_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the newest checkpoint of the audit log was made.',
  },
  audit_unexported_records: {
    ...{ type: 'gauge', labels: ['sink'] },
    help: 'Records that a sink of the export does not have.',
  },
  audit_export_failures: {
    ...{ type: 'gauge', labels: ['sink'] },
    help: 'Failures of the export in a row.',
  },

  registration_changes: {
    ...{ type: 'gauge', labels: [] },
    help: 'Changes of registered senders that a readable release lacks.',
  },
  registration_changes_limit: {
    ...{ type: 'gauge', labels: [] },
    help: 'From this many changes on, additions wait.',
  },
  registration_organisations: {
    ...{ type: 'gauge', labels: ['state'] },
    help: 'Organisations whose registrations wait for room (waiting), or with a batch that the registry refuses (refused).',
  },
  registration_batches_unsent: {
    ...{ type: 'gauge', labels: [] },
    help: 'Batches of registrations that the registry does not have.',
  },
  registered_pairs: {
    type: 'gauge',
    labels: [],
    help: 'Pairs of a client and a number that are registered.',
  },
  registered_pairs_limit: { type: 'gauge', labels: [], help: 'As many pairs as a release holds.' },

  reports_accepted: { type: 'counter', labels: [], help: 'Reports of partners that were acknowledged.' },
  reports_withdrawn: { type: 'counter', labels: [], help: 'Those that were withdrawn.' },
  reports_over_budget: { type: 'counter', labels: [], help: 'Those beyond the budgets of their reporters.' },
  reports_waiting: {
    ...{ type: 'gauge', labels: [] },
    help: 'Reports and withdrawals that the counts of their subjects do not have yet.',
  },
  rule_blocks: {
    ...{ type: 'gauge', labels: ['stage'] },
    help: 'Rule blocks that have not ended. Those of mock partners are left out.',
  },
  rule_decisions_waiting: {
    type: 'gauge',
    labels: [],
    help: 'Decisions of rules whose facts are being read.',
  },
  rule_blocks_unsent: {
    ...{ type: 'gauge', labels: [] },
    help: 'Rule blocks whose newest state the live layer does not have.',
  },
  rule_entries_full: {
    ...{ type: 'gauge', labels: [] },
    help: '1 while the live layer has no room for further blocks of rules.',
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
  feed_events: { type: 'counter', labels: [], help: 'Events of the feed, over all epochs.' },
  feed_epoch: { type: 'gauge', labels: [], help: 'Epoch of the feed.' },
  feed_entries: { type: 'gauge', labels: [], help: 'Entries of the snapshot of the feed.' },
  feed_pending: {
    ...{ type: 'gauge', labels: [] },
    help: 'Numbers, sender IDs and hosts that the feed still has to look up in a new release.',
  },
  feed_lag_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'How long ago the feed had read all changes.',
  },
  feed_waiting_requests: {
    ...{ type: 'gauge', labels: [] },
    help: 'Requests that wait for the next event.',
  },
  feed_unnamed: {
    ...{ type: 'gauge', labels: [] },
    help: 'Restored sources without text, which the feed cannot name.',
  },

  text_drift_psi: {
    ...{ type: 'gauge', labels: ['model'] },
    help: 'Population stability index of the scores of today against the 7 days before: docs/text.md, "Drift".',
  },
  text_drift_clients: {
    ...{ type: 'gauge', labels: [] },
    help: 'Clients whose scores have drifted today.',
  },
  text_scored: { type: 'gauge', labels: [], help: 'Texts that were scored today (Asia/Seoul).' },
  text_candidates_withdrawn: {
    ...{ type: 'counter', labels: [] },
    help: 'Candidates that were withdrawn because their rate of suspicious texts had jumped.',
  },
  text_drift_refused: {
    ...{ type: 'counter', labels: [] },
    help: 'Rows of scores that found no room.',
  },

  notices: { type: 'gauge', labels: [], help: 'Notices that are kept.' },
  notice_deliveries: {
    ...{ type: 'gauge', labels: ['state'] },
    help: 'Deliveries to webhooks: pending, or given up (failed).',
  },
  notice_oldest_pending_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'When the oldest notice with a pending delivery was kept.',
  },
  notices_overdue: {
    ...{ type: 'gauge', labels: [] },
    help: 'Guidance that its receiver has not acknowledged in time.',
  },
  webhooks: { type: 'gauge', labels: ['state'], help: 'Webhooks, by state.' },

  statistics_closed_timestamp_seconds: {
    ...{ type: 'gauge', labels: [], unit: 'seconds' },
    help: 'End of the newest month whose tables are closed.',
  },
  statistics_months_due: {
    ...{ type: 'gauge', labels: [] },
    help: 'Months that should be closed and are not.',
  },
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof FAMILIES;
export type LabelsOf<Name extends FamilyName> = Readonly<
  Record<(typeof FAMILIES)[Name]['labels'][number], string>
>;
