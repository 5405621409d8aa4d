/** Webhooks and their deliveries in the admin API. Times in responses are RFC 3339 in UTC. */
import * as v from 'valibot';
import { WEBHOOK_URL_CHARS_MAX } from '../limits/notices.ts';
import { NOTICE_TYPES, type Notice, type NoticeType } from '../notices/notice.ts';
import { webhookHostsSchema } from '../notices/webhook-url.ts';
import { reasonSchema, timeSchema } from '../schemas.ts';

/** `disabled`: by hand, or because it failed too long. `gone`: its receiver answered 410. */
export const WEBHOOK_STATES = ['enabled', 'disabled', 'gone'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];

/** `retrying`: another attempt will follow. `failed`: none will follow. `replaying`: sent again on request. */
export const DELIVERY_STATES = ['retrying', 'delivered', 'failed', 'replaying'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Types that a webhook can be limited to. Not `test`: a test always goes to the webhook under test. */
export const WEBHOOK_TYPES = NOTICE_TYPES.filter((type) => type !== 'test');

export interface WebhookInfo {
  readonly id: string;
  readonly url: string;
  /** Types of notices that the webhook gets. Empty for all types. */
  readonly types: readonly NoticeType[];
  readonly state: WebhookState;
  /** Why the webhook is not enabled: `ADMIN`, `FAILING` or `GONE`. */
  readonly stateReason: string | null;
  /** Number of the current secret. Rises with each rotation. */
  readonly secretNumber: number;
  /** Until when the previous secret also signs; null if it no longer does. */
  readonly previousSecretUntil: string | null;
  readonly createdAt: string;
  /** Notices up to this version were delivered, given up, or of types that the webhook does not get. */
  readonly position: number;
  /** Notices that wait for delivery, counted up to NOTICES_COUNTED_MAX. */
  readonly waiting: number;
  /** Time of the next attempt; null if nothing waits. */
  readonly nextAttemptAt: string | null;
  /** Attempts made for the first waiting notice. */
  readonly attempts: number;
  /** Since when every attempt has failed; null if the last attempt succeeded. */
  readonly failingSince: string | null;
}

/** The keys of a webhook. No other response contains them. */
export interface WebhookSecret {
  readonly webhook: WebhookInfo;
  /** `whsec_…`: verifies `v1` signatures. */
  readonly secret: string;
  /** `whpk_…`: verifies `v1a` signatures. Not secret. */
  readonly publicKey: string;
}

export interface AttemptInfo {
  readonly at: string;
  /** HTTP status; null if there was no response. */
  readonly status: number | null;
  /** Null if the attempt succeeded. */
  readonly error: string | null;
}

export interface DeliveryInfo {
  readonly webhook: string;
  /** Version of the notice. */
  readonly version: number;
  /** Type of the notice; null if the notice is no longer kept. */
  readonly type: NoticeType | null;
  readonly state: DeliveryState;
  /** Number of all attempts. */
  readonly attempts: number;
  /** The newest attempts, at most WEBHOOK_ATTEMPTS_KEPT, oldest first. */
  readonly log: readonly AttemptInfo[];
}

export interface DeliveryPage {
  readonly deliveries: readonly DeliveryInfo[];
  /** Pass as `before` for the next page; null on the last page. */
  readonly next: number | null;
}

export interface Replayed {
  /** Deliveries that will be made again. */
  readonly replayed: number;
  /** Whether deliveries remain. If so, send the request again. */
  readonly more: boolean;
}

/** A notice, with its delivery to each webhook. */
export interface NoticeDetails extends Notice {
  readonly deliveries: readonly DeliveryInfo[];
}

export const addWebhookSchema = v.strictObject({
  url: v.pipe(v.string(), v.maxLength(4 * WEBHOOK_URL_CHARS_MAX)),
  /** Types of notices that the webhook gets. Empty for all types. */
  types: v.optional(v.pipe(v.array(v.picklist(WEBHOOK_TYPES)), v.maxLength(WEBHOOK_TYPES.length)), []),
  reason: reasonSchema,
});
export type AddWebhook = v.InferOutput<typeof addWebhookSchema>;

export const enableWebhookSchema = v.strictObject({
  /** Skip the notices that wait, and begin with the next new notice. */
  skip: v.optional(v.boolean(), false),
  reason: reasonSchema,
});

export const changeWebhookSchema = v.strictObject({ reason: reasonSchema });

/** Replays one notice, or all deliveries that failed since a time. */
export const replaySchema = v.pipe(
  v.strictObject({
    version: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    since: v.optional(timeSchema),
    reason: reasonSchema,
  }),
  v.check(
    ({ version, since }) => (version === undefined) !== (since === undefined),
    'must have either "version" or "since"',
  ),
);
export type Replay = Omit<v.InferOutput<typeof replaySchema>, 'reason'>;

export const webhookHostsChangeSchema = v.strictObject({
  webhookHosts: webhookHostsSchema,
  reason: reasonSchema,
});
