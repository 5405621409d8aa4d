/** Webhooks and their deliveries in the admin API. Times in responses are RFC 3339 in UTC. */
import * as v from 'valibot';
import { WEBHOOK_URL_CHARS_MAX } from '../limits/notices.ts';
import { NOTICE_TYPES, type Notice, type NoticeType } from '../notices/notice.ts';
import { webhookHostsSchema } from '../notices/webhook-url.ts';
import { reasonSchema, timeSchema } from '../schemas.ts';

/** `disabled`: by hand, or because it failed too long. `gone`: its receiver answered 410. */
export const WEBHOOK_STATES = ['enabled', 'disabled', 'gone'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];

/** `retrying`: there will be another attempt. `failed`: there will be none. `replaying`: it is sent once more. */
export const DELIVERY_STATES = ['retrying', 'delivered', 'failed', 'replaying'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Types that a webhook can be limited to. A test goes to the webhook that is tested. */
export const WEBHOOK_TYPES = NOTICE_TYPES.filter((type) => type !== 'test');

export interface WebhookInfo {
  readonly id: string;
  readonly url: string;
  /** Empty: all of them. */
  readonly types: readonly NoticeType[];
  readonly state: WebhookState;
  /** Why it is not enabled: `ADMIN`, `FAILING` or `GONE`. */
  readonly stateReason: string | null;
  /** Number of its secret: rises with each rotation. */
  readonly secretNumber: number;
  /** How long the secret before it signs too; null if it does not any more. */
  readonly previousSecretUntil: string | null;
  readonly createdAt: string;
  /** Notices up to this version are delivered, given up, or of other types. */
  readonly position: number;
  /** Notices that wait for it, counted up to NOTICES_COUNTED_MAX. */
  readonly waiting: number;
  /** When the next attempt is made; null if nothing waits. */
  readonly nextAttemptAt: string | null;
  /** Of the notice that waits first. */
  readonly attempts: number;
  /** Since when each attempt has failed; null if the last one succeeded. */
  readonly failingSince: string | null;
}

/** The keys of a webhook. They are in no other response. */
export interface WebhookSecret {
  readonly webhook: WebhookInfo;
  /** `whsec_…`: verifies `v1` signatures. */
  readonly secret: string;
  /** `whpk_…`: verifies `v1a` signatures. It is public. */
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
  /** Of the notice. */
  readonly version: number;
  /** Of the notice; null if it is no longer kept. */
  readonly type: NoticeType | null;
  readonly state: DeliveryState;
  /** All of them. */
  readonly attempts: number;
  /** The newest, at most WEBHOOK_ATTEMPTS_KEPT, oldest first. */
  readonly log: readonly AttemptInfo[];
}

export interface DeliveryPage {
  readonly deliveries: readonly DeliveryInfo[];
  /** Pass it as `before`; null at the end. */
  readonly next: number | null;
}

export interface Replayed {
  /** Deliveries that are made once more. */
  readonly replayed: number;
  /** There are more: send the request again. */
  readonly more: boolean;
}

/** A notice with what became of it at each webhook. */
export interface NoticeDetails extends Notice {
  readonly deliveries: readonly DeliveryInfo[];
}

export const addWebhookSchema = v.strictObject({
  url: v.pipe(v.string(), v.maxLength(4 * WEBHOOK_URL_CHARS_MAX)),
  /** Empty: all of them. */
  types: v.optional(v.pipe(v.array(v.picklist(WEBHOOK_TYPES)), v.maxLength(WEBHOOK_TYPES.length)), []),
  reason: reasonSchema,
});
export type AddWebhook = v.InferOutput<typeof addWebhookSchema>;

export const enableWebhookSchema = v.strictObject({
  /** Begin with the next new notice, instead of those that wait. */
  skip: v.optional(v.boolean(), false),
  reason: reasonSchema,
});

export const changeWebhookSchema = v.strictObject({ reason: reasonSchema });

/** One notice, or all deliveries that failed since a time. */
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
